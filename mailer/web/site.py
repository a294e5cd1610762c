"""What every page stands on: the ground, the writer, the pages, and which list a token or a visitor speaks of."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, TypeVar
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.requests import Request  # noqa: TC002 - FastAPI reads the annotation

from mailer.database import reading
from mailer.keys import Purpose
from mailer.web.budgets import Allowance
from mailer.web.client import network
from mailer.web.rendering import path_asked, up
from subscribers import Evidence, ensure_lists

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.settings import ListSettings, Settings
    from mailer.settings.web import WebSettings
    from mailer.web.intake import Intake
    from mailer.web.rendering import Pages
    from mailer.web.writer import Writer
    from subscribers import Person

T = TypeVar("T")
DAY, HOUR = 86_400.0, 3_600.0
LONGEST_AGENT = 200


@dataclass(slots=True)
class Site:
    """One newsletter, as its pages see it."""

    ground: Ground
    writer: Writer
    pages: Pages
    intake: Intake = field(init=False)
    wake: asyncio.Event = field(
        default_factory=asyncio.Event
    )  # something was asked for: the intake looks at once
    _keys: dict[int, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        """mailer.toml."""
        return self.ground.settings

    @property
    def web(self) -> WebSettings:
        """Its [web]."""
        return self.ground.settings.web

    @property
    def address_budget(self) -> Allowance:
        """The letters that forms may cause to one address."""
        return Allowance(self.web.address_per_day, DAY)

    @property
    def network_budget(self) -> Allowance:
        """The forms that one network may fill in."""
        return Allowance(self.web.network_per_hour, HOUR)

    @property
    def whole_budget(self) -> Allowance:
        """The letters that forms may cause in all."""
        return Allowance(self.web.all_per_hour, HOUR)

    def now(self) -> datetime:
        """Give the time."""
        return self.ground.clock()

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Do a piece of SQL in the one writing thread, and give what it gives once it is committed."""
        return await self.writer.do(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Do a piece of SQL that changes nothing, in a thread, on one moment of the database."""

        def once() -> T:
            with reading(self.ground.database) as connection:
                return work(connection)

        return await asyncio.to_thread(once)

    def know_lists(self, connection: Connection) -> None:
        """Make the lists of mailer.toml known to the database, and their ids to us."""
        lists = self.settings.lists
        brands = {key: one.brand or "" for key, one in lists.items()}
        ids = ensure_lists(connection, lists, self.now(), brands=brands)
        self._keys.update({list_id: key for key, list_id in ids.items()})

    def settings_link(self, request: Request, person: Person, one: ListSettings) -> str:
        """Give the way from the page that is asked for to a reader's settings."""
        ids = {key: list_id for list_id, key in self._keys.items()}
        if one.key not in ids:
            return ""
        token = self.ground.keys.link_token(Purpose.PREFERENCES, person.id, ids[one.key])
        return f"{up(path_asked(request.scope))}preferences/{token}"

    def list_of(self, list_id: int) -> ListSettings | None:
        """Give the list of an id that a token carries; None for one that mailer.toml has no more."""
        return self.settings.lists.get(self._keys.get(list_id, ""))

    def lists_at(self, host: str) -> Sequence[ListSettings]:
        """Give the lists whose public_url is at this host; all of them where none is."""
        every = tuple(self.settings.lists.values())
        return tuple(one for one in every if _host(one) == host.lower()) or every

    @property
    def open_lists(self) -> Mapping[str, ListSettings]:
        """The lists that somebody can sign up for: without a public_url a letter could hold no link."""
        return {key: one for key, one in self.settings.lists.items() if one.public_url}

    def siblings(self, one: ListSettings) -> Sequence[ListSettings]:
        """Give the lists of the same brand, this one among them."""
        return tuple(other for other in self.settings.lists.values() if other.brand == one.brand)


def site_of(request: Request) -> Site:
    """Give the site that answers this request."""
    site: Site = request.app.state.site
    return site


async def _here(request: Request) -> Site:
    """Give the site, without the thread that FastAPI starts for what is not async."""
    return site_of(request)


Here = Annotated[Site, Depends(_here)]
"""What a page's function asks for to be given its site."""


def evidence_of(request: Request, **details: object) -> Evidence:
    """Give where a request came from, as the evidence keeps it: a network and a program, never an address."""
    return Evidence(network(request), agent_of(request), details)


def agent_of(request: Request) -> str:
    """Give the program that asks, in its own words, cut and made printable."""
    said = request.headers.get("user-agent", "")[:LONGEST_AGENT]
    return "".join(letter for letter in said if letter.isprintable())


def _host(one: ListSettings) -> str:
    return urlsplit(one.public_url or "").netloc.lower()
