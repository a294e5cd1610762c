"""A newsletter that writes letters: two lists of one brand and one of another, on each of the two databases."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mailer import events
from mailer.database import writing
from mailer.delivery.ground import Ground
from mailer.delivery.tables import letters
from mailer.keys import Key, Keys
from mailer.letters import joining
from mailer.settings import load_settings
from subscribers import Form

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import EmailMessage
    from pathlib import Path

    from sqlalchemy import Engine

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
FORM = Form("1", "Get the news. Leave with one click.")
KEYS = Keys((Key(0, b"s" * 32),))
SETTINGS = """
id = "6f1ff6f5-6a27-4d9c-9d7c-6d1f6c1f2a3b"
name = "The Pier"
from = "Ann Editor <news@pier.example>"
reply_to = "ann@pier.example"
postal_address = "1 Pier Road\\nHusum"
public_url = "https://news.pier.example"
operator = "ops@pier.example"
time_zone = "Europe/Berlin"

[lists.main]
name = "The Pier Weekly"
brand = "pier"
[lists.daily]
name = "The Pier Daily"
brand = "pier"
language = "de"
[lists.other]
name = "Other"
[brands.pier]
"""


@dataclass
class Post:
    """The newsletter, its clock, and the letters that it wrote."""

    ground: Ground
    now: datetime = NOON

    def later(self, **step: float) -> datetime:
        """Go on, by a second or by `step`."""
        self.now += timedelta(**step) if step else timedelta(seconds=1)
        return self.now

    def do(self, verb: Callable[..., Any], *words: Any, **more: Any) -> Any:
        """Call a verb in a transaction of its own."""
        with writing(self.ground.database) as connection:
            return verb(connection, self.ground, *words, now=self.later(), **more)

    def request(self, address: str = "bob@reader.example", *lists: str, **more: Any) -> Any:
        """Sign somebody up."""
        given = {"email": address, "list_keys": lists or ("main",), "form": FORM} | more
        return self.do(joining.request, **given)

    def letters(self) -> list[EmailMessage]:
        """Give what was written, oldest first."""
        with writing(self.ground.database) as connection:
            contents = connection.scalars(select(letters.c.content).order_by(letters.c.id)).all()
        return [email.message_from_bytes(each, policy=email.policy.default) for each in contents]  # type: ignore[misc]

    def purposes(self) -> list[str]:
        """Give the purposes of all letters."""
        with writing(self.ground.database) as connection:
            return list(connection.scalars(select(letters.c.purpose).order_by(letters.c.id)))

    def events(self) -> list[str]:
        """Give the kinds of what happened."""
        with writing(self.ground.database) as connection:
            return list(connection.scalars(select(events.events.c.kind).order_by(events.events.c.id)))

    def link(self, path: str) -> str:
        """Give the token of the newest letter's link to a page."""
        found = re.findall(rf"https://news\.pier\.example/{path}/([\w-]+)", text_of(self.letters()[-1]))
        assert found
        return str(found[0])


def text_of(message: EmailMessage, kind: str = "plain") -> str:
    """Give a part of a letter."""
    part = message.get_body(preferencelist=(kind,))
    assert part is not None
    return str(part.get_content())


def grounded(folder: Path, engine: Engine, settings: str = SETTINGS) -> Ground:
    """Give the ground of a newsletter."""
    (folder / "mailer.toml").write_text(settings, encoding="utf-8")
    return Ground(load_settings(folder, {}), KEYS, engine, ())


@pytest.fixture
def post(engine: Engine, tmp_path: Path) -> Post:
    return Post(grounded(tmp_path, engine))


@pytest.fixture
def with_welcome(post: Post, tmp_path: Path) -> Callable[[str], Post]:
    """Give the main list a welcome letter."""

    def make(text: str) -> Post:
        (tmp_path / "welcome.md").write_text(text, encoding="utf-8")
        settings = SETTINGS.replace(
            'name = "The Pier Weekly"', 'name = "The Pier Weekly"\nwelcome = "welcome.md"'
        )
        post.ground = replace(
            post.ground, settings=grounded(tmp_path, post.ground.database, settings).settings
        )
        return post

    return make
