"""A newsletter on the web: its ground, the application called without a network, and letters as they were written."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any, Self

import httpx
import pytest
from sqlalchemy import select

from mailer.database import open_engine, reading, register, writing
from mailer.delivery.ground import Ground
from mailer.delivery.tables import letters
from mailer.keys import Key, Keys, Purpose
from mailer.settings import load_settings
from mailer.web import create_app
from subscribers import add, ensure_lists, get, list_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import EmailMessage
    from pathlib import Path

    from fastapi import FastAPI

    from subscribers import Person

NOW = datetime(2026, 7, 14, 9, 52, tzinfo=UTC)
KEYS = Keys((Key(1, bytes(range(32))), Key(0, bytes(range(1, 33)))))
PUBLIC = "https://letters.example.org"
TOML = f"""
id = "5a1c6a7e-3c0d-4b57-9d0e-72aa10c0ffee"
name = "The Kiosk"
from = "The Kiosk <news@example.org>"
postal_address = "1 Example Street\\n12345 Example Town"
public_url = "{PUBLIC}"

[lists.main]
name = "The Kiosk Weekly"

[lists.extra]
name = "The Kiosk Extra"

[lists.wochenblatt]
name = "Wochenblatt"
brand = "blatt"
language = "de"

[brands.blatt]
name = "Blatt"
"""


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class House:
    """One newsletter, as its tests see it."""

    ground: Ground
    clock: Clock
    app: FastAPI = field(init=False)

    def __post_init__(self) -> None:
        self.app = create_app(self.ground)

    @property
    def site(self) -> Any:
        return self.app.state.site

    def reader(self, email: str = "ada@example.org", *lists: str, **more: Any) -> Person:
        """Give an active reader of these lists (main)."""
        with writing(self.ground.database) as connection:
            brands = {key: one.brand or "" for key, one in self.ground.settings.lists.items()}
            ensure_lists(connection, self.ground.settings.lists, self.clock(), brands=brands)
            for key in lists or ("main",):
                person = add(
                    connection, email=email, list_key=key, now=self.clock(), hash_key=KEYS.suppression,
                    basis="test", **more,
                )  # fmt: skip
        return person

    def person(self, subscriber_id: int) -> Person:
        with reading(self.ground.database) as connection:
            return get(connection, subscriber_id)

    def state(self, subscriber_id: int, key: str = "main") -> str | None:
        mine = self.person(subscriber_id).subscription(key)
        return str(mine.state) if mine else None

    def token(self, purpose: Purpose, subscriber_id: int, key: str = "main") -> str:
        with reading(self.ground.database) as connection:
            return KEYS.link_token(purpose, subscriber_id, list_ids(connection)[key])

    def letters(self, purpose: str = "") -> list[EmailMessage]:
        """Give the letters that were written, oldest first."""
        query = select(letters.c.content).order_by(letters.c.id)
        if purpose:
            query = query.where(letters.c.purpose == purpose)
        with reading(self.ground.database) as connection:
            return [message_from_bytes(raw, policy=default) for raw in connection.scalars(query)]  # type: ignore[misc]

    def rows(self, query: Any) -> list[Any]:
        with reading(self.ground.database) as connection:
            return list(connection.execute(query).all())


def link_in(letter: EmailMessage, path: str) -> str:
    """Give the path of the first link of a letter that begins so."""
    body = letter.get_body(("plain",))
    assert body is not None
    match = re.search(rf"{PUBLIC}(/{path}/[\w-]+)", body.get_content())
    assert match is not None, body.get_content()
    return match[1]


@pytest.fixture
def make_house(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Callable[..., House]]:
    """Make newsletters on SQLite; `toml` is added to mailer.toml."""
    made: list[House] = []

    def make(toml: str = "", url: str | None = None, **more: Any) -> House:
        folder = tmp_path / f"letters{len(made)}"
        folder.mkdir(exist_ok=True)
        (folder / "mailer.toml").write_text(TOML + toml, encoding="utf-8")
        settings = load_settings(folder, {})
        if url is None:
            shutil.copy(migrated_sqlite, folder / "test.db")
            url = f"sqlite:///{folder / 'test.db'}"
        database = open_engine(url)
        with writing(database) as connection:
            register(connection, settings.id, NOW)
        clock = Clock()
        house = House(replace(Ground(settings, KEYS, database, ()), clock=clock, **more), clock)
        made.append(house)
        return house

    yield make
    for house in made:
        house.ground.database.dispose()


@pytest.fixture
def house(make_house: Callable[..., House]) -> House:
    return make_house()


@dataclass
class Visit:
    """A client of a running application, and the waiting for what it works off."""

    house: House
    client: httpx.AsyncClient

    async def __aenter__(self) -> Self:
        self._life = self.house.app.router.lifespan_context(self.house.app)
        await self._life.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()
        await self._life.__aexit__(None, None, None)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.client.get(path, **more)

    async def post(self, path: str, data: Any = None, **more: Any) -> httpx.Response:
        return await self.client.post(path, data=data, **more)

    async def worked_off(self) -> None:
        """Wait until nothing that was asked for waits."""
        from sqlalchemy import func

        from mailer.web.tables import requests

        for _ in range(600):
            ((waiting,),) = self.house.rows(select(func.count()).select_from(requests))
            if not waiting:
                return
            await asyncio.sleep(0.02)
        raise AssertionError("requests still wait")


def visit(house: House, address: str = "203.0.113.7") -> Visit:
    """Open the application for one client at an address."""
    transport = httpx.ASGITransport(house.app, client=(address, 40000))
    return Visit(house, httpx.AsyncClient(transport=transport, base_url=PUBLIC))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits longer than it must."""
    from mailer.web import intake

    monkeypatch.setattr(intake, "PAUSE", 0.0)
    monkeypatch.setattr(intake, "LOOK", 0.05)
