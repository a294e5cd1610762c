"""Sending: claim, fence, settle, and laying back what cannot be sent now."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, Text, and_, any_, bindparam, case, func, select, update

from mailer.delivery.ledger.prepared import driver_instant, prepared
from mailer.delivery.ledger.words import RUNNING, WAITING
from mailer.delivery.model import Claim, Settlement
from mailer.delivery.states import MOVES, MailingState, Skip
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.tables import deliveries, mailings
from subscribers import Instant, audience

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Dialect
    from sqlalchemy.sql.dml import ReturningUpdate

_d = deliveries.c
_CLAIM_COLUMNS = (
    _d.mailing_id, _d.subscriber_id, _d.edition_id, _d.list_id, _d.address, _d.domain, _d.attempts,
)  # fmt: skip

# A row that was tried before stays deferred; `attempts` tells.
_LAID_BACK = case((_d.attempts > 0, State.DEFERRED.value), else_=State.PLANNED.value)


_TOGETHER = 64  # fences in one statement

# The statements of the hot path are built once: building one and finding its compiled form costs more than SQLite
# takes to run it.


@cache
def _claim_statement(*, excluding: bool, within: bool, server: bool = False) -> ReturningUpdate[Any]:
    due = (
        select(_d.subscriber_id)
        .where(_d.mailing_id == bindparam("m"), WAITING, _d.due_at <= bindparam("now"), RUNNING)
        .order_by(_d.due_at, _d.subscriber_id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )
    if excluding:
        due = due.where(_d.domain.not_in(bindparam("without", expanding=True)))
    if within:
        due = due.where(_d.subscriber_id.between(bindparam("first"), bindparam("last")))
    # Materialized: else PostgreSQL may run the locking subquery once a row, and LIMIT means nothing.
    chosen = due.correlate(None).cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
    few = select(chosen.c.subscriber_id)
    # An array on PostgreSQL: its statistics know nothing of a new mailing, and it would join each of the mailing's rows
    # with each of the chosen.
    is_chosen = (
        _d.subscriber_id == any_(func.array(few.scalar_subquery())) if server else _d.subscriber_id.in_(few)
    )
    return (
        update(deliveries)
        .where(_d.mailing_id == bindparam("m"), is_chosen)
        .values(state=State.CLAIMED, epoch=bindparam("e"), at=bindparam("now"))
        .returning(*_CLAIM_COLUMNS)
    )


def claim(
    connection: Connection,
    mailing_id: int,
    epoch: int,
    now: datetime,
    limit: int,
    without: Collection[str] = (),
    within: tuple[int, int] | None = None,
) -> list[Claim]:
    """Take up to `limit` due rows of a running mailing into this worker's hands, oldest due first.

    Rows of the domains in `without` (slow ones) stay; `within` bounds the readers' ids. Another worker's
    claim is never waited for.
    """
    values: dict[str, object] = {"m": mailing_id, "e": epoch, "now": now, "most": limit}
    if without:
        values["without"] = list(without)
    if within:
        values |= {"first": within[0], "last": within[1]}
    server = connection.dialect.name == "postgresql"
    statement = _claim_statement(excluding=bool(without), within=bool(within), server=server)
    return [Claim(*row) for row in connection.execute(statement, values)]


def _in_hand(mailing_id: int, epoch: int, subscribers: Iterable[int]) -> ColumnElement[bool]:
    return and_(
        _d.mailing_id == mailing_id,
        _d.subscriber_id.in_(list(subscribers)),
        _d.state == State.CLAIMED,
        _d.epoch == epoch,
    )


@cache
def _fence_statement(list_id: int, count: int) -> ReturningUpdate[Any]:
    """Give the fence for so many of one list: still in hand, still running, still mailable at the row's address."""
    now: Any = bindparam("now", type_=Instant(), required=False)
    reader = audience(list_id, now).subquery()
    mailable = select(reader.c.subscriber_id).where(
        reader.c.subscriber_id == _d.subscriber_id, reader.c.email == _d.address
    )
    return (
        update(deliveries)
        .where(
            _d.mailing_id == bindparam("m", required=False),
            _d.subscriber_id.in_(
                [bindparam(f"r{number}", type_=Integer, required=False) for number in range(count)]
            ),
            _d.state == State.CLAIMED,
            _d.epoch == bindparam("e", required=False),
            RUNNING,
            mailable.exists(),
        )
        .values(state=State.SENDING, at=bindparam("now", required=False))
        .returning(_d.subscriber_id)
    )


