"""A newsletter that hears what comes back: a world of readers on the ground of a mailer.toml, and its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from mailer.database import reading
from mailer.delivery.ground import Ground
from mailer.delivery.tables import letters
from mailer.events import events
from mailer.feedback.intake import Heard, hear_mail, keeping
from mailer.keys import Purpose
from mailer.settings import load_settings
from tests.feedback.conftest import KEYS, World
from tests.feedback.systems import PATH, TOKEN

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS = """
id = "5d3a1f7e-8c1b-4f0e-9f57-3a2f0d6b9c11"
name = "The Weekly"
from = "The Weekly <news@weekly.example>"
postal_address = "The Weekly, 1 Quay"
public_url = "https://news.weekly.example"
return_path = "bounce@weekly.example"
unsubscribe_mailto = "leave@weekly.example"
operator = "desk@weekly.example"

[feedback]
piped = true
poll_seconds = 1
"""


@dataclass
class House:
    """What hears, and whom it knows."""

    world: World
    ground: Ground

    def path(self, email: str, sent: int) -> str:
        """Give the return path of a reader's copy."""
        return f"bounce+{self.world.token(email, sent)}@weekly.example"

    def leave(self, email: str) -> str:
        """Give the token of a reader's unsubscribe address."""
        return KEYS.mail_token(Purpose.UNSUBSCRIBE, self.world.person(email).id, self.world.list_id)

    def returned(self, raw: bytes, email: str, sent: int) -> bytes:
        """Give a report as if it were about a reader's copy of ours, with its token everywhere."""
        message_id = KEYS.mail_token(Purpose.MESSAGE_ID, self.world.person(email).id, sent)
        own = raw.replace(PATH.encode(), self.path(email, sent).encode())
        return own.replace(TOKEN.encode(), message_id.encode())

    def hear(self, raw: bytes, **envelope: str) -> Heard:
        """Hear a mail."""
        return hear_mail(self.ground, raw, channel="test", **envelope)  # type: ignore[arg-type]

    def kept(self) -> dict[str, int]:
        """Count what nobody understood."""
        with reading(self.ground.database) as connection:
            return keeping.waiting(connection)

    def events(self, kind: str) -> list[str]:
        """Give the subjects of events of a kind."""
        with reading(self.ground.database) as connection:
            return list(connection.scalars(select(events.c.subject).where(events.c.kind == kind)))

    def letters(self) -> int:
        """Count the letters that were written."""
        with reading(self.ground.database) as connection:
            return connection.scalar(select(func.count()).select_from(letters)) or 0

    def state(self, email: str) -> str:
        """Give the state of a reader's address."""
        return str(self.world.person(email).address_state)

    def lists(self, email: str) -> list[str]:
        """Give the states of a reader's subscriptions."""
        return [str(each.state) for each in self.world.person(email).subscriptions]


def housed(world: World, folder: Path, more: str = "") -> House:
    """Give a house on a world."""
    (folder / "mailer.toml").write_text(SETTINGS + more, encoding="utf-8")
    settings = load_settings(folder, {})
    return House(world, Ground(settings, KEYS, world.engine, (), clock=lambda: world.now))
