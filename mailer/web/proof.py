"""Proof of work, where `[web] proof_of_work` asks for it: a sum that a browser does in a moment and a flood does not.

The protocol is Altcha's (version 1); challenge, check and script are served from here, so no third party hears of a
visitor. A solution counts once. Without scripts a form works too: its network then has a tenth of its budget.
"""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import JSONResponse, Response

from mailer.resources import templates_dir
from mailer.web import budgets
from mailer.web.cors import cors_headers
from mailer.web.site import Here, Site  # noqa: TC001 - FastAPI reads the annotation

if TYPE_CHECKING:
    from sqlalchemy import Connection

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)
HARDEST: Final = 50_000  # hashes at most: about a second of a telephone
LASTS: Final = timedelta(minutes=20)
_WORDS: Final = ("algorithm", "challenge", "salt", "signature")
ONCE: Final = budgets.Allowance(1, 3600)


@router.get("/proof")
async def challenge(request: Request, site: Here) -> Response:
    """Give a sum to do."""
    from altcha.v1 import ChallengeOptions, create_challenge  # noqa: PLC0415 - few newsletters ask for it

    if not site.web.proof_of_work:
        return Response(status_code=404)
    options = ChallengeOptions(max_number=HARDEST, hmac_key=_key(site), expires=site.now() + LASTS)
    made = create_challenge(options)
    headers = cors_headers(request.headers.get("origin", ""), site.web.origins)
    return JSONResponse(made.to_dict(), headers=headers)


@router.get("/proof.js")
async def script() -> Response:
    """Give the script that does it."""
    text = (templates_dir() / "web" / "proof.js").read_text("utf-8")
    return Response(text, 200, {"Cache-Control": "public, max-age=3600"}, "text/javascript; charset=utf-8")


async def proven(site: Site, payload: str) -> bool:
    """Tell whether the sum was done, for the first time; always where none is asked for."""
    if not site.web.proof_of_work:
        return True
    told = _told(payload)
    if told is None or not _right(site, told):
        return False
    subject = budgets.subject_of(site.ground.keys.suppression, str(told["signature"]))
    return await site.write(partial(_first, site, subject))


def _first(site: Site, subject: bytes, connection: Connection) -> bool:
    return budgets.spend(connection, "proof", subject, ONCE, site.now())


def _told(payload: str) -> dict[str, Any] | None:
    """Read a solution; None for what is none."""
    try:
        told = json.loads(base64.b64decode(payload, validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or not isinstance(told.get("number"), int):
        return None
    return told if all(_is_word(told.get(word)) for word in _WORDS) else None


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.isascii()


def _right(site: Site, told: dict[str, Any]) -> bool:
    from altcha.v1 import Payload, verify_solution  # noqa: PLC0415 - as above

    if told["algorithm"] != "SHA-256":
        return False
    payload = Payload(*(told[word] for word in (*_WORDS[:2], "number", *_WORDS[2:])))
    good, _ = verify_solution(payload, _key(site))
    return good


def _key(site: Site) -> str:
    return budgets.subject_of(site.ground.keys.suppression, "proof of work").hex()
