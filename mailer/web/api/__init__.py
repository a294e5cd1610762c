"""The operators' interface, `/api/v1`: subscribers, lists, segments, mailings, audit and suppressions for programs.

An application of its own, to be mounted: it answers every error in problem+json and tells of itself in OpenAPI 3.1. No
rule lives here: each route reads words, calls one verb and writes words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException

from mailer.errors import PersonNeeded
from mailer.web import problems
from mailer.web.api import mailings, people, segments, suppressions
from mailer.web.api.callers import Allowances
from mailer.web.api.document import document
from mailer.web.problems import ProblemError, machine_answer
from subscribers import (
    AddressTaken,
    InvalidAddress,
    SubscribersError,
    UnknownList,
    UnknownSubscriber,
    WillNotRevive,
)

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from mailer.delivery.ground import Ground

_SAID: dict[type[SubscribersError], tuple[int, str]] = {
    InvalidAddress: (422, "invalid-address"),
    UnknownSubscriber: (404, "unknown-subscriber"),
    UnknownList: (404, "unknown-list"),
    AddressTaken: (409, "address-taken"),
    WillNotRevive: (409, "will-not-revive"),
}


def app(ground: Ground, *more: APIRouter) -> FastAPI:
    """Give the application; `more` are routers of others that stand below the same path and need no token."""
    made = FastAPI(docs_url=None, redoc_url=None, openapi_url="/openapi.json", redirect_slashes=False)
    made.state.ground = ground
    made.state.allowances = Allowances()
    for router in (*more, people.router, mailings.router, segments.router, suppressions.router):
        made.include_router(router)
    problems.refuse(made)
    made.add_exception_handler(SubscribersError, _refused)
    made.add_exception_handler(PersonNeeded, _person_needed)
    made.add_exception_handler(HTTPException, _http)
    made.add_exception_handler(Exception, _fell_over)
    made.add_middleware(JsonOnly)
    made.openapi = document(made)  # type: ignore[method-assign]
    return made


async def _refused(_request: Request, error: Exception) -> Response:
    """Tell what the subscribers refuse, in their sentence; of an address that is none, not the address."""
    status, code = next((said for kind, said in _SAID.items() if isinstance(error, kind)), (422, "refused"))
    detail = error.why if isinstance(error, InvalidAddress) else str(error)
    return machine_answer(ProblemError(status, detail=detail, code=code))


async def _person_needed(_request: Request, error: Exception) -> Response:
    return machine_answer(ProblemError(409, detail=str(error), code="state"))


async def _http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    status, headers = error.status_code, error.headers
    code = {404: "unknown-path", 405: "method"}.get(status, "request")
    return machine_answer(ProblemError(status, headers=headers, code=code))


async def _fell_over(_request: Request, _error: Exception) -> Response:
    """Tell that it is our fault, and nothing of what fell over; whoever stands before us logs it."""
    return machine_answer(ProblemError(500, code="bug"))


class JsonOnly:
    """Refuses a body that does not say it is JSON (415): a form of another site's page cannot say so unasked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and _has_body(scope) and not _is_json(scope):
            answer = machine_answer(ProblemError(415, detail="send application/json", code="not-json"))
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _has_body(scope: Scope) -> bool:
    return _header(scope, b"content-length") not in {b"", b"0"} or bool(_header(scope, b"transfer-encoding"))


def _is_json(scope: Scope) -> bool:
    kind = _header(scope, b"content-type").partition(b";")[0].strip().lower()
    return kind == b"application/json"
