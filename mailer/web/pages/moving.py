"""Another address: the new one confirms it at /move, the old one may take it back at /undo, for 14 days."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

import subscribers
from mailer.keys import Purpose
from mailer.letters import moving
from mailer.web.pages.tokens import NOBODY, gone
from mailer.web.site import Here, Site, evidence_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.settings import ListSettings
    from subscribers import Evidence, MoveResult

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/move/{token}")
async def ask_move(request: Request, token: str, site: Here) -> Response:
    """Show the button of the new address."""
    return await _show(request, site, Purpose.MOVE, token)


@router.post("/move/{token}")
async def move(request: Request, token: str, site: Here) -> Response:
    """Move."""
    return await _act(request, site, Purpose.MOVE, token)


@router.get("/undo/{token}")
async def ask_undo(request: Request, token: str, site: Here) -> Response:
    """Show the button of the old address."""
    return await _show(request, site, Purpose.UNDO_MOVE, token)


@router.post("/undo/{token}")
async def undo(request: Request, token: str, site: Here) -> Response:
    """Take it back."""
    return await _act(request, site, Purpose.UNDO_MOVE, token)


async def _show(request: Request, site: Site, purpose: Purpose, token: str) -> Response:
    ids = site.ground.keys.read_link_token(purpose, token)
    if ids is None or ids[0] == NOBODY:
        return gone(request, site, "unknown" if ids is None else "sample")
    result = await site.read(lambda connection: subscribers.look_at_move(connection, *ids, site.now()))
    open_now = ("asked", "ask-move") if purpose is Purpose.MOVE else ("moved", "ask-undo")
    state = open_now[1] if result.outcome == open_now[0] else str(result.outcome)
    return _page(request, site, result, "unknown" if state == "asked" else state)


async def _act(request: Request, site: Site, purpose: Purpose, token: str) -> Response:
    ids = site.ground.keys.read_link_token(purpose, token)
    if ids is None or ids[0] == NOBODY:
        return gone(request, site, "unknown" if ids is None else "sample")
    result = await site.write(partial(_acted, purpose, ids, evidence_of(request), site))
    again = "moved" if purpose is Purpose.MOVE else "undone"  # pressed twice, it is as it was asked for
    state = again if result.outcome == "already" else str(result.outcome)
    return _page(request, site, result, state)


def _acted(
    purpose: Purpose, ids: tuple[int, int], evidence: Evidence, site: Site, connection: Connection
) -> MoveResult:
    verb = moving.finish if purpose is Purpose.MOVE else moving.undo
    return verb(connection, site.ground, *ids, now=site.now(), evidence=evidence)


def _page(request: Request, site: Site, result: MoveResult, state: str) -> Response:
    person = result.person
    one = _list_of(site, result)
    voice = site.pages.voice(request.scope, one, person.language if person else None)
    status = {"unknown": 404, "expired": 410}.get(state, 200)
    email = result.old_email if state == "ask-undo" else result.email
    return site.pages.page(voice, "move", status, state=state, email=email or "")


def _list_of(site: Site, result: MoveResult) -> ListSettings | None:
    keys = [each.list_key for each in result.person.subscriptions] if result.person else []
    return next((site.settings.lists[key] for key in keys if key in site.settings.lists), None)
