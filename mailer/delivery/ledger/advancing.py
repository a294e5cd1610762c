"""Advancing: the two moves that every message makes, through the fence and to its outcome; many in one transaction.

Promises: a row is moved only from the state it must be in, by the worker that has it; a fence is granted only while
the mailing runs and the reader may still be mailed at the row's address. On PostgreSQL a group is one statement
(grouped.py); here is SQLite's way, where a statement costs less than making up a larger one.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Integer, Text, bindparam, case, update

from mailer.delivery.ledger import grouped
from mailer.delivery.ledger.prepared import driver_instant, prepared
from mailer.delivery.ledger.words import RUNNING, by_kind, mailable
from mailer.delivery.states import MOVES
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.tables import deliveries

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Dialect
    from sqlalchemy.sql.dml import ReturningUpdate

    from mailer.delivery.model import Claim, Settlement

_d = deliveries.c
_TOGETHER: Final = 64  # fences in one statement
_OUTCOMES: Final = {
    (source is State.SENDING, target) for source in (State.SENDING, State.CLAIMED) for target in MOVES[source]
}


def advance(
    connection: Connection,
    epoch: int,
    settlements: Sequence[Settlement],
    claims: Sequence[Claim],
    now: datetime,
    *,
    again: bool = False,
) -> set[Claim]:
    """Record outcomes, and move claims to `sending`; give the claims that were granted.

    Before a grant no octet of a body may leave. Who left, whose address moved, or whose mailing no longer runs is not
    granted; see `turn_back`. A row that is no longer this worker's is left as it is: its new owner answers for it.
    `again` repeats a call whose answer was lost: what it may have fenced was not sent, and is granted again.
    """
    for one in settlements:
        if (one.sent, one.state) not in _OUTCOMES:
            source = State.SENDING if one.sent else State.CLAIMED
            raise AssertionError(f"no move from {source} to {one.state}")
    if connection.dialect.name == "postgresql":
        return grouped.advance(connection, epoch, settlements, claims, now, again=again)
    _settle(connection, epoch, settlements)
    return _fence(connection, epoch, claims, now, again=again)


def fence(connection: Connection, epoch: int, claims: Sequence[Claim], now: datetime) -> set[Claim]:
    """Move claims to `sending` and give those that were granted, as `advance` does."""
    return advance(connection, epoch, (), claims, now)


def settle(connection: Connection, epoch: int, settlements: Sequence[Settlement]) -> None:
    """Record outcomes, as `advance` does."""
    if settlements:
        advance(connection, epoch, settlements, (), settlements[0].at)


# Statements are built once: building one and finding its compiled form costs more than SQLite takes to run it.


@cache
def _fence_statement(list_id: int, count: int, *, again: bool) -> ReturningUpdate[Any]:
    """Give the fence for so many of one list."""
    readers = [bindparam(f"r{number}", type_=Integer, required=False) for number in range(count)]
    sources = (State.CLAIMED, State.SENDING) if again else (State.CLAIMED,)
    return (
        update(deliveries)
        .where(
            _d.mailing_id == bindparam("m", required=False),
            _d.subscriber_id.in_(readers),
            _d.state.in_(sources),
            _d.epoch == bindparam("e", required=False),
            RUNNING,
            mailable(list_id),
        )
        .values(state=State.SENDING, at=bindparam("now", required=False))
        .returning(_d.subscriber_id)
    )


def _fence(
    connection: Connection, epoch: int, claims: Sequence[Claim], now: datetime, *, again: bool
) -> set[Claim]:
    granted: set[Claim] = set()
    for (mailing_id, list_id), items in by_kind(claims).items():
        for start in range(0, len(items), _TOGETHER):
            some = items[start : start + _TOGETHER]
            statement = prepared(_fence_statement(list_id, len(some), again=again), connection.dialect)
            values: dict[str, object] = {f"r{number}": item.subscriber_id for number, item in enumerate(some)}
            values |= {"m": mailing_id, "e": epoch, "now": driver_instant(now, connection.dialect)}
            found = {row[0] for row in statement.rows(connection, values)}
            granted.update(some if len(found) == len(some) else _those(some, found))
    return granted


def _those(claims: Sequence[Claim], found: set[int]) -> Iterator[Claim]:
    return (item for item in claims if item.subscriber_id in found)


_SETTLE: Final = {
    sent: (
        update(deliveries)
        .where(
            _d.mailing_id == bindparam("m", required=False),
            _d.subscriber_id == bindparam("s", required=False),
            _d.epoch == bindparam("e", required=False),
            _d.state == (State.SENDING if sent else State.CLAIMED),
        )
        .values(
            state=bindparam("state", required=False),
            # Erased while it was on its way: a reply may quote the address, and is not written back.
            reply=case((_d.address == "", ""), else_=bindparam("reply", type_=Text, required=False)),
            relay_id=bindparam("relay_id", required=False),
            at=bindparam("at", required=False),
            due_at=bindparam("due_at", required=False),
            attempts=_d.attempts + 1,
        )
    )
    for sent in (True, False)
}


def _settle(connection: Connection, epoch: int, settlements: Iterable[Settlement]) -> None:
    dialect = connection.dialect
    for sent, statement in _SETTLE.items():
        rows = [_row(one, dialect) for one in settlements if one.sent is sent]
        if rows:
            prepared(statement, dialect).run_each(connection, {"e": epoch}, _ROW, rows)


_ROW: Final = ("m", "s", "state", "reply", "relay_id", "at", "due_at")
_WORDS: Final = {
    state: state.value for state in State
}  # asking a member for its value takes ten times as long


def _row(one: Settlement, dialect: Dialect) -> tuple[object, ...]:
    claim, state, at, _, reply, relay_id, due_at = one
    then = driver_instant(at, dialect)
    due = then if due_at is None else driver_instant(due_at, dialect)
    return claim.mailing_id, claim.subscriber_id, _WORDS[state], reply, relay_id, then, due
