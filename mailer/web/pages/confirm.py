"""Confirming a sign-up: the link shows a page with one button, and the button confirms.

Promises: a used link still says that you are subscribed, one that is too old offers a new one, one that is not ours
says so; whatever fetches the link changes nothing.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

import subscribers
from mailer.keys import Purpose
from mailer.letters import joining
from mailer.web.client import network
from mailer.web.pages.tokens import NOBODY, person_of
from mailer.web.site import Here, Site, agent_of, evidence_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from subscribers import Confirmation, Evidence, Person

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)


@router.get("/confirm/{token}")
async def ask(request: Request, token: str, site: Here) -> Response:
    """Show the button, or what stands against it."""
    ids = site.ground.keys.read_link_token(Purpose.CONFIRM, token)
    if ids is None or ids[0] == NOBODY:
        return _page(request, site, token, "unknown" if ids is None else "sample")

    def look(connection: Connection) -> tuple[Confirmation, Person | None]:
        found = subscribers.look_at_sign_up(connection, *ids, site.now())
        return found, person_of(connection, ids[0])

    found, person = await site.read(look)
    return _page(request, site, token, found.outcome, found, person, asking=True)


@router.post("/confirm/{token}")
async def confirm(request: Request, token: str, site: Here) -> Response:
    """Confirm."""
    ids = site.ground.keys.read_link_token(Purpose.CONFIRM, token)
    if ids is None or ids[0] == NOBODY:
        return _page(request, site, token, "unknown" if ids is None else "sample")
    found, person = await site.write(partial(_accept, ids, evidence_of(request), site))
    return _page(request, site, token, found.outcome, found, person)


@router.post("/confirm/{token}/again")
async def again(request: Request, token: str, site: Here) -> Response:
    """Ask for a new link, in place of one that is too old."""
    ids = site.ground.keys.read_link_token(Purpose.CONFIRM, token)
    if ids is None or ids[0] == NOBODY:
        return _page(request, site, token, "unknown" if ids is None else "sample")
    here = network(request)
    asked = {"subscriber": ids[0], "signup": ids[1], "network": here, "agent": agent_of(request)}
    await site.intake.take("renew", here, asked)
    return site.pages.page(site.pages.voice(request.scope), "asked", what="renew")


def _accept(
    ids: tuple[int, int], evidence: Evidence, site: Site, connection: Connection
) -> tuple[Confirmation, Person | None]:
    found = joining.accept(connection, site.ground, *ids, now=site.now(), evidence=evidence)
    return found, person_of(connection, ids[0])


def _page(
    request: Request,
    site: Site,
    token: str,
    state: str,
    found: Confirmation | None = None,
    person: Person | None = None,
    *,
    asking: bool = False,
) -> Response:
    lists = [site.settings.lists[key] for key in (found.lists if found else ()) if key in site.settings.lists]
    one = lists[0] if lists else None
    voice = site.pages.voice(request.scope, one, person.language if person else None)
    status = 404 if state == "unknown" else 200
    names = ", ".join(each.name for each in lists)
    link = site.settings_link(request, person, one) if person and one else ""
    values: dict[str, Any] = {
        "state": state,
        "token": token,
        "names": names,
        "asking": asking,
        "settings_link": link,
    }
    return site.pages.page(voice, "confirm", status, **values)
