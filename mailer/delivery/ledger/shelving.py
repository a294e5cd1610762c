"""Shelving: old deliveries move into packed blocks, and stay there; the only writer of `packed_deliveries`.

Promises: a block moves in the caller's transaction or not at all; only what is final moves, of a mailing that has
ended, so that nothing that could still go out is ever here. Nobody is planned who is here: whoever makes deliveries
calls `hold` first, in the same transaction, and asks `packed.holds`.
Never: brings anything back into `deliveries`.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from mailer.delivery.ledger.packed import mark, p
from mailer.delivery.ledger.packing import BLOCK, FINAL, NOBODY, Packed, Row, block_of, pack, unpack, without
from mailer.delivery.states import MailingState
from mailer.delivery.tables import deliveries, mailings, packed_deliveries

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

SPAN: Final = 5 * BLOCK
"""Subscriber ids that are packed in one transaction: about 20 ms."""

_d = deliveries.c
_m = mailings.c
_PEOPLE: Final = 0x70656F70  # who erases a person waits for those who plan; the number is ours alone
_OVER = (MailingState.FINISHED, MailingState.CANCELLED)


def ended(connection: Connection, before: datetime) -> list[int]:
    """Give the mailings that ended before a moment and still have something to pack, oldest first."""
    old = connection.execute(select(_m.id).where(_old(before)).order_by(_m.id)).scalars()
    return [one for one in old.all() if _next(connection, one, 0) is not None]


def shelve(connection: Connection, mailing_id: int, before: datetime, after: int) -> tuple[int, int] | None:
    """Pack the next deliveries of a mailing behind a subscriber's id; give how many, and the last id looked at.

    None where nothing is left, or where the mailing did not end before the moment: it may run again by now.
    """
    # Whoever plans holds this row, and is waited for; whoever comes later sees what was packed here.
    ours = select(_m.id).where(_m.id == mailing_id, _old(before)).with_for_update()
    if connection.execute(ours).first() is None:
        return None
    first = _next(connection, mailing_id, after)
    if first is None:
        return None
    first -= first % BLOCK
    if connection.dialect.name == "sqlite":
        # Freed pages are overwritten, by this connection from now on: an erasure does not look for them later.
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    # Taken out first, which waits for whoever is changing a row: what is packed is then what stood there last.
    taken = connection.execute(
        delete(deliveries)
        .where(*_final(mailing_id), _d.subscriber_id.between(first, first + SPAN - 1))
        .returning(*_ROW)
    )
    rows = sorted(Row(*row) for row in taken)
    for block, some in groupby(rows, lambda row: block_of(row.subscriber_id)):
        _add(connection, mailing_id, block, list(some))
    return len(rows), first + SPAN - 1


_ROW = tuple(_d[name] for name in Row._fields)


def _final(mailing_id: int) -> tuple[ColumnElement[bool], ...]:
    return _d.mailing_id == mailing_id, _d.state.in_(FINAL)


def _next(connection: Connection, mailing_id: int, after: int) -> int | None:
    """Give the next subscriber with something to pack. In the order of the key: so each database takes its index."""
    query = select(_d.subscriber_id).where(*_final(mailing_id), _d.subscriber_id > after)
    found: int | None = connection.execute(query.order_by(_d.subscriber_id).limit(1)).scalar()
    return found


def _old(before: datetime) -> ColumnElement[bool]:
    return _m.state.in_(_OVER) & (_m.changed_at < before)


def _add(connection: Connection, mailing_id: int, block: int, rows: list[Row]) -> None:
    """Put deliveries into a block, beside those that are there: the mailing ran again after it was packed."""
    key = {"mailing_id": mailing_id, "block": block}
    here = (p.mailing_id == mailing_id, p.block == block)
    found = connection.execute(select(p.marks, p.facts, p.words).where(*here).with_for_update()).first()
    if found is None:
        connection.execute(insert(packed_deliveries).values(**key, **pack(rows)._asdict()))
        return
    together = pack(sorted([*unpack(block, Packed(*found)), *rows]))
    connection.execute(update(packed_deliveries).where(*here).values(**together._asdict()))


def hold(connection: Connection, mailing_id: int) -> bool:
    """Keep a mailing from being packed, and its readers from being erased, until the transaction ends.

    Says whether some of it is packed already. Whoever makes deliveries calls this before the statement that looks at
    who has one: on PostgreSQL a statement does not see what was committed after it began, and would make a delivery
    anew that was packed in that moment, or one of a person who was erased in it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock_shared(_PEOPLE)))
    # A key share: what changes the mailing's state is not held up.
    connection.execute(select(_m.id).where(_m.id == mailing_id).with_for_update(read=True, key_share=True))
    some = select(p.block).where(p.mailing_id == mailing_id).limit(1)
    return connection.execute(some).first() is not None


def hold_people(connection: Connection) -> None:
    """Let nobody make deliveries until the transaction ends: a person is about to be erased.

    Whoever makes some is waited for, so that they are seen. Not the mailings' rows are held for that: whoever sends the
    first of a mailing waits for one with rows of the person in hand.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_PEOPLE)))


_REWRITE = (
    update(packed_deliveries)
    .where(p.mailing_id == bindparam("m"), p.block == bindparam("b"))
    .values(words=bindparam("words"))
)


def blank(connection: Connection, subscriber_id: int, shorten: Callable[[str], str]) -> int:
    """Take a person's address and the words of replies out of every block; give in how many they were."""
    block = block_of(subscriber_id)
    # Through the mailings, so that each look-up is one by primary key.
    query = (
        select(p.mailing_id, p.marks, p.facts, p.words)
        .join(mailings, _m.id == p.mailing_id)
        .where(p.block == block, mark(subscriber_id) != NOBODY)
        .with_for_update(of=packed_deliveries)
    )
    found = connection.execute(query).all()
    rewritten = [
        {"m": row.mailing_id, "b": block, "words": without(Packed(*row[1:]), subscriber_id, shorten)}
        for row in found
    ]
    if rewritten:
        connection.execute(_REWRITE, rewritten)
    return len(rewritten)
