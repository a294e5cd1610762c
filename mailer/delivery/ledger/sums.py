"""Sums: what the ledger says of a mailing, as counts and reader by reader, packed deliveries among the others."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, case, func, select, true

from mailer.delivery.ledger import packed
from mailer.delivery.ledger.packing import BLOCK, FINAL
from mailer.delivery.ledger.words import WAITING as WAITING_ROWS
from mailer.delivery.model import Counts
from mailer.delivery.states import WAITING, DeliveryState, Skip
from mailer.delivery.tables import deliveries, mailings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from mailer.delivery.ledger import packing

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
    row = connection.execute(_SUMS, {"m": mailing_id}).one()._asdict()
    states = {state: (row[state] or 0) + (row.get(f"packed_{state}") or 0) for state in DeliveryState}
    reasons = {reason.value: (row[reason] or 0) + (row[f"packed_{reason}"] or 0) for reason in Skip}
    skipped = {reason: count for reason, count in reasons.items() if count}
    return Counts(sum(states.values()), states, skipped, row["next_due"])


def packed_states(connection: Connection, mailing_id: int) -> dict[DeliveryState, int]:
    """Give the sums of what is packed of a mailing, by state; nothing is unpacked for it."""
    query = select(*(packed.sum_of(state) for state in FINAL)).where(packed.p.mailing_id == mailing_id)
    return {state: count or 0 for state, count in zip(FINAL, connection.execute(query).one(), strict=True)}


def _how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


# One scan of conditional sums: GROUP BY would sort a million rows in memory.
_LIVE_SUMS = (
    select(
        *(_how_many(_d.state == state).label(state) for state in DeliveryState),
        *(
            _how_many((_d.state == DeliveryState.SKIPPED) & (_d.reason == reason)).label(reason)
            for reason in Skip
        ),
        func.min(case((_d.state.in_(WAITING), _d.due_at))).label("next_due"),
    )
    .where(_d.mailing_id == bindparam("m"))
    .subquery()
)
_PACKED_SUMS = (
    select(
        *(packed.sum_of(state).label(f"packed_{state}") for state in FINAL),
        *(packed.sum_of_reason(reason).label(f"packed_{reason}") for reason in Skip),
    )
    .where(packed.p.mailing_id == bindparam("m"))
    .subquery()
)
# Both in one statement: a block that is packed meanwhile is counted once.
_SUMS = select(_LIVE_SUMS, _PACKED_SUMS).select_from(_LIVE_SUMS.join(_PACKED_SUMS, true()))


def anybody_due(connection: Connection, mailing_id: int, now: datetime) -> bool:
    """Say whether anybody waits whose time has come: one look into the index.

    From its end: where claims began, PostgreSQL's is full of those who wait no more, until it is tidied up.
    """
    due = select(_d.subscriber_id).where(_d.mailing_id == mailing_id, WAITING_ROWS, _d.due_at <= now)
    last = due.order_by(_d.due_at.desc(), _d.subscriber_id.desc()).limit(1)
    return connection.execute(last).first() is not None


def anybody_open(connection: Connection, mailing_id: int) -> bool:
    """Say whether anybody waits or is in hand.

    Who waits is found in the index. Who is in hand is among the last of a mailing: its rows are read from their end.
    """
    rows = select(_d.subscriber_id).where(_d.mailing_id == mailing_id).limit(1)
    in_hand = rows.where(_d.state.in_((DeliveryState.CLAIMED, DeliveryState.SENDING)))
    found = (rows.where(WAITING_ROWS), in_hand.order_by(_d.subscriber_id.desc()))
    return any(connection.execute(each).first() is not None for each in found)


def any_unpacked(connection: Connection, mailing_id: int) -> bool:
    """Say whether anything of a mailing could still move, or did lately: one look-up by primary key."""
    rows = select(_d.subscriber_id).where(_d.mailing_id == mailing_id).order_by(_d.subscriber_id)
    return connection.execute(rows.limit(1)).first() is not None


def count_accepted(connection: Connection, mailing_id: int, since: datetime, most: int) -> int:
    """Count who was accepted since a moment, but not beyond `most`: the count of a large mailing costs its scan."""
    accepted = (_d.mailing_id == mailing_id, _d.state == DeliveryState.ACCEPTED, _d.at >= since)
    some = select(_d.subscriber_id).where(*accepted).limit(most).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one()


def recipients(
    connection: Connection, mailing_id: int, state: DeliveryState | None = None
) -> Iterator[Delivery]:
    """Give each reader's row in the order of their ids, read in pages so that memory stays flat.

    On a connection of `reading`, which sees one moment of the database.
    """
    return _behind(connection, mailing_id, state, 0, _PAGE)


def page(
    connection: Connection, mailing_id: int, state: DeliveryState | None, after: int, limit: int
) -> list[Delivery]:
    """Read on behind a reader, by primary keys: the last page of a million costs what the first does."""
    return list(islice(_behind(connection, mailing_id, state, after, limit), limit))


def _behind(
    connection: Connection, mailing_id: int, state: DeliveryState | None, after: int, at_once: int
) -> Iterator[Delivery]:
    kept = packed.rows(connection, mailing_id, after, state, max(1, at_once // BLOCK))
    return merge(_live(connection, mailing_id, state, after, at_once), map(_delivery, kept))


def _live(
    connection: Connection, mailing_id: int, state: DeliveryState | None, after: int, at_once: int
) -> Iterator[Delivery]:
    query = select(*(_d[name] for name in Delivery._fields)).order_by(_d.subscriber_id).limit(at_once)
    if state is not None:
        query = query.where(_d.state == state)
    while rows := connection.execute(
        query.where(_d.mailing_id == mailing_id, _d.subscriber_id > after)
    ).all():
        yield from (Delivery(*row) for row in rows)
        after = rows[-1].subscriber_id


def delivered(connection: Connection, subscriber_id: int) -> list[tuple[str, Delivery]]:
    """Give every delivery of one person with its mailing's name, newest first, for `subscribers show`."""
    # Through the mailings, so that each look-up is one by primary key and no index over all deliveries is kept.
    rows = connection.execute(
        select(mailings.c.id, mailings.c.name, *(_d[name] for name in Delivery._fields)).join(
            deliveries, (_d.mailing_id == mailings.c.id) & (_d.subscriber_id == subscriber_id)
        )
    ).all()
    found = [(row[0], row[1], Delivery(*row[2:])) for row in rows]
    known = {mailing_id for mailing_id, _, _ in found}  # packed between the two statements, if at all
    kept = packed.of_person(connection, subscriber_id)
    found += [
        (one.mailing_id, one.mailing, _delivery(one.row)) for one in kept if one.mailing_id not in known
    ]
    found.sort(key=lambda each: -each[0])
    return [(name, delivery) for _, name, delivery in found]


