"""Claiming: taking what is due into a worker's hands, and laying back what cannot be sent now.

Promises: a claim never waits for another worker's; nothing that is laid back was told to any server.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import ARRAY, Integer, Text, and_, any_, bindparam, case, func, literal_column, select, update

from mailer.delivery.ledger.words import RUNNING, WAITING
from mailer.delivery.model import Claim
from mailer.delivery.states import WAITING as WAITS
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.states import MailingState, Skip
from mailer.delivery.tables import deliveries, mailings
from subscribers import audience

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnClause, ColumnElement, Connection
    from sqlalchemy.sql.dml import ReturningUpdate

_d = deliveries.c
_CLAIM_COLUMNS = (
    _d.mailing_id, _d.subscriber_id, _d.edition_id, _d.list_id, _d.address, _d.domain, _d.attempts,
)  # fmt: skip

_place: ColumnClause[Any] = literal_column("ctid")  # where a row stands in PostgreSQL's table

# Not the row's: an amendment passes by who is in hand, and they may be laid back.
_NEWEST = select(mailings.c.edition_id).where(mailings.c.id == bindparam("m")).scalar_subquery()

# A row that was tried before stays deferred; `attempts` tells.
_LAID_BACK = case((_d.attempts > 0, State.DEFERRED.value), else_=State.PLANNED.value)


@cache
def _claim_statement(*, excluding: bool, within: bool, server: bool) -> ReturningUpdate[Any]:
    """Give the claim. On a server no estimate may matter: of a mailing that has just begun none knows how large it is.

    So the rows are named by their places in the table, which hold still because they are locked, and a batch's range
    of ids is searched by the primary key alone: words that are values do not let a planner think of the index of those
    who wait.
    """
    waiting = _d.state == any_(bindparam("waiting", type_=ARRAY(Text))) if server and within else WAITING
    due = (
        select(_place if server else _d.subscriber_id)
        .where(_d.mailing_id == bindparam("m"), waiting, _d.due_at <= bindparam("now"), RUNNING)
        .order_by(_d.due_at, _d.subscriber_id)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
    )
    if excluding:
        due = due.where(_d.domain.not_in(bindparam("without", expanding=True)))
    if within:
        due = due.where(_d.subscriber_id.between(bindparam("first"), bindparam("last")))
    due = due.correlate(None)
    if server:
        chosen = _place == any_(func.array(due.scalar_subquery()))
    else:
        chosen = and_(_d.mailing_id == bindparam("m"), _d.subscriber_id.in_(due))
    return (
        update(deliveries)
        .where(chosen)
        .values(state=State.CLAIMED, epoch=bindparam("e"), at=bindparam("now"), edition_id=_NEWEST)
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

    They get the mailing's newest edition. Rows of the domains in `without` (slow ones) stay; `within` bounds the
    readers' ids. Another worker's claim is never waited for.
    """
    values: dict[str, object] = {"m": mailing_id, "e": epoch, "now": now, "most": limit}
    if without:
        values["without"] = list(without)
    if within:
        values |= {"first": within[0], "last": within[1], "waiting": [state.value for state in WAITS]}
    server = connection.dialect.name == "postgresql"
    statement = _claim_statement(excluding=bool(without), within=bool(within), server=server)
    # All at once: row by row the driver would lay the interpreter's lock down and take it up for each.
    return list(map(Claim._make, connection.execute(statement, values).all()))


def claimed(connection: Connection, mailing_id: int, epoch: int, at: datetime) -> list[Claim]:
    """Give what this worker claimed at that moment: the answer to the claim may be what was lost."""
    mine = (_d.mailing_id == mailing_id, _d.epoch == epoch, _d.state == State.CLAIMED, _d.at == at)
    return list(map(Claim._make, connection.execute(select(*_CLAIM_COLUMNS).where(*mine)).all()))


def _in_hand(mailing_id: int, epoch: int, subscribers: Iterable[int]) -> ColumnElement[bool]:
    return and_(
        _d.mailing_id == mailing_id,
        _d.subscriber_id.in_(list(subscribers)),
        _d.state == State.CLAIMED,
        _d.epoch == epoch,
    )


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
    # Erased in this moment: what was read of them is not written back.
    address, domain = (case((_d.address == "", ""), else_=word) for word in found[1:])
    return {"state": _LAID_BACK, "address_id": found[0], "address": address, "domain": domain}


def _state_of(connection: Connection, mailing_id: int) -> str | None:
    return connection.execute(select(mailings.c.state).where(mailings.c.id == mailing_id)).scalar()


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
