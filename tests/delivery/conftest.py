"""A ledger with readers, for the tests of the delivery room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mailer.database import writing
from mailer.delivery import ledger, mailing
from mailer.delivery.audience import Planner
from mailer.delivery.model import Claim, Counts, Settlement
from mailer.delivery.segments import plain
from mailer.delivery.states import DeliveryState
from mailer.edition import Context, Edition, Slot
from subscribers import add, audience, ensure_lists, unsubscribe

if TYPE_CHECKING:
    from sqlalchemy import Engine

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
HASH_KEY = b"h" * 32


def edition(number: int | None = 72, slug: str = "the-issue", subject: str = "An issue") -> Edition:
    """Give a small edition."""
    return Edition(
        file=f"issues/{slug}.md",
        number=number,
        slug=slug,
        subject=(subject,),
        preheader="",
        date=None,
        language="en",
        direction="ltr",
        html=("<p>Hello ", Slot("subscriber.name", Context.HTML, "you"), "</p>"),
        text=("Hello ", Slot("subscriber.name", Context.TEXT, "you"), "\n"),
    )


@dataclass
class World:
    """A database with a list, its readers and one mailing; the time is a field that tests move."""

    engine: Engine
    list_id: int = 0
    mailing_id: int = 0
    now: datetime = NOON

    def join(self, *emails: str) -> list[int]:
        """Let people join the list."""
        with writing(self.engine) as c:
            return [
                add(c, email=email, list_key="main", now=self.now, hash_key=HASH_KEY, basis="test").id
                for email in emails
            ]

    def leave(self, subscriber_id: int) -> None:
        """Let one leave."""
        with writing(self.engine) as c:
            unsubscribe(c, subscriber_id, "main", self.now, "test")

    def extend(self, **options: object) -> None:
        """Give the mailing its audience and plan it."""
        with writing(self.engine) as c:
            mailing.extend(
                c,
                self.mailing_id,
                audience(self.list_id, self.now),
                list_id=self.list_id,
                now=self.now,
                **options,
            )
        self.plan()

    def plan(self) -> None:
        """Plan what is left to plan."""
        planner = Planner(self.mailing_id, plain)
        while True:
            with writing(self.engine) as c:
                if not planner.step(c, self.now):
                    return

    def claim(self, epoch: int = 1, limit: int = 100, without: tuple[str, ...] = ()) -> list[Claim]:
        """Claim for a worker."""
        with writing(self.engine) as c:
            return ledger.claim(c, self.mailing_id, epoch, self.now, limit, without)

    def fence(self, claims: list[Claim], epoch: int = 1) -> set[Claim]:
        """Ask for the fence."""
        with writing(self.engine) as c:
            granted = ledger.fence(c, epoch, claims, self.now)
            ledger.turn_back(c, epoch, [claim for claim in claims if claim not in granted], self.now)
            return granted

    def settle(
        self,
        claims: list[Claim],
        state: DeliveryState = DeliveryState.ACCEPTED,
        epoch: int = 1,
        **rest: object,
    ) -> None:
        """Settle claims alike."""
        with writing(self.engine) as c:
            ledger.settle(
                c, epoch, [Settlement(claim, state, self.now, reply="250 ok", **rest) for claim in claims]
            )

    def counts(self) -> Counts:
        """Give the sums."""
        with writing(self.engine) as c:
            return ledger.counts(c, self.mailing_id)

    def states(self) -> dict[str, str]:
        """Give {address: state}."""
        with writing(self.engine) as c:
            return {row.address: row.state for row in ledger.recipients(c, self.mailing_id)}

    def later(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)


@pytest.fixture
def world(engine: Engine) -> World:
    """A list with a mailing that runs and has no readers yet."""
    with writing(engine) as c:
        list_id = ensure_lists(c, ["main"], NOON)["main"]
        opened = mailing.open_mailing(c, edition(), "main", NOON)
        mailing.freeze(c, opened.id, edition(), "3f2a1c4", NOON, committed=True)
    return World(engine, list_id, opened.id)