def _delivery(row: packing.Row) -> Delivery:
    return Delivery(*(getattr(row, name) for name in Delivery._fields))


def number_of_rows(connection: Connection, mailing_id: int) -> int:
    """Count the rows of a mailing without looking at their states: the other side of the balance."""
    live = select(func.count()).select_from(deliveries).where(_d.mailing_id == mailing_id)
    old = select(func.coalesce(packed.sum_of_all(), 0)).where(packed.p.mailing_id == mailing_id)
    found: int = connection.execute(select(live.scalar_subquery() + old.scalar_subquery())).scalar_one()
    return found


def last_arrival(
    connection: Connection, subscriber_id: int, first: datetime, upto: datetime, without: Collection[int]
) -> datetime | None:
    """Give when a person's newest delivery from `first` to `upto` was accepted, but of the mailings in `without`."""
    span = (_d.at >= first, _d.at < upto, _d.mailing_id.not_in(without))
    live = connection.scalar(
        select(func.max(_d.at))
        .join(mailings, mailings.c.id == _d.mailing_id)
        .where(_d.subscriber_id == subscriber_id, _d.state == DeliveryState.ACCEPTED, *span)
    )
    ended = (mailings.c.changed_at >= first, mailings.c.id.not_in(without))
    kept = packed.of_person(connection, subscriber_id, *ended, states=(DeliveryState.ACCEPTED,))
    old = [one.row.at for one in kept if one.row.at is not None and first <= one.row.at < upto]
    return max([*old, *filter(None, [live])], default=None)