def fence(connection: Connection, epoch: int, claims: Sequence[Claim], now: datetime) -> set[Claim]:
    """Move claims to `sending` and give those that were granted. Before a grant no octet of a body may leave.

    Who left, whose address moved, or whose mailing no longer runs is not granted; see `turn_back`.
    """
    kinds: dict[tuple[int, int], list[Claim]] = {}
    for item in claims:
        kinds.setdefault((item.mailing_id, item.list_id), []).append(item)
    granted: set[Claim] = set()
    for kind, items in kinds.items():
        for start in range(0, len(items), _TOGETHER):
            granted |= _fence_some(connection, epoch, kind, items[start : start + _TOGETHER], now)
    return granted


def _fence_some(
    connection: Connection, epoch: int, kind: tuple[int, int], claims: Sequence[Claim], now: datetime
) -> set[Claim]:
    mailing_id, list_id = kind
    statement = prepared(_fence_statement(list_id, len(claims)), connection.dialect)
    values: dict[str, object] = {f"r{number}": item.subscriber_id for number, item in enumerate(claims)}
    values |= {"m": mailing_id, "e": epoch, "now": driver_instant(now, connection.dialect)}
    granted = {row[0] for row in statement.run(connection, values)}
    return {item for item in claims if item.subscriber_id in granted}


def turn_back(connection: Connection, epoch: int, claims: Sequence[Claim], now: datetime) -> None:
    """Settle claims whose fence was not granted.

    Of a cancelled mailing: skipped. Who left: skipped. Who moved: gets the new address. The rest waits.
    """
    states = {item.mailing_id: _state_of(connection, item.mailing_id) for item in claims}
    for item in claims:
        mine = _in_hand(item.mailing_id, epoch, [item.subscriber_id])
        values = _turned_back(connection, item, states[item.mailing_id], now)
        connection.execute(update(deliveries).where(mine).values(values))


def _turned_back(connection: Connection, item: Claim, state: str | None, now: datetime) -> dict[str, object]:
    if state == MailingState.CANCELLED:
        return {"state": State.SKIPPED, "reason": Skip.CANCELLED, "at": now}
    reader = audience(item.list_id, now).subquery()
    columns = (reader.c.address_id, reader.c.email, reader.c.domain)
    found = connection.execute(select(*columns).where(reader.c.subscriber_id == item.subscriber_id)).first()
    if found is None:
        return {"state": State.SKIPPED, "reason": Skip.LEFT, "at": now}
    return {"state": _LAID_BACK, "address_id": found[0], "address": found[1], "domain": found[2]}


def _state_of(connection: Connection, mailing_id: int) -> str | None:
    return connection.execute(select(mailings.c.state).where(mailings.c.id == mailing_id)).scalar()


_OUTCOMES = {
    (source is State.SENDING, target) for source in (State.SENDING, State.CLAIMED) for target in MOVES[source]
}
_SETTLE = {
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


def settle(connection: Connection, epoch: int, settlements: Sequence[Settlement]) -> None:
    """Record outcomes. A row that is no longer this worker's is left as it is: its new owner answers for it."""
    dialect = connection.dialect
    for sent, statement in _SETTLE.items():
        rows = [_values(one, dialect) for one in settlements if one.sent is sent and _allowed(one)]
        if rows:
            prepared(statement, dialect).run_each(connection, {"e": epoch}, rows)


def _values(one: Settlement, dialect: Dialect) -> dict[str, object]:
    at = driver_instant(one.at, dialect)
    return {
        "m": one.claim.mailing_id,
        "s": one.claim.subscriber_id,
        "state": one.state.value,
        "reply": one.reply,
        "relay_id": one.relay_id,
        "at": at,
        "due_at": at if one.due_at is None else driver_instant(one.due_at, dialect),
    }


def _allowed(settlement: Settlement) -> bool:
    if (settlement.sent, settlement.state) not in _OUTCOMES:
        source = State.SENDING if settlement.sent else State.CLAIMED
        raise AssertionError(f"no move from {source} to {settlement.state}")
    return True


def give_back(
    connection: Connection, epoch: int, claims: Iterable[Claim], due_at: datetime | None = None
) -> None:
    """Lay claims back as they were, due again at once or at `due_at`. A row that was tried before stays deferred."""
    values: dict[str, object] = {"state": _LAID_BACK}
    if due_at is not None:
        values["due_at"] = due_at
    by_mailing: dict[int, list[int]] = {}
    for item in claims:
        by_mailing.setdefault(item.mailing_id, []).append(item.subscriber_id)
    for mailing_id, subscribers in by_mailing.items():
        connection.execute(update(deliveries).where(_in_hand(mailing_id, epoch, subscribers)).values(values))
