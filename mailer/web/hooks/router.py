"""`POST /hooks/{name}`: reads a bounded body and lets the reception take it.

Answers: 200 taken (unknown events too), 400 cannot be read, 401 and 403 not believed, 404 no such hook, 413 too large,
408 too slow, 503 try again. Each refusal is problem+json (RFC 9457); Mailgun is refused with 406, the one code after
which it does not try again.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from mailer.errors import MailerError
from mailer.web.hooks.model import Refused
from mailer.web.hooks.reception import Receipt, Reception
from mailer.web.problems import ProblemError, machine_answer

if TYPE_CHECKING:
    from mailer.delivery.ground import Ground
    from mailer.web.site import Site

LARGEST: Final = 1_048_576
SLOWEST: Final = 15.0
log = logging.getLogger(__name__)
router = APIRouter()


@router.post("/hooks/{name}", include_in_schema=False)
async def report(name: str, request: Request) -> Response:
    """Take what a provider reports."""
    try:
        body = await _body(request)
        headers = {key.lower(): value for key, value in request.headers.items()}
        receipt = await _taken(request.app.state, name, headers, body)
    except Refused as refusal:
        log.warning("hook %s: refused, %s", name[:64], refusal.code)
        return _problem(_status(request, name, refusal), refusal.code, refusal.detail)
    except MailerError as problem:
        log.warning("hook %s: not now: %s", name[:64], problem)
        return _problem(503, "not-now", "this cannot be taken now; try again")
    if receipt.unknown:
        log.warning("hook %s: %d events nobody understands are kept", name, receipt.unknown)
    return JSONResponse({"events": receipt.events, "unknown": receipt.unknown, "again": receipt.again})


async def _taken(state: Any, name: str, headers: dict[str, str], body: bytes) -> Receipt:
    """Prove the post in a thread; write it in the application's one writing thread, if there is one."""
    here = await asyncio.to_thread(reception, state)
    site: Site | None = getattr(state, "site", None)
    if site is None:
        return await asyncio.to_thread(here.take, name, headers, body)
    proven = await asyncio.to_thread(here.prove, name, headers, body)
    return await site.write(lambda connection: here.store(connection, proven))


def reception(state: Any) -> Reception:
    """Give the reception of an application, made when it is first asked for; raises UserError."""
    found: Reception | None = getattr(state, "reception", None)
    if found is None:
        ground: Ground = state.ground
        found = state.reception = Reception(ground)
    return found


async def _body(request: Request) -> bytes:
    """Read the body, or refuse what is too large or comes too slowly."""
    got = bytearray()
    try:
        async with asyncio.timeout(SLOWEST):
            async for chunk in request.stream():
                got += chunk
                if len(got) > LARGEST:
                    raise Refused(413, "too-large", f"more than {LARGEST:,} octets")
    except TimeoutError:
        raise Refused(408, "too-slow", f"the body did not come within {SLOWEST:.0f} s") from None
    return bytes(got)


def _status(request: Request, name: str, refusal: Refused) -> int:
    """Give the code to answer with: what is refused for good is to be heard as such."""
    hook = request.app.state.ground.settings.hooks.get(name)
    return 406 if hook and hook.kind == "mailgun" and refusal.status == 403 else refusal.status


def _problem(status: int, code: str, detail: str) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="hooks"'} if status == 401 else {}
    headers |= {"Retry-After": "60"} if status == 503 else {}
    return machine_answer(ProblemError(status, detail=detail, headers=headers, code=code))
