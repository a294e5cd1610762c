"""How the pages say no: to people as a page of the newsletter's, to machines as problem+json (RFC 9457).

Nothing of what was sent is repeated, and nothing of what fell over is told. Below `/api/` and `/hooks/` machines ask.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from mailer.errors import TryLater, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI
    from starlette.requests import Request
    from starlette.types import Scope

log = logging.getLogger("mailer.web")
MACHINES: Final = ("/api/", "/hooks/")
LATER: Final = 5  # seconds after which the database may be back
PROBLEM: Final = "application/problem+json"
PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in (400, 413, 422, 429, 503)
}


class ProblemError(Exception):
    """A request that is refused, with the words for whoever asked."""

    def __init__(
        self,
        status: int,
        title: str = "",
        detail: str = "",
        *,
        type_: str = "about:blank",
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(title)
        self.status = status
        self.title = title or HTTPStatus(status).phrase
        self.detail = detail
        self.type = type_
        self.headers = dict(headers or {})
        self.members = members


def refuse(app: FastAPI) -> None:
    """Let the application answer its errors in our words."""
    from fastapi.exceptions import RequestValidationError  # noqa: PLC0415 - FastAPI is loaded by whoever has an app

    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(UserError, _user_error)
    app.add_exception_handler(TryLater, _later)


def answer_for(
    scope: Scope, status: int, *, headers: Mapping[str, str] | None = None, close: bool = False
) -> Response:
    """Give the answer for a status that has no words of its own."""
    problem = ProblemError(status, headers=headers)
    if close:
        problem.headers["Connection"] = "close"
    return _answer(scope, problem)


def _answer(scope: Scope, problem: ProblemError) -> Response:
    if scope["path"].startswith(MACHINES):
        return machine_answer(problem)
    site = getattr(scope["app"].state, "site", None) if "app" in scope else None
    if site is None:
        return Response(problem.title, problem.status, problem.headers, "text/plain")
    try:
        page: Response = site.pages.problem(scope, problem.status)
    except Exception:  # noqa: BLE001 - a template of the newsletter's own may be what fell over
        return Response(problem.title, problem.status, problem.headers, "text/plain")
    page.headers.update(problem.headers)
    return page


def machine_answer(problem: ProblemError) -> JSONResponse:
    """Give the problem as JSON."""
    told = {"type": problem.type, "title": problem.title, "status": problem.status, **problem.members}
    if problem.detail:
        told["detail"] = problem.detail
    return JSONResponse(told, problem.status, problem.headers, PROBLEM)


async def _problem(request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return _answer(request.scope, error)


async def _http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    return answer_for(request.scope, error.status_code, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    """Name the fields that are wrong, and why; never what stood in them."""
    told = [
        {"field": ".".join(str(part) for part in one["loc"][1:])[:200], "message": one["msg"]}
        for one in getattr(error, "errors", list)()[:20]
    ]
    problem = ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not understood", errors=told)
    return _answer(request.scope, problem)


async def _user_error(request: Request, error: Exception) -> Response:
    """Tell a program what it did wrong. On a page nobody can mend it but the operator: it is ours."""
    if not request.scope["path"].startswith(MACHINES):
        log.error("%s", str(error).partition("\n")[0])
        return answer_for(request.scope, HTTPStatus.INTERNAL_SERVER_ERROR)
    problem = ProblemError(HTTPStatus.BAD_REQUEST, str(error).partition("\n")[0])
    return _answer(request.scope, problem)


async def _later(request: Request, _error: Exception) -> Response:
    headers = {"Retry-After": str(LATER)}
    return answer_for(request.scope, HTTPStatus.SERVICE_UNAVAILABLE, headers=headers)
