"""A reader's own settings, behind the link of every mail: lists, pause, name, language; and the doors to more.

The link is in every mail, and mails are forwarded: so it does what can be taken back. A new address must confirm, and
the old one can undo it; a person's data, and their erasure, want a link that was just sent to their address. A list
that is new to the reader is asked for by a letter, as at any sign-up. The address is shown masked.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import Response

import subscribers
from mailer import events
from mailer.keys import Purpose
from mailer.web.client import network
from mailer.web.forms import Fields, fields, form_shown
from mailer.web.pages.subscribe import is_address
from mailer.web.pages.tokens import NOBODY, Link, gone, link_of, person_of
from mailer.web.pages.unsubscribe import MONTH, READS, months_of
from mailer.web.site import Here, Site, agent_of, evidence_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mailer.settings import ListSettings
    from subscribers import Evidence, Person

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)
_PATH: Final = "/preferences/{token}"


@router.get(_PATH)
async def show(request: Request, token: str, site: Here) -> Response:
    """Show the settings."""
    link = await link_of(site, Purpose.PREFERENCES, token)
    return await _page(request, site, link)


@router.post(_PATH)
async def save(request: Request, token: str, site: Here) -> Response:
    """Save lists, name and language. A body without our own field changes nothing: no mark is a list left."""
    link, given = await link_of(site, Purpose.PREFERENCES, token), await fields(request)
    if not _usable(link) or given.one("save") != "1":
        return await _page(request, site, link)
    asked = set(given.many("list", 100))
    new = await site.write(partial(_save, link, asked, given, evidence_of(request), site))
    person = await site.read(lambda connection: person_of(connection, link.subscriber))
    if new and person is not None:
        await _ask_for(request, site, person, new)
    return await _page(request, site, link, saved=True, letter=bool(new))


@router.post(_PATH + "/pause")
async def pause(request: Request, token: str, site: Here) -> Response:
    """Rest for some months, from every list of the brand."""
    link = await link_of(site, Purpose.PREFERENCES, token)
    if _usable(link):
        until = site.now() + months_of((await fields(request)).one("months", 2)) * MONTH
        await site.write(partial(_pause, link, until, evidence_of(request), site))
    return await _page(request, site, link, saved=True)


@router.post(_PATH + "/resume")
async def resume(request: Request, token: str, site: Here) -> Response:
    """End the pause."""
    link = await link_of(site, Purpose.PREFERENCES, token)
    if _usable(link):
        await site.write(partial(_resume, link, evidence_of(request), site))
    return await _page(request, site, link, saved=True)


@router.post(_PATH + "/address")
async def address(request: Request, token: str, site: Here) -> Response:
    """Ask a new address whether it is one; the answer is the same whoever has it."""
    link = await link_of(site, Purpose.PREFERENCES, token)
    if not _usable(link):
        return await _page(request, site, link)
    email = (await fields(request)).one("email")
    if not is_address(email):
        return await _page(request, site, link, status=422, wrong="address", email=email)
    return await _take(request, site, link, "move", email=email)


@router.post(_PATH + "/data")
async def data(request: Request, token: str, site: Here) -> Response:
    """Send the link to all their data to their address."""
    link = await link_of(site, Purpose.PREFERENCES, token)
    return await _take(request, site, link, "data") if _usable(link) else await _page(request, site, link)


@router.post(_PATH + "/erase")
async def erase(request: Request, token: str, site: Here) -> Response:
    """Send the link that erases them to their address."""
    link = await link_of(site, Purpose.PREFERENCES, token)
    return await _take(request, site, link, "erase") if _usable(link) else await _page(request, site, link)


def _usable(link: Link | None) -> TypeGuard[Link]:
    return link is not None and link.list is not None and link.subscriber != NOBODY


def _save(
    link: Link, asked: set[str], given: Fields, evidence: Evidence, site: Site, connection: Connection
) -> list[str]:
    """Save; give the lists that a letter must ask about."""
    now, person = site.now(), person_of(connection, link.subscriber)
    if person is None or link.list is None:
        return []
    new = []
    for one in site.siblings(link.list):
        mine = person.subscription(one.key)
        reads = mine is not None and mine.state in READS
        if reads and one.key not in asked:
            subscribers.unsubscribe(connection, person.id, one.key, now, "preferences", evidence)
            _record(connection, "reader.unsubscribed", person, one.key, site)
        elif not reads and one.key in asked:
            if subscribers.come_back(connection, person.id, one.key, now, evidence):
                _record(connection, "reader.came-back", person, one.key, site)
            else:
                new.append(one.key)
    language = site.pages.catalogue(link.list).known(given.one("language", 35))
    subscribers.set_profile(connection, person.id, now, name=given.one("name", 200), language=language)
    return new


def _record(connection: Connection, kind: str, person: Person, key: str, site: Site) -> None:
    events.record(connection, kind, str(person.id), site.now(), "reader", list=key, how="preferences")


def _pause(link: Link, until: Any, evidence: Evidence, site: Site, connection: Connection) -> None:
    for key in _brand(link, site, connection):
        subscribers.pause(connection, link.subscriber, key, site.now(), "preferences", until, evidence)


def _resume(link: Link, evidence: Evidence, site: Site, connection: Connection) -> None:
    for key in _brand(link, site, connection):
        subscribers.resume(connection, link.subscriber, key, site.now(), "preferences", evidence)


def _brand(link: Link, site: Site, connection: Connection) -> list[str]:
    """Give the lists of the link's brand that its reader is on."""
    person = person_of(connection, link.subscriber)
    if person is None or link.list is None:
        return []
    return [one.key for one in site.siblings(link.list) if person.subscription(one.key)]


