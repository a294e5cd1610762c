"""What the schedule asks the operator by mail: a page with two buttons. The first answer counts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

from mailer.keys import Purpose
from mailer.schedule import questions
from mailer.web.forms import fields
from mailer.web.pages.tokens import gone
from mailer.web.site import Here, Site  # noqa: TC001 - FastAPI reads the annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

_WORDS: Final[Mapping[str, questions.Word]] = {"send": "send", "skip": "skip"}
router: Final = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/schedule/{token}")
async def ask(request: Request, token: str, site: Here) -> Response:
    """Show the question, or what came of it."""
    ids = site.ground.keys.read_link_token(Purpose.ANSWER, token)
    if ids is None:
        return gone(request, site, "unknown")
    return _page(request, site, await site.read(lambda c: questions.look(c, ids[0], site.now())))


@router.post("/schedule/{token}")
async def answer(request: Request, token: str, site: Here) -> Response:
    """Take the answer; without one of the two words it is only shown again."""
    ids = site.ground.keys.read_link_token(Purpose.ANSWER, token)
    word = _WORDS.get((await fields(request)).one("answer", 10))
    if ids is None:
        return gone(request, site, "unknown")
    if word is None:
        return _page(request, site, await site.read(lambda c: questions.look(c, ids[0], site.now())))
    return _page(request, site, await site.write(partial(_answered, ids[0], word, site)))


def _answered(
    question: int, word: questions.Word, site: Site, connection: Connection
) -> questions.Question | None:
    return questions.answer(connection, question, word, site.now(), "operator's link")


def _page(request: Request, site: Site, question: questions.Question | None) -> Response:
    if question is None:
        return gone(request, site, "unknown")
    return site.pages.page(site.pages.voice(request.scope, None, "en"), "question", question=question)
