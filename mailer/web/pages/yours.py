"""All that is held about a person, and their erasure: behind links that were just sent to their address, for an hour.

GET shows a button; what it would show or do waits for the POST, so that nothing which fetches links learns or ends
anything.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

from mailer import privacy
from mailer.keys import Purpose
from mailer.web.pages.tokens import gone, person_of
from mailer.web.site import Here, Site  # noqa: TC001 - FastAPI reads the annotation

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.settings import ListSettings
    from subscribers import Person

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/data/{token}")
async def ask_data(request: Request, token: str, site: Here) -> Response:
    """Show the button that gives the data."""
    found = await _person(request, site, Purpose.DATA, token)
    return found if isinstance(found, Response) else _page(request, site, found, "data")


@router.post("/data/{token}")
async def data(request: Request, token: str, site: Here) -> Response:
    """Give all that is held about them, as a file."""
    found = await _person(request, site, Purpose.DATA, token)
    if isinstance(found, Response):
        return found
    held = await site.read(lambda connection: privacy.held(connection, found.id))
    text = json.dumps(held, ensure_ascii=False, indent=2, default=str)
    headers = {"Content-Disposition": 'attachment; filename="my-data.json"'}
    return Response(text.encode("utf-8", "replace"), 200, headers, "application/json")


@router.get("/erase/{token}")
async def ask_erase(request: Request, token: str, site: Here) -> Response:
    """Show the button that erases."""
    found = await _person(request, site, Purpose.ERASE, token)
    return found if isinstance(found, Response) else _page(request, site, found, "erase")


@router.post("/erase/{token}")
async def erase(request: Request, token: str, site: Here) -> Response:
    """Erase them everywhere."""
    found = await _person(request, site, Purpose.ERASE, token)
    if isinstance(found, Response):
        return found
    addresses = await site.write(partial(_erase, found, site))
    await asyncio.to_thread(privacy.sweep, site.settings.state, site.ground.database, addresses)
    return gone(request, site, "erased", _list_of(site, found))


def _erase(person: Person, site: Site, connection: Connection) -> tuple[str, ...]:
    return privacy.erase(connection, person.id, now=site.now(), actor="reader")


async def _person(request: Request, site: Site, purpose: Purpose, token: str) -> Person | Response:
    timed = site.ground.keys.read_timed_token(purpose, token)
    if timed is None:
        return gone(request, site, "unknown")
    person = await site.read(lambda connection: person_of(connection, timed.subscriber))
    if person is None:
        return gone(request, site, "erased")
    return gone(request, site, "expired", _list_of(site, person)) if timed.expired(site.now()) else person


def _page(request: Request, site: Site, person: Person, state: str) -> Response:
    voice = site.pages.voice(request.scope, _list_of(site, person), person.language)
    return site.pages.page(voice, "yours", state=state)


def _list_of(site: Site, person: Person) -> ListSettings | None:
    keys = (each.list_key for each in person.subscriptions)
    return next((site.settings.lists[key] for key in keys if key in site.settings.lists), None)
