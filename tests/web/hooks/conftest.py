"""A reception with every provider set up, and what it took."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI

from mailer.web.hooks import router
from mailer.web.hooks.reception import Reception
from tests.web.hooks import senders
from tests.web.hooks.standing import Clock, Web, ground_on

if TYPE_CHECKING:
    from pathlib import Path

    from httpx import Response
    from sqlalchemy import Engine

    from mailer.delivery.ground import Ground
    from mailer.feedback.model import Notice


def toml() -> str:
    return f"""
[hooks.ses]
topics = ["{senders.TOPIC}"]
[hooks.postmark]
username = "postmark"
header = "X-Hook-Secret"
secret_file = "postmark.password"
[hooks.sendgrid]
public_key = "{senders.sendgrid_public_key()}"
[hooks.mailgun]
secret_file = "mailgun.key"
[hooks.relay]
kind = "generic"
secret_file = "relay.key"
"""


@dataclass
class Office:
    """Where providers post, and what came of it."""

    ground: Ground
    clock: Clock
    client: Web
    notices: list[Notice] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    pages: dict[str, bytes] = field(default_factory=dict)
    failing: bool = False

    def post(self, name: str, sent: senders.Sent) -> Response:
        return self.client.post(f"/hooks/{name}", content=sent.body, headers=sent.headers)

    def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.pages.get(url) or senders.certificate()

    def take(
        self, _connection: Any, _keys: Any, notices: list[Notice], _now: Any, *, channel: str, wire: Any
    ) -> None:
        if self.failing:
            raise RuntimeError("the policy fell over")
        assert channel.startswith("hook:")
        assert wire == self.ground.settings.tripwire
        self.notices += notices


@pytest.fixture
def office(engine: Engine, tmp_path: Path) -> Office:
    folder = tmp_path / "newsletter"
    folder.mkdir()
    (folder / "postmark.password").write_text(senders.PASSWORD + "\n", encoding="utf-8")
    (folder / "mailgun.key").write_text(senders.SIGNING_KEY)
    (folder / "relay.key").write_text(senders.WHSEC)
    clock = Clock()
    app = FastAPI()
    app.include_router(router)
    app.state.ground = ground_on(engine, folder, toml(), clock)
    made = Office(app.state.ground, clock, Web(app))
    app.state.reception = Reception(app.state.ground, made.fetch, made.take)
    return made
