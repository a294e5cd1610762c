"""A ground to stand on: settings from a mailer.toml, keys, and a database with its lists."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx

from mailer.database import register, writing
from mailer.delivery.ground import Ground
from mailer.keys import load_keys
from mailer.settings import load_settings
from subscribers import ensure_lists

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

UUID_OF_ALL = UUID("5b1c9c1e-62f4-4b8e-9d39-2f1f6f3d7c11")
HEAD = f"""id = "{UUID_OF_ALL}"
from = "Slack Water <news@slackwater.example>"
public_url = "https://news.slackwater.example"
return_path = "bounces@slackwater.example"
"""
KEYS = load_keys(None, "a passphrase that is long enough for all")
NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that tests move."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **delta: float) -> None:
        self.now += timedelta(**delta)


def ground_on(engine: Engine, folder: Path, toml: str = "", clock: Clock | None = None) -> Ground:
    """Give a ground whose settings are HEAD and `toml`."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / "mailer.toml").write_text(HEAD + toml, encoding="utf-8")
    settings = load_settings(folder, {})
    clock = clock or Clock()
    with writing(engine) as connection:
        register(connection, settings.id, clock())
        ensure_lists(connection, settings.lists, clock())
    return Ground(settings, KEYS, engine, [], clock=clock)


class Web:
    """An application, asked without a network; what falls over inside is answered as a server would: 500."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://news.example") as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)
