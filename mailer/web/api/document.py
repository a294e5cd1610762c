"""The OpenAPI 3.1 document, and that it is true: every answer that can come is in it, errors as problem+json.

Answers that any request may get are added to every operation here, so that no route forgets one.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from fastapi.openapi.utils import get_openapi

from mailer.web.api.shapes import Problem
from mailer.web.problems import PROBLEM

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI

_ANY: Final = (408, 413, 422, 429, 500, 503)
_WITH_TOKEN: Final = (401, 403)
_WITH_BODY: Final = (400, 415)
_WITH_NAME: Final = (404,)
_CHANGING: Final = (409,)
_ABOUT: Final = """Subscribers, lists, segments, mailings, audit and suppressions of one newsletter.

Requests bring a token of `mailer tokens new`. Lists come in pages: `next` is the cursor of the following one. A request
that changes something may bear an `Idempotency-Key`: sent again within a day it acts once and is answered the same.
Errors are problem+json (RFC 9457); `code` is a word for programs."""


def document(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """Give what makes the document of an application, once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _made(app)
        return app.openapi_schema

    return openapi


def _made(app: FastAPI) -> dict[str, Any]:
    made: dict[str, Any] = get_openapi(
        title="mailer",
        version="1",
        openapi_version="3.1.0",
        description=_ABOUT,
        routes=app.routes,
        servers=[{"url": "/api/v1"}],
    )
    schemas = made["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            _complete(path, method, operation)
    return made


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    statuses = [*_ANY]
    statuses += _WITH_TOKEN if operation.get("security") else ()
    statuses += _WITH_NAME if "{" in path or "requestBody" in operation or "parameters" in operation else ()
    statuses += _WITH_BODY if "requestBody" in operation else ()
    statuses += _CHANGING if method != "get" or path.startswith("/segments/") else ()
    answers = operation["responses"]
    for status in statuses:
        answers[str(status)] = _problem(status)
    operation["responses"] = dict(sorted(answers.items()))


def _problem(status: int) -> dict[str, Any]:
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": content}
    name = {401: "WWW-Authenticate", 403: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(
        status
    )
    if name:
        answer["headers"] = {name: {"schema": {"type": "string"}}}
    return answer
