"""Leaving, with one click (RFC 8058): GET shows a page with a button and changes nothing, POST leaves at once.

Promises: a POST to the link is enough, whatever its body says: no cookie, no question, no redirect, no limit by
network, twice or a hundred times; the token does not expire. It is one short transaction: the leaving, its evidence
and its event stand together or not at all. Afterwards, never before: why, what else, a pause, and for a day the way
back.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from fastapi import APIRouter
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation
from starlette.responses import PlainTextResponse, Response

import subscribers
from mailer import events
from mailer.keys import Purpose
from mailer.web.forms import fields
from mailer.web.pages.tokens import NOBODY, Link, gone, link_of, person_of
from mailer.web.site import Here, Site, evidence_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from subscribers import Evidence, Person

router: Final = APIRouter(include_in_schema=False, default_response_class=Response)
REASONS: Final = frozenset({"too-many", "not-for-me", "never-asked", "unreadable", "other"})
READS: Final = frozenset({"pending", "active", "paused"})
MONTH: Final = timedelta(days=30)
MOST_MONTHS: Final = 12


@router.get("/unsubscribe/{token}")
async def ask(request: Request, token: str, site: Here) -> Response:
    """Show the button."""
    link = await link_of(site, Purpose.UNSUBSCRIBE, token)
    if link is None or link.key is None or link.subscriber == NOBODY:
        return gone(request, site, "unknown" if link is None or link.subscriber != NOBODY else "sample")
    state = "ask" if await site.read(partial(_reads, link)) else "done"
    return await _page(request, site, link, state)


@router.post("/unsubscribe/{token}")
async def leave(request: Request, token: str, site: Here) -> Response:
    """Leave. Our own page says that it asks, and is answered with a page; a mail program with a line of text."""
    link = await link_of(site, Purpose.UNSUBSCRIBE, token)
    if link is None:
        return gone(request, site, "unknown")
    by_page = b"page=1" in await request.body()
    how = "page" if by_page else "one-click"
    if link.key is not None and link.subscriber != NOBODY:
        work = partial(_leave, link.subscriber, (link.key,), how, evidence_of(request), site)
        await site.write(work)
    if not by_page:
        return PlainTextResponse("You are unsubscribed.\n")
    if link.subscriber == NOBODY:
        return gone(request, site, "sample")
    return await _page(request, site, link, "done")


@router.post("/unsubscribe/{token}/back")
async def back(request: Request, token: str, site: Here) -> Response:
    """Take the leaving back, within a day."""
    return await _returned(request, site, token, until=None)


@router.post("/unsubscribe/{token}/pause")
async def pause(request: Request, token: str, site: Here) -> Response:
    """Take the leaving back, and rest for some months."""
    months = (await fields(request)).one("months", 2)
    return await _returned(request, site, token, until=site.now() + months_of(months) * MONTH)


@router.post("/unsubscribe/{token}/others")
async def others(request: Request, token: str, site: Here) -> Response:
    """Leave other lists of the same brand, too."""
    link = await link_of(site, Purpose.UNSUBSCRIBE, token)
    if link is None or link.list is None or link.subscriber == NOBODY:
        return gone(request, site, "unknown")
    asked = set((await fields(request)).many("list"))
    keys = tuple(one.key for one in site.siblings(link.list) if one.key in asked)
    await site.write(partial(_leave, link.subscriber, keys, "page", evidence_of(request), site))
    return await _page(request, site, link, "done")


@router.post("/unsubscribe/{token}/reason")
async def reason(request: Request, token: str, site: Here) -> Response:
    """Note why; only one of our own words, for what people write by hand may name others."""
    link = await link_of(site, Purpose.UNSUBSCRIBE, token)
    if link is None or link.subscriber == NOBODY:
        return gone(request, site, "unknown")
    why = (await fields(request)).one("reason", 20)
    if why in REASONS:
        await site.write(partial(_note, link, why, site))
    return await _page(request, site, link, "done", thanks=True)


def months_of(text: str) -> int:
    """Give a number of months that a pause may last."""
    return min(max(int(text), 1), MOST_MONTHS) if text.isascii() and text.isdigit() else 1


def _reads(link: Link, connection: Connection) -> bool:
    person = person_of(connection, link.subscriber)
    mine = person.subscription(link.key or "") if person else None
    return mine is not None and mine.state in READS


def _leave(
    subscriber: int,
    keys: tuple[str, ...],
    how: str,
    evidence: Evidence,
    site: Site,
    connection: Connection,
) -> None:
    now = site.now()
    for key in keys:
        left = subscribers.unsubscribe(connection, subscriber, key, now, how, evidence)
        if left:
            events.record(
                connection, "reader.unsubscribed", str(subscriber), now, "reader", list=key, how=how
            )


def _note(link: Link, why: str, site: Site, connection: Connection) -> None:
    """Write a reason down once for each leaving: who asks twice changes nothing."""
    subject = str(link.subscriber)
    last = events.latest(connection, "reader.unsubscribed", subject)
    told = events.latest(connection, "reader.told-why", subject)
    if last is not None and (told is None or told.id < last.id):
        events.record(connection, "reader.told-why", subject, site.now(), "reader", list=link.key, reason=why)


async def _returned(request: Request, site: Site, token: str, until: Any) -> Response:
    link = await link_of(site, Purpose.UNSUBSCRIBE, token)
    if link is None or link.list is None or link.subscriber == NOBODY:
        return gone(request, site, "unknown")
    came = await site.write(partial(_come_back, link, evidence_of(request), until, site))
    state = ("paused" if until else "back") if came else "late"
    return await _page(request, site, link, state, until=until)


def _come_back(link: Link, evidence: Evidence, until: Any, site: Site, connection: Connection) -> bool:
    now = site.now()
    if person_of(connection, link.subscriber) is None:
        return False
    came = subscribers.come_back(connection, link.subscriber, link.key, now, evidence)
    mine = subscribers.get(connection, link.subscriber).subscription(link.key or "")
    if came:
        events.record(
            connection, "reader.came-back", str(link.subscriber), now, "reader", list=link.key, how="page"
        )
    elif mine is None or mine.state not in READS:
        return False
    if until is not None:
        subscribers.pause(connection, link.subscriber, link.key, now, "page", until, evidence)
    return True  # pressed twice, it is as it was asked for


async def _page(request: Request, site: Site, link: Link, state: str, **more: Any) -> Response:
    """Give the page; what it tells of the reader is read now."""

    def known(connection: Connection) -> tuple[Person | None, tuple[str, ...]]:
        person = person_of(connection, link.subscriber)
        return person, subscribers.may_come_back(connection, link.subscriber, site.now()) if person else ()

    person, returns = await site.read(known)
    if person is None:
        return gone(request, site, "erased", link.list)
    siblings = site.siblings(link.list) if link.list else ()
    reads = {one.list_key for one in person.subscriptions if one.state in READS}
    return site.pages.page(
        site.pages.voice(request.scope, link.list, person.language),
        "unsubscribe",
        state=state,
        token=link.token,
        key=link.key,
        name=link.name,
        email=person.email,
        settings_token=site.ground.keys.link_token(Purpose.PREFERENCES, link.subscriber, link.list_id),
        others=[one for one in siblings if one.key in reads and one.key != link.key],
        way_back=link.key in returns,
        ask_why=not more.get("thanks"),
        **more,
    )
