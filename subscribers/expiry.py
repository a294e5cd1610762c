"""What goes by itself: requests that nobody confirmed, links that are over, and who left long ago.

In bounded batches: the caller asks again until nothing is left. Whoever never confirmed and is otherwise unknown goes
wholly, as if they had never been; an id is not given twice.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update

from subscribers.consent import record
from subscribers.requests import address_moves, signups
from subscribers.status import AddressState, ConsentKind, PersonState, SubscriptionState
from subscribers.tables import addresses, consents, subscribers, subscriptions, tags

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

GRACE = timedelta(days=7)
"""So long after its end a request can still be asked for anew, by the link in the old letter."""

BATCH = 500


def expire_signups(connection: Connection, now: datetime, limit: int = BATCH) -> tuple[int, tuple[int, ...]]:
    """Clean away requests that nobody confirmed, of at most `limit` people.

    Give how many people had such, and the ids of those who went with them.
    """
    over = (signups.c.confirmed_at.is_(None), signups.c.expires_at <= now - GRACE)
    query = select(signups.c.subscriber_id).where(*over).group_by(signups.c.subscriber_id)
    found = connection.scalars(query.order_by(signups.c.subscriber_id).limit(limit)).all()
    return len(found), tuple(each for each in found if _expire(connection, each, now, *over))


def _expire(connection: Connection, subscriber_id: int, now: datetime, *over: ColumnElement[bool]) -> bool:
    """Clean away the old requests of one person; give whether the person went too."""
    connection.execute(delete(signups).where(signups.c.subscriber_id == subscriber_id, *over))
    mine = (signups.c.subscriber_id == subscriber_id, signups.c.confirmed_at.is_(None))
    waiting = {each for ids in connection.scalars(select(signups.c.list_ids).where(*mine)) for each in ids}
    pending = (
        subscriptions.c.subscriber_id == subscriber_id,
        subscriptions.c.state == SubscriptionState.PENDING,
    )
    for list_id in connection.scalars(select(subscriptions.c.list_id).where(*pending)).all():
        if list_id not in waiting:
            _let_go(connection, subscriber_id, list_id, now)
    return remove_stranger(connection, subscriber_id)


def _let_go(connection: Connection, subscriber_id: int, list_id: int, now: datetime) -> None:
    """End one request: who had left before has left again, and of a newcomer nothing stays."""
    said = and_(consents.c.subscriber_id == subscriber_id, consents.c.list_id == list_id)
    others = select(func.count()).where(said, consents.c.kind != ConsentKind.REQUESTED)
    mine = and_(subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.list_id == list_id)
    if connection.scalar(others):
        values = {"state": SubscriptionState.UNSUBSCRIBED, "reason": "not confirmed", "changed_at": now}
        connection.execute(update(subscriptions).where(mine).values(values))
        record(connection, subscriber_id, [list_id], ConsentKind.WITHDRAWN, "not confirmed", now)
    else:
        connection.execute(delete(subscriptions).where(mine))
        connection.execute(delete(consents).where(said))


def remove_stranger(connection: Connection, subscriber_id: int) -> bool:
    """Remove a person of whom nothing is known but requests that nobody confirmed; give whether they went."""
    known = or_(
        exists().where(
            subscriptions.c.subscriber_id == subscriber_id,
            subscriptions.c.state != SubscriptionState.PENDING,
        ),
        exists().where(consents.c.subscriber_id == subscriber_id, consents.c.kind != ConsentKind.REQUESTED),
        exists().where(signups.c.subscriber_id == subscriber_id, signups.c.confirmed_at.is_not(None)),
        exists().where(
            addresses.c.subscriber_id == subscriber_id, addresses.c.state != AddressState.REACHABLE
        ),
        exists().where(
            subscribers.c.id == subscriber_id,
            or_(subscribers.c.state != PersonState.PRESENT, subscribers.c.import_id.is_not(None)),
        ),
    )
    waits = exists().where(signups.c.subscriber_id == subscriber_id)
    if connection.scalar(select(or_(known, waits))):
        return False
    remove_rows(connection, subscriber_id)
    return True


def remove_rows(connection: Connection, subscriber_id: int) -> None:
    """Delete a person who never was a reader, from every table."""
    for table in (signups, address_moves, subscriptions, consents, tags, addresses):
        connection.execute(delete(table).where(table.c.subscriber_id == subscriber_id))
    connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))


def expire_moves(connection: Connection, now: datetime) -> int:
    """Forget requests for another address, and the old addresses, once no link of theirs does anything."""
    over = or_(
        and_(address_moves.c.confirmed_at.is_(None), address_moves.c.expires_at <= now),
        address_moves.c.undo_until <= now,
        address_moves.c.ended_at <= now - GRACE,
    )
    return connection.execute(delete(address_moves).where(over)).rowcount


def departed(connection: Connection, before: datetime, limit: int = BATCH) -> tuple[int, ...]:
    """Give some of those who have left every list, the last of them before that moment, by their ids."""
    theirs = subscriptions.alias("theirs")
    stays = exists().where(
        theirs.c.subscriber_id == subscribers.c.id,
        or_(theirs.c.state != SubscriptionState.UNSUBSCRIBED, theirs.c.changed_at >= before),
    )
    left = exists().where(subscriptions.c.subscriber_id == subscribers.c.id)
    query = select(subscribers.c.id).where(subscribers.c.state == PersonState.PRESENT, left, ~stays)
    return tuple(connection.scalars(query.order_by(subscribers.c.id).limit(limit)))
