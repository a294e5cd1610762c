"""Sums: what the ledger says of a mailing, as counts and reader by reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import bindparam, case, func, select

from mailer.delivery.ledger.words import WAITING as WAITING_ROWS
from mailer.delivery.model import Counts
from mailer.delivery.states import WAITING, DeliveryState, Skip
from mailer.delivery.tables import deliveries, mailings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_d = deliveries.c
_PAGE = 1000


class Delivery(NamedTuple):
    """One reader's row, as audit shows it."""

    subscriber_id: int
    address: str
    state: str
    reason: str
    reply: str
    relay_id: str
    attempts: int
    at: datetime | None
    due_at: datetime


def counts(connection: Connection, mailing_id: int) -> Counts:
    """Give the sums of one mailing, all from one statement, so that they belong to one moment."""
    row: Any = connection.execute(_SUMS, {"m": mailing_id}).one()
    states = {state: int(row[index] or 0) for index, state in enumerate(DeliveryState)}
    reasons = {reason.value: int(row[len(DeliveryState) + index] or 0) for index, reason in enumerate(Skip)}
    next_due: datetime | None = row[-1]
    return Counts(
        sum(states.values()), states, {key: count for key, count in reasons.items() if count}, next_due
    )


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


# One scan of conditional sums: GROUP BY would sort a million rows in memory.
_SUMS = select(
    *(_how_many(_d.state == state) for state in DeliveryState),
    *(_how_many((_d.state == DeliveryState.SKIPPED) & (_d.reason == reason)) for reason in Skip),
    func.min(case((_d.state.in_(WAITING), _d.due_at))),
).where(_d.mailing_id == bindparam("m"))


def anybody_due(connection: Connection, mailing_id: int, now: datetime) -> bool:
    """Say whether anybody waits whose time has come: one look into the index."""
    due = select(_d.subscriber_id).where(_d.mailing_id == mailing_id, WAITING_ROWS, _d.due_at <= now)
    return connection.execute(due.limit(1)).first() is not None


def count_accepted(connection: Connection, mailing_id: int, since: datetime, most: int) -> int:
    """Count who was accepted since a moment, but not beyond `most`: the count of a large mailing costs its scan."""
    accepted = (_d.mailing_id == mailing_id, _d.state == DeliveryState.ACCEPTED, _d.at >= since)
    some = select(_d.subscriber_id).where(*accepted).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def recipients(
    connection: Connection, mailing_id: int, state: DeliveryState | None = None
) -> Iterator[Delivery]:
    """Give each reader's row in the order of their ids, read in pages so that memory stays flat."""
    after = 0
    columns = [_d[name] for name in Delivery._fields]
    while True:
        query = (
            select(*columns)
            .where(_d.mailing_id == mailing_id, _d.subscriber_id > after)
            .order_by(_d.subscriber_id)
            .limit(_PAGE)
        )
        if state is not None:
            query = query.where(_d.state == state)
        rows = connection.execute(query).all()
        if not rows:
            return
        yield from (Delivery(*row) for row in rows)
        after = rows[-1].subscriber_id


def delivered(connection: Connection, subscriber_id: int) -> list[tuple[str, Delivery]]:
    """Give every delivery of one person with its mailing's name, newest first, for `subscribers show`."""
    # Through the mailings, so that each look-up is one by primary key and no index over all deliveries is kept.
    rows = connection.execute(
        select(mailings.c.name, *(_d[name] for name in Delivery._fields))
        .join(deliveries, (_d.mailing_id == mailings.c.id) & (_d.subscriber_id == subscriber_id))
        .order_by(mailings.c.id.desc())
    ).all()
    return [(row[0], Delivery(*row[1:])) for row in rows]


def number_of_rows(connection: Connection, mailing_id: int) -> int:
    """Count the rows of a mailing without looking at their states: the other side of the balance."""
    rows = select(func.count()).select_from(deliveries).where(_d.mailing_id == mailing_id)
    return connection.execute(rows).scalar_one()
