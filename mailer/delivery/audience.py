"""Planning an audience: a delivery for each of its readers, in chunks that hold up nobody.

Promises: a million readers are planned by ranges of ids, each range committed with the mark up to which it is done,
so that a restart goes on where the last one stopped; a range shrinks and grows so that its transaction stays far
below 200 ms. Who is in the mailing already is left alone. An audience with waves gives each reader a due time by their
zone (waves.py); else all are due at once.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, func, or_, select, update

from mailer.delivery import batches, ledger, mailing
from mailer.delivery.states import MailingState
from mailer.delivery.tables import audiences, mailings
from mailer.delivery.waves import Waves
from subscribers import audience as mailable
from subscribers import within

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

_a = audiences.c
_START, _LEAST, _MOST = 5_000, 500, 100_000
_FEW, _GUESSES, _ROUNDS = (
    20_000,
    500,
    20,
)  # ids up to which all are put in order; else guesses a round, and rounds
_QUICK, _SLOW = 0.03, 0.10  # seconds of one chunk


_random = random.Random()  # noqa: S311 - it draws readers, it guards nothing


@dataclass(slots=True)
class Planner:
    """Plans what a mailing still has to plan, a chunk a call. `narrow` applies a segment's frozen condition."""

    mailing_id: int
    narrow: Callable[[Select[Any], str], Select[Any]]
    width: int = _START
    planned: int = 0

    def step(self, connection: Connection, now: datetime) -> bool:
        """Plan one chunk; false when nothing is left to plan, or the mailing was cancelled."""
        if mailing.attend(connection, self.mailing_id) is MailingState.CANCELLED:
            return False
        # Asked again: who waited for another's lock is told of a row only if it is still to be planned.
        row = self._next(connection, now) or self._next(connection, now)
        if row is None:
            return False
        began = time.monotonic()
        self.planned += self._draw(connection, row, now) if row.first else self._range(connection, row, now)
        took = time.monotonic() - began
        if took < _QUICK:
            self.width = min(self.width * 2, _MOST)
        elif took > _SLOW:
            self.width = max(self.width // 2, _LEAST)
        return True

    def _next(self, connection: Connection, now: datetime) -> Row[Any] | None:
        return connection.execute(
            select(audiences, mailings.c.edition_id)
            .join(mailings, mailings.c.id == _a.mailing_id)
            .where(_a.mailing_id == self.mailing_id, _a.done.is_(False), _may_begin(now))
            .order_by(_a.id)
            .limit(1)
            .with_for_update(of=audiences)  # on a server others plan too: each range is planned by one
        ).first()

    def _readers(self, row: Row[Any], now: datetime) -> Select[Any]:
        readers = mailable(row.list_id, now)
        return self.narrow(readers, row.condition) if row.segment else readers

    def _range(self, connection: Connection, row: Row[Any], now: datetime) -> int:
        upto = min(row.planned_upto + self.width, row.ceiling)
        readers = self._readers(row, now)
        chunk = within(readers, row.planned_upto, upto)
        planned = self._plan(connection, chunk, row, now)
        if planned:
            cut = batches.cut(self.mailing_id, row.planned_upto + 1, upto, planned)
            batches.defer(connection, list(cut))
        mark = {"planned_upto": upto, "done": upto >= row.ceiling}
        connection.execute(update(audiences).where(_a.id == row.id).values(**mark))
        return planned

    def _draw(self, connection: Connection, row: Row[Any], now: datetime) -> int:
        """Plan a random few, written by their ids."""
        readers = self._readers(row, now)
        subscriber = readers.selected_columns.subscriber_id
        few = drawn(connection, unplanned(readers, self.mailing_id), row.first, row.ceiling)
        planned = self._plan(connection, readers.where(subscriber.in_(few)), row, now)
        connection.execute(update(audiences).where(_a.id == row.id).values(done=True))
        return planned

    def _plan(self, connection: Connection, readers: Select[Any], row: Row[Any], now: datetime) -> int:
        waves = Waves.from_json(row.waves) if row.waves else None
        due_at = now if waves is None else partial(waves.due, now=now)
        return ledger.plan(
            connection, readers, mailing_id=self.mailing_id, edition_id=row.edition_id, due_at=due_at
        )


def drawn(connection: Connection, readers: Select[Any], count: int, ceiling: int) -> list[int]:
    """Give so many readers' ids, or all there are, each set of them as likely as any other.

    Of a large list ids are guessed, and who is no reader is passed over: to put a million readers into a random order
    takes seconds, and holds up every writer.
    """
    subscriber = readers.selected_columns.subscriber_id
    found: set[int] = set()
    guesses = min(max(_GUESSES, 2 * count), 10 * _GUESSES, ceiling)
    for _ in range(_ROUNDS if ceiling > _FEW else 0):
        ids = _random.sample(range(1, ceiling + 1), guesses)
        found |= set(
            connection.execute(readers.with_only_columns(subscriber).where(subscriber.in_(ids))).scalars()
        )
        if len(found) >= count:
            return _random.sample(sorted(found), count)
    everybody = select(readers.subquery().c.subscriber_id).order_by(func.random())
    return list(connection.execute(everybody.limit(count)).scalars())


def unplanned(readers: Select[Any], mailing_id: int) -> Select[Any]:
    """Narrow readers to those who have no delivery in the mailing yet."""
    return readers.where(~ledger.has_delivery(mailing_id, readers.selected_columns.subscriber_id))


def _may_begin(now: datetime) -> ColumnElement[bool]:
    return or_(_a.not_before.is_(None), _a.not_before <= now)


@dataclass(frozen=True, slots=True)
class Rest:
    """An audience that is not wholly planned yet; `not_before` is the hour it is held for."""

    audience_id: int
    not_before: datetime | None


def left_to_plan(connection: Connection, mailing_id: int) -> Rest | None:
    """Give the first audience of a mailing that is not wholly planned, or None."""
    rest = select(_a.id, _a.not_before).where(_a.mailing_id == mailing_id, _a.done.is_(False))
    row = connection.execute(rest.order_by(_a.id).limit(1)).first()
    return Rest(row.id, row.not_before) if row else None


def let_go(connection: Connection, mailing_id: int) -> None:
    """Hold nothing back any longer: a person has seen what came of the first."""
    connection.execute(update(audiences).where(_a.mailing_id == mailing_id).values(not_before=None))


def covers(connection: Connection, mailing_id: int, list_id: int, segment: str) -> bool:
    """Say whether the mailing was already meant for this list and segment."""
    same = (_a.mailing_id == mailing_id, _a.list_id == list_id, _a.segment == segment)
    return connection.execute(select(_a.id).where(*same).limit(1)).first() is not None


def count_unplanned(connection: Connection, readers: Select[Any], mailing_id: int) -> int:
    """Count the readers who have no delivery in the mailing yet."""
    people = unplanned(readers, mailing_id).subquery()
    return connection.execute(select(func.count()).select_from(people)).scalar_one()
