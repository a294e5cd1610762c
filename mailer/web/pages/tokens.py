"""From a link's token to whom it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING

import subscribers
from subscribers import UnknownSubscriber, list_ids

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response

    from mailer.keys import Purpose
    from mailer.settings import ListSettings
    from mailer.web.site import Site
    from subscribers import Person

NOBODY = 0  # the reader of test mails and samples


@dataclass(frozen=True, slots=True)
class Link:
    """What a genuine link says: a reader and a list; `key` is None for a list that nobody knows any more."""

    token: str
    subscriber: int
    list_id: int
    key: str | None
    list: ListSettings | None

    @property
    def name(self) -> str:
        """The list's name."""
        return self.list.name if self.list else self.key or ""


async def link_of(site: Site, purpose: Purpose, token: str) -> Link | None:
    """Give what a token says of (subscriber, list), or None for one that we did not make for this purpose."""
    ids = site.ground.keys.read_link_token(purpose, token)
    if ids is None:
        return None
    one = site.list_of(ids[1])
    key = one.key if one else await site.read(lambda connection: _key_of(connection, ids[1]))
    return Link(token, ids[0], ids[1], key, one)


def _key_of(connection: Connection, list_id: int) -> str | None:
    """Give the key of a list that mailer.toml has no more."""
    return next((key for key, value in list_ids(connection).items() if value == list_id), None)


def person_of(connection: Connection, subscriber_id: int) -> Person | None:
    """Give a reader who is still known; None for one who was erased or never was."""
    try:
        person = subscribers.get(connection, subscriber_id)
    except UnknownSubscriber:
        return None
    return person if person.email is not None else None


def gone(request: Request, site: Site, state: str, one: ListSettings | None = None) -> Response:
    """Give the page for a link that leads nowhere: `unknown` (404), `erased`, `expired` (410) or `sample`."""
    status = {"unknown": HTTPStatus.NOT_FOUND, "expired": HTTPStatus.GONE}.get(state, HTTPStatus.OK)
    return site.pages.page(site.pages.voice(request.scope, one), "gone", status, state=state)