async def _ask_for(request: Request, site: Site, person: Person, keys: Sequence[str]) -> None:
    """Let a letter ask about lists that are new to a reader."""
    lists = [site.settings.lists[key] for key in keys]
    voice = site.pages.voice(request.scope, lists[0], person.language)
    form, here = form_shown("page", voice.language, lists), network(request)
    asked = {
        "email": person.email,
        "lists": list(keys),
        "form": [form.version, form.text],
        "network": here,
        "agent": agent_of(request),
        "language": voice.language,
    }
    await site.intake.take("subscribe", here, asked)


async def _take(request: Request, site: Site, link: Link, kind: str, **more: str) -> Response:
    here = network(request)
    asked = {"subscriber": link.subscriber, "list": link.key, "network": here, "agent": agent_of(request)}
    await site.intake.take(kind, here, {**asked, **more})
    person = await site.read(lambda connection: person_of(connection, link.subscriber))
    voice = site.pages.voice(request.scope, link.list, person.language if person else None)
    return site.pages.page(voice, "asked", what=kind, back=f"../{link.token}")


async def _page(
    request: Request, site: Site, link: Link | None, *, status: int = 200, **more: Any
) -> Response:
    if not _usable(link) or link.list is None:
        sample = link is not None and link.subscriber == NOBODY
        return gone(request, site, "sample" if sample else "unknown")
    person = await site.read(lambda connection: person_of(connection, link.subscriber))
    if person is None:
        return gone(request, site, "erased", link.list)
    lists = [_shown(person, one) for one in site.siblings(link.list)]
    return site.pages.page(
        site.pages.voice(request.scope, link.list, person.language),
        "preferences",
        status,
        token=link.token,
        person=person,
        lists=lists,
        languages=site.pages.catalogue(link.list).languages,
        any_paused=any(one["paused"] for one in lists),
        unreachable=person.address_state == "unreachable",
        **{"email": "", **more},
    )


def _shown(person: Person, one: ListSettings) -> dict[str, Any]:
    """Give how a reader stands to a list, as the page shows it."""
    mine = person.subscription(one.key)
    state = mine.state if mine else ""
    return {
        "key": one.key,
        "name": one.name,
        "on": state in READS,
        "paused": state == "paused",
        "until": mine.paused_until if mine else None,
        "pending": state == "pending",
    }
