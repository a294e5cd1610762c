"""PostgreSQL's way to advance: a group of outcomes and fences is one statement of one text, in one round trip.

A statement for each row would cost the server more than the move, and so would a plan made anew for each number of
rows. Rows are named in arrays, and each is looked up by the whole primary key: whatever the server believes of how
large a mailing is that has just begun, there is no other way for it to find them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Integer, Text, any_, bindparam, case, func, select, update

from mailer.delivery.ledger.prepared import prepared
from mailer.delivery.ledger.words import RUNNING, by_kind, mailable
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.tables import deliveries
from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Executable
    from sqlalchemy.sql.dml import Update

    from mailer.delivery.model import Claim, Settlement

_d = deliveries.c
_TOLD = {
    "told": Integer, "told_source": Text, "told_state": Text, "told_reply": Text, "told_relay_id": Text,
    "told_at": Instant, "told_due_at": Instant,
}  # fmt: skip


def advance(
    connection: Connection,
    epoch: int,
    settlements: Sequence[Settlement],
    claims: Sequence[Claim],
    now: datetime,
    *,
    again: bool = False,
) -> set[Claim]:
    """Record outcomes and move claims to `sending`; as ledger.advance says."""
    told: dict[int, list[Settlement]] = {}
    for one in settlements:
        told.setdefault(one.claim.mailing_id, []).append(one)
    granted: set[Claim] = set()
    sources = [State.CLAIMED.value, State.SENDING.value] if again else [State.CLAIMED.value]
    for (mailing_id, list_id), items in by_kind(claims).items():
        fences = {"asked": [item.subscriber_id for item in items], "sources": sources, "now": now}
        found = _run(connection, list_id, mailing_id, epoch, told.pop(mailing_id, []), fences)
        granted |= {item for item in items if item.subscriber_id in found}
    for mailing_id, outcomes in told.items():
        _run(connection, None, mailing_id, epoch, outcomes, {})
    return granted


def _run(
    connection: Connection,
    list_id: int | None,
    mailing_id: int,
    epoch: int,
    settlements: Sequence[Settlement],
    fences: dict[str, object],
) -> set[int]:
    statement = prepared(_statement(list_id, settles=bool(settlements)), connection.dialect)
    values: dict[str, object] = {"m": mailing_id, "e": epoch, **fences}
    if settlements:
        values |= dict(zip(_TOLD, map(list, zip(*map(_values, settlements), strict=True)), strict=True))
    return {row[0] for row in statement.rows(connection, values)}


def _values(one: Settlement) -> tuple[object, ...]:
    source = State.SENDING if one.sent else State.CLAIMED
    due = one.at if one.due_at is None else one.due_at
    return one.claim.subscriber_id, source.value, one.state.value, one.reply, one.relay_id, one.at, due


@cache
def _statement(list_id: int | None, *, settles: bool) -> Executable:
    """Give the statement for the fences of one list, for outcomes, or for both at once."""
    if list_id is None:
        return _settling()
    asked = _of_the_mailing(func.unnest(_array("asked", Integer)).label("asked"))
    fencing = (
        update(deliveries)
        .where(
            _d.mailing_id == asked.mailing_id,
            _d.subscriber_id == asked.asked,
            _d.state == any_(_array("sources", Text)),
            _d.epoch == _bound("e", Integer),
            RUNNING,
            mailable(list_id, apart=True),
        )
        .values(state=State.SENDING.value, at=_bound("now", Instant))
        .returning(_d.subscriber_id)
    )
    return fencing.add_cte(_settling().cte("settled")) if settles else fencing


def _settling() -> Update:
    outcomes = (
        func.unnest(*(_array(name, kind) for name, kind in _TOLD.items()))
        .table_valued(*_TOLD, name="outcomes")
        .render_derived()
    )
    told = _of_the_mailing(*outcomes.c)
    return (
        update(deliveries)
        .where(
            _d.mailing_id == told.mailing_id,
            _d.subscriber_id == told.told,
            _d.epoch == _bound("e", Integer),
            _d.state == told.told_source,
        )
        .values(
            state=told.told_state,
            # Erased while it was on its way: a reply may quote the address, and is not written back.
            reply=case((_d.address == "", ""), else_=told.told_reply),
            relay_id=told.told_relay_id,
            at=told.told_at,
            due_at=told.told_due_at,
            attempts=_d.attempts + 1,
        )
    )


def _of_the_mailing(*columns: ColumnElement[Any]) -> Any:
    """Give the columns with the mailing beside them, apart (OFFSET) from what they are joined with.

    So each row is looked up by both halves of the primary key. Of a mailing that is a constant a server knows what it
    believes of its size, and reads all of it where it takes it for small.
    """
    return select(_bound("m", Integer).label("mailing_id"), *columns).offset(0).subquery().c


def _bound(name: str, kind: Any) -> Any:
    return bindparam(name, type_=kind(), required=False)


def _array(name: str, kind: Any) -> Any:
    return bindparam(name, type_=ARRAY(kind()), required=False)
