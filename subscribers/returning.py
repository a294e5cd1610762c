"""The way back: for a day, whoever left may take it back with the link by which they left.

Only a leaving of their own, from a list that they read by right; never after a complaint, an erasure or a block, and
never a request that was dropped before it was confirmed. It is recorded as a new consent.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from subscribers.consent import NO_EVIDENCE, Evidence, record
from subscribers.mailbox import hash_of
from subscribers.roster import get, list_row
from subscribers.status import GRANTS, AddressState, ConsentKind, PersonState, SubscriptionState
from subscribers.suppression import suppressed
from subscribers.tables import consents, subscriptions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

WITHIN = timedelta(hours=24)
_READING = GRANTS | {ConsentKind.PAUSED, ConsentKind.RESUMED}


def may_come_back(
    connection: Connection, subscriber_id: int, now: datetime, within: timedelta = WITHIN
) -> tuple[str, ...]:
    """Give the lists that a person left so lately that they may take it back. Raises UnknownSubscriber."""
    person = get(connection, subscriber_id)
    if person.state is not PersonState.PRESENT or person.address_state is not AddressState.REACHABLE:
        return ()
    left = [
        each.list_key
        for each in person.subscriptions
        if each.state is SubscriptionState.UNSUBSCRIBED and each.changed_at > now - within
    ]
    return tuple(key for key in left if _may(connection, subscriber_id, key, now))


def _may(connection: Connection, subscriber_id: int, list_key: str, now: datetime) -> bool:
    list_id = list_row(connection, list_key).id
    if suppressed(connection, hash_of(connection, subscriber_id), list_id, now):
        return False
    mine = (consents.c.subscriber_id == subscriber_id, consents.c.list_id == list_id)
    query = select(consents.c.kind).where(*mine).order_by(consents.c.id.desc()).limit(2)
    last = connection.scalars(query).all()
    return len(last) == 2 and last[0] == ConsentKind.WITHDRAWN and last[1] in _READING


def come_back(
    connection: Connection,
    subscriber_id: int,
    list_key: str | None,
    now: datetime,
    evidence: Evidence = NO_EVIDENCE,
    within: timedelta = WITHIN,
) -> tuple[str, ...]:
    """Undo someone's leaving of a list, or of all, within a day; give the lists that they read again."""
    back = [
        key
        for key in may_come_back(connection, subscriber_id, now, within)
        if list_key is None or key == list_key
    ]
    ids = {key: list_row(connection, key).id for key in back}
    mine = (
        subscriptions.c.subscriber_id == subscriber_id,
        subscriptions.c.list_id.in_(ids.values()),
        subscriptions.c.state == SubscriptionState.UNSUBSCRIBED,
    )
    values = {"state": SubscriptionState.ACTIVE, "reason": None, "paused_until": None, "changed_at": now}
    connection.execute(update(subscriptions).where(*mine).values(values))
    record(connection, subscriber_id, ids.values(), ConsentKind.RETURNED, "took it back", now, evidence)
    return tuple(back)
