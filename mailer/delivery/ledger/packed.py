"""Packed deliveries as they are asked for: conditions in plain SQL over the marks, and rows of a block.

Whoever asks for deliveries asks `deliveries` and this, in one statement or in this order: a block moves from there to
here in one transaction and never back, so that nobody looks past it. Never: writes (see shelving.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, func, select

from mailer.delivery.ledger.packing import BLOCK, NOBODY, REASONS, Packed, Row, block_of, letters_of, unpack
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import mailings, packed_deliveries

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from sqlalchemy import Connection, Exists, Select

p = packed_deliveries.c
_BLOCK_COLUMNS = (p.block, p.marks, p.facts, p.words)


class Found(NamedTuple):
    """A person's packed delivery, and whose mailing's it is."""

    mailing_id: int
    mailing: str
    row: Row


def mark(subscriber_id: ColumnElement[int] | int) -> ColumnElement[str]:
    """Give the mark of a subscriber in the row of their block."""
    return func.substr(p.marks, subscriber_id % BLOCK + 1, 1)


def in_block_of(subscriber_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that the row is that of the subscriber's block."""
    return p.block == subscriber_id // BLOCK


def holds(mailing_id: int, subscriber_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that a mailing has a packed delivery to a subscriber, whatever became of it.

    The mark is asked as a value, by the primary key: a server that takes a mailing for small, because it was packed a
    moment ago, must not think of reading all of its blocks for each reader.
    """
    theirs = select(mark(subscriber_id)).where(p.mailing_id == mailing_id, in_block_of(subscriber_id))
    return func.coalesce(theirs.correlate_except(packed_deliveries).scalar_subquery(), NOBODY) != NOBODY


def received(mailing_ids: Select[Any], subscriber_id: ColumnElement[int]) -> Exists:
    """Say that one of these mailings was accepted for a subscriber."""
    accepted = mark(subscriber_id) == letters_of(DeliveryState.ACCEPTED)
    theirs = select(p.block).where(p.mailing_id.in_(mailing_ids), in_block_of(subscriber_id), accepted)
    return theirs.correlate_except(packed_deliveries).exists()


def any_accepted(mailing_id: ColumnElement[int]) -> Exists:
    """Say that a packed delivery of a mailing was accepted."""
    letter = letters_of(DeliveryState.ACCEPTED)
    some = select(p.block).where(p.mailing_id == mailing_id, p.marks.contains(letter))
    return some.correlate_except(packed_deliveries).exists()


def known(connection: Connection, mailing_id: int, subscribers: Collection[int]) -> set[int]:
    """Give those of the subscribers who have a packed delivery in a mailing."""
    blocks = {block_of(one) for one in subscribers}
    query = select(p.block, p.marks).where(p.mailing_id == mailing_id, p.block.in_(blocks))
    marks = {row.block: row.marks for row in connection.execute(query)}
    return {one for one in subscribers if marks.get(block_of(one), NOBODY * BLOCK)[one % BLOCK] != NOBODY}


def row_of(connection: Connection, mailing_id: int, subscriber_id: int) -> Row | None:
    """Give a subscriber's packed delivery in a mailing, or None."""
    theirs = (p.mailing_id == mailing_id, p.block == block_of(subscriber_id), mark(subscriber_id) != NOBODY)
    found = connection.execute(select(*_BLOCK_COLUMNS).where(*theirs)).first()
    return _theirs(found, subscriber_id) if found else None


def of_person(
    connection: Connection, subscriber_id: int, *conditions: ColumnElement[bool], states: Sequence[str] = ()
) -> Iterator[Found]:
    """Give a person's packed deliveries, newest mailing first, one look-up a mailing; each is unpacked as it is asked.

    `conditions` are about `mailings`; `states` leaves out all others.
    """
    query = (
        select(mailings.c.id, mailings.c.name, *_BLOCK_COLUMNS)
        .join(packed_deliveries, (p.mailing_id == mailings.c.id) & (p.block == block_of(subscriber_id)))
        .where(mark(subscriber_id) != NOBODY, *conditions)
        .order_by(mailings.c.id.desc())
    )
    if states:
        letters = "".join(letters_of(DeliveryState(state)) for state in states)
        query = query.where(mark(subscriber_id).in_(list(letters)))
    for found in connection.execute(query).all():
        yield Found(found.id, found.name, _theirs(found, subscriber_id))


def rows(
    connection: Connection, mailing_id: int, after: int, state: DeliveryState | None, blocks: int
) -> Iterator[Row]:
    """Give a mailing's packed deliveries behind a subscriber's id, in order; so many blocks are read at once."""
    letters = letters_of(state) if state else None
    if letters == "":
        return
    first, place = block_of(after + 1), (p.mailing_id == mailing_id)
    while page := connection.execute(_page(letters).where(place, p.block >= first).limit(blocks)).all():
        for found in page:
            for row in unpack(found.block, Packed(*found[1:])):
                if row.subscriber_id > after and (state is None or row.state == state):
                    yield row
        first = page[-1].block + 1


def _page(letters: str | None) -> Select[Any]:
    query = select(*_BLOCK_COLUMNS).order_by(p.block)
    return query.where(_how_many(letters) > 0) if letters else query


def _how_many(letters: str) -> ColumnElement[int]:
    """Count marks in a row, by what is missing without them: both databases know `replace`."""
    rest: ColumnElement[str] = p.marks
    for one in letters:
        rest = func.replace(rest, one, "")
    return func.length(p.marks) - func.length(rest)


def sum_of(state: DeliveryState) -> ColumnElement[int]:
    """Give the sum of the packed deliveries in a state."""
    return func.sum(_how_many(letters_of(state)))


def sum_of_reason(reason: Any) -> ColumnElement[int]:
    """Give the sum of those that were skipped for a reason."""
    return func.sum(_how_many(REASONS[reason]))


def sum_of_all() -> ColumnElement[int]:
    """Give the sum of all, without looking at what became of them."""
    return func.sum(func.length(func.replace(p.marks, NOBODY, "")))


def _theirs(found: Any, subscriber_id: int) -> Row:
    rows = unpack(found.block, Packed(found.marks, found.facts, found.words))
    return next(row for row in rows if row.subscriber_id == subscriber_id)
