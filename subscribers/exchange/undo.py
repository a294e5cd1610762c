"""An import is taken back: whatever nothing else has touched since. What people did themselves stays.

People whom the import brought go without a trace, if they are still exactly as it left them; others leave the
list it put them on, and so do those whom it revived; what it changed of a person is put back, if nobody changed
it again; suppressions that it carried over are lifted. In chunks, each in a transaction of its own; stopped on
the way, the same call goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import and_, delete, exists, func, insert, or_, select, update

from subscribers.errors import SubscribersError
from subscribers.exchange.checkpoint import Checkpoints
from subscribers.exchange.reviving import send_back
from subscribers.exchange.turns import take_turn
from subscribers.profile import set_tags
from subscribers.requests import address_moves
from subscribers.status import ConsentKind, ImportState, PersonState, SubscriptionState
from subscribers.tables import (
    addresses,
    consents,
    import_changes,
    imports,
    subscribers,
    subscriptions,
    suppressions,
    tags,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from subscribers.exchange.checkpoint import Connect

CHUNK = 500


@dataclass(frozen=True, slots=True)
class UndoResult:
    """What was taken back; `kept` are people whom something else touched since, and who stay as they are."""

    id: int
    removed: int
    unsubscribed: int
    restored: int
    lifted: int
    kept: int


def undo_import(connect: Connect, import_id: int, now: datetime) -> UndoResult:
    """Take an import back; raises SubscribersError if there is none, or it was taken back before."""
    with connect() as connection:
        row = connection.execute(select(imports).where(imports.c.id == import_id)).one_or_none()
    if row is None:
        raise SubscribersError(f"there is no import {import_id}")
    if row.state == ImportState.UNDONE:
        raise SubscribersError(f"import {import_id} was taken back before")
    with Checkpoints.during(connect) as logged:
        restored = _sweep(logged, lambda connection, after: _restore(connection, row, after, now))
        removed = _sweep(logged, lambda connection, after: _remove(connection, row, after))
        gone = _sweep(logged, lambda connection, after: _unsubscribe(connection, row, after, now))
        gone += _sweep(logged, lambda connection, after: send_back(connection, row, after, now))
    with connect() as connection:
        lifted = _lift(connection, import_id, now)
        kept = _kept(connection, row)
        state = update(imports).where(imports.c.id == import_id).values(state=ImportState.UNDONE)
        connection.execute(state)
    return UndoResult(import_id, removed, gone, restored, lifted, kept)


Step: TypeAlias = "Callable[[Connection, int], tuple[Sequence[int], int]]"


def _sweep(connect: Connect, step: Step) -> int:
    """Do a step chunk by chunk, each after the last id that the one before it saw; count what was done."""
    total, after = 0, 0
    while True:
        with connect() as connection:
            ids, done = step(connection, after)
        total += done
        if not ids:
            return total
        after = ids[-1]


def _remove(connection: Connection, row: Row[Any], after: int) -> tuple[Sequence[int], int]:
    """Remove people who came with the import and are as it left them."""
    query = (
        select(subscribers.c.id)
        .join(addresses, addresses.c.subscriber_id == subscribers.c.id)
        .where(subscribers.c.id > after, _as_imported(row))
        .order_by(subscribers.c.id)
        .limit(CHUNK)
    )
    ids = connection.scalars(query).all()
    for table in (import_changes, consents, tags, subscriptions, addresses):
        connection.execute(delete(table).where(table.c.subscriber_id.in_(ids)))
    connection.execute(delete(subscribers).where(subscribers.c.id.in_(ids)))
    return ids, len(ids)


def _as_imported(row: Row[Any]) -> ColumnElement[bool]:
    person, mine = subscribers.c, subscriptions.c
    other_consent = exists().where(
        consents.c.subscriber_id == person.id,
        or_(consents.c.import_id.is_(None), consents.c.import_id != row.id),
    )
    touched = exists().where(
        mine.subscriber_id == person.id,
        or_(mine.list_id != row.list_id, mine.changed_at != person.created_at),
    )
    moving = exists().where(address_moves.c.subscriber_id == person.id)
    return and_(
        person.import_id == row.id,
        person.state == PersonState.PRESENT,
        person.updated_at == person.created_at,
        addresses.c.changed_at == person.created_at,
        ~other_consent,
        ~touched,
        ~moving,
    )


def _others(row: Row[Any]) -> ColumnElement[bool]:
    """Whether a person was there before the import."""
    return or_(subscribers.c.import_id.is_(None), subscribers.c.import_id != row.id)


def _unsubscribe(
    connection: Connection, row: Row[Any], after: int, now: datetime
) -> tuple[Sequence[int], int]:
    """Take people off the list who were there before the import, and whom it put on that list."""
    later = consents.alias()
    said_since = exists().where(
        later.c.subscriber_id == consents.c.subscriber_id,
        later.c.list_id == row.list_id,
        later.c.id > consents.c.id,
    )
    query = (
        select(consents.c.subscriber_id)
        .join(
            subscriptions,
            (subscriptions.c.subscriber_id == consents.c.subscriber_id)
            & (subscriptions.c.list_id == row.list_id),
        )
        .join(subscribers, subscribers.c.id == consents.c.subscriber_id)
        .where(
            consents.c.import_id == row.id,
            consents.c.kind == ConsentKind.IMPORTED,
            consents.c.subscriber_id > after,
            _others(row),
            subscriptions.c.changed_at == consents.c.at,
            subscriptions.c.state != SubscriptionState.UNSUBSCRIBED,
            ~said_since,
        )
        .order_by(consents.c.subscriber_id)
        .limit(CHUNK)
    )
    ids = connection.scalars(query).all()
    mine = and_(subscriptions.c.list_id == row.list_id, subscriptions.c.subscriber_id.in_(ids))
    connection.execute(delete(subscriptions).where(mine))
    line = {"list_id": row.list_id, "kind": ConsentKind.UNDONE, "at": now}
    lines = [{**line, "subscriber_id": each, "basis": f"import {row.id} was taken back"} for each in ids]
    if lines:
        connection.execute(insert(consents), lines)
    return ids, len(ids)


def _restore(connection: Connection, row: Row[Any], after: int, now: datetime) -> tuple[Sequence[int], int]:
    """Put back what the import changed of people, where nobody changed it again."""
    mine = import_changes.c
    query = (
        select(mine.subscriber_id, mine.before, mine.at, subscribers.c.updated_at)
        .join(subscribers, subscribers.c.id == mine.subscriber_id)
        .where(mine.import_id == row.id, mine.subscriber_id > after, _others(row))
        .order_by(mine.subscriber_id)
        .limit(CHUNK)
        .with_for_update(of=subscribers, key_share=True)
    )
    take_turn(connection)
    found = connection.execute(query).all()
    untouched = [each for each in found if each.at == each.updated_at]
    for each in untouched:
        before = dict(each.before)
        fresh = set(before.pop("new_tags"))
        theirs = connection.scalars(
            select(tags.c.tag).where(tags.c.subscriber_id == each.subscriber_id)
        ).all()
        set_tags(connection, each.subscriber_id, set(theirs) - fresh)
        statement = update(subscribers).where(subscribers.c.id == each.subscriber_id)
        connection.execute(statement.values(**before, updated_at=now))
    ids = [each.subscriber_id for each in found]
    done = and_(mine.import_id == row.id, mine.subscriber_id.in_(ids))
    connection.execute(delete(import_changes).where(done))
    return ids, len(untouched)


def _lift(connection: Connection, import_id: int, now: datetime) -> int:
    mine = and_(suppressions.c.import_id == import_id, suppressions.c.lifted_at.is_(None))
    values = {"lifted_at": now, "lifted_why": f"import {import_id} was taken back"}
    return int(connection.execute(update(suppressions).where(mine).values(values)).rowcount)


def _kept(connection: Connection, row: Row[Any]) -> int:
    mine = (subscribers.c.import_id == row.id, subscribers.c.state == PersonState.PRESENT)
    return connection.scalar(select(func.count()).select_from(subscribers).where(*mine)) or 0
