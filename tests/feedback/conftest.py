"""A database with readers who were mailed, and mails that our own hands wrote in the manner of many systems."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from mailer.database import reading, writing
from mailer.delivery import ledger, mailing
from mailer.delivery.audience import Planner
from mailer.delivery.model import Settlement
from mailer.delivery.segments import plain
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries
from mailer.edition import Edition
from mailer.feedback.model import Evidence, Kind, Notice, Permanence
from mailer.feedback.tables import notices
from mailer.feedback.taking import Taken, take
from mailer.keys import Key, Keys, Purpose
from subscribers import Person, add, audience, ensure_lists, find

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
KEYS = Keys((Key(0, b"k" * 32),))


def edition(number: int) -> Edition:
    """Give a small edition."""
    return Edition(
        file=f"issues/{number}.md",
        number=number,
        slug=f"issue-{number}",
        subject=("An issue",),
        preheader="",
        date=None,
        language="en",
        direction="ltr",
        html=("<p>Hello</p>",),
        text=("Hello\n",),
    )


@dataclass
class World:
    """A newsletter that was sent; the time is a field that tests move."""

    engine: Engine
    list_id: int
    now: datetime = NOON
    issues: int = 0

    def join(self, *emails: str) -> None:
        """Let people join."""
        with writing(self.engine) as c:
            for email in emails:
                add(c, email=email, list_key="main", now=self.now, hash_key=b"h" * 32, basis="test")

    def send(self, state: DeliveryState = DeliveryState.ACCEPTED) -> int:
        """Send the next issue to everybody; give its mailing."""
        self.issues += 1
        with writing(self.engine) as c:
            sent = mailing.open_mailing(c, edition(self.issues), "main", self.now).id
            mailing.freeze(c, sent, edition(self.issues), "3f2a1c4", self.now, committed=True)
            mailing.extend(c, sent, audience(self.list_id, self.now), list_id=self.list_id, now=self.now)
        planner = Planner(sent, plain)
        done = False
        while not done:
            with writing(self.engine) as c:
                done = not planner.step(c, self.now)
        with writing(self.engine) as c:
            claims = ledger.claim(c, sent, 1, self.now, 1000, ())
            ledger.fence(c, 1, claims, self.now)
            ledger.settle(c, 1, [Settlement(one, state, self.now, reply="250 ok") for one in claims])
            c.execute(update(deliveries).where(deliveries.c.mailing_id == sent).values(at=self.now))
        return sent

    def person(self, email: str) -> Person:
        """Give a reader."""
        with reading(self.engine) as c:
            found = find(c, email)
        assert found is not None
        return found

    def token(self, email: str, sent: int) -> str:
        """Give the token of the return path of a reader's copy."""
        return KEYS.mail_token(Purpose.RETURN_PATH, self.person(email).id, sent)

    def bounce(self, email: str, sent: int, **rest: object) -> Notice:
        """Give a proven notice that a reader's address is dead, or whatever `rest` says."""
        values: dict[str, object] = {
            "kind": Kind.BOUNCE,
            "recipient": email,
            "reason": "userunknown",
            "permanence": Permanence.PERMANENT,
            "final": True,
            "hardbounce": True,
            "key": f"{self.person(email).id} {sent} {self.now} {rest.get('reason', '')}",
            "evidence": Evidence(token=self.token(email, sent)),
        }
        return Notice(**{**values, **rest})  # type: ignore[arg-type]

    def take(self, *heard: Notice, **options: object) -> Taken:
        """Take notices in."""
        with writing(self.engine) as c:
            return take(c, KEYS, heard, self.now, channel="test", **options)  # type: ignore[arg-type]

    def rows(self) -> list[dict[str, object]]:
        """Give the stored notices."""
        with reading(self.engine) as c:
            return [row._asdict() for row in c.execute(select(notices).order_by(notices.c.id))]

    def later(self, days: float) -> None:
        """Let time pass."""
        self.now += timedelta(days=days)


@pytest.fixture
def world(engine: Engine) -> World:
    """Give a newsletter with an empty list, on each of the two databases."""
    with writing(engine) as c:
        ids = ensure_lists(c, ["main"], NOON)
    return World(engine, ids["main"])
