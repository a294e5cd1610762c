"""What happens to readers: leaving, pausing, resuming, complaining, being lost.

Every verb runs in the caller's transaction, moves states along the tables of status.py alone and writes down
why. Asked twice, it does nothing the second time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, update

from subscribers.consent import NO_EVIDENCE, Evidence, record
from subscribers.mailbox import hash_of, move_address
from subscribers.roster import get, list_row
from subscribers.status import (
    SUBSCRIPTION_MOVES,
    AddressState,
    ConsentKind,
    PersonState,
    Reason,
    Scope,
    SubscriptionState,
    sources,
)
from subscribers.suppression import suppress
from subscribers.tables import lists, subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

LEAVING = sources(SUBSCRIPTION_MOVES, SubscriptionState.UNSUBSCRIBED)


def unsubscribe(
    connection: Connection,
    subscriber_id: int,
    list_key: str | None,
    now: datetime,
    how: str,
    evidence: Evidence = NO_EVIDENCE,
) -> tuple[str, ...]:
    """Let someone leave one list, or all of them; give the keys of the lists they left by this call.

    Whoever had left before is left alone: asking twice gives () and records nothing. `how` is one word for
    the way it came (`one-click`, `page`, `mail`, `cli`). Raises UnknownList.
    """
    target = SubscriptionState.UNSUBSCRIBED
    left = move_subscriptions(connection, subscriber_id, list_key, target, now, LEAVING, reason=how)
    record(connection, subscriber_id, left.values(), ConsentKind.WITHDRAWN, how, now, evidence)
    return tuple(left)


def pause(
    connection: Connection,
    subscriber_id: int,
    list_key: str | None,
    now: datetime,
    how: str,
    until: datetime | None = None,
    evidence: Evidence = NO_EVIDENCE,
) -> tuple[str, ...]:
    """Hold mail back until a moment, or until they resume; give the lists that are paused now.

    Whoever is paused already is paused anew, until the new moment.
    """
    paused = SubscriptionState.PAUSED
    starts = (*sources(SUBSCRIPTION_MOVES, paused), paused)
    held = move_subscriptions(
        connection, subscriber_id, list_key, paused, now, starts, reason=how, until=until
    )
    record(connection, subscriber_id, held.values(), ConsentKind.PAUSED, how, now, evidence)
    return tuple(held)


def resume(
    connection: Connection,
    subscriber_id: int,
    list_key: str | None,
    now: datetime,
    how: str,
    evidence: Evidence = NO_EVIDENCE,
) -> tuple[str, ...]:
    """End a pause; give the lists that this call resumed. Whoever left stays away."""
    # Of all moves to active this is the one that needs no new consent.
    active, paused = SubscriptionState.ACTIVE, (SubscriptionState.PAUSED,)
    back = move_subscriptions(connection, subscriber_id, list_key, active, now, paused)
    record(connection, subscriber_id, back.values(), ConsentKind.RESUMED, how, now, evidence)
    return tuple(back)


def move_subscriptions(
    connection: Connection,
    subscriber_id: int,
    list_key: str | None,
    target: SubscriptionState,
    now: datetime,
    starts: Sequence[SubscriptionState],
    *,
    reason: str | None = None,
    until: datetime | None = None,
) -> dict[str, int]:
    """Move the subscriptions that are in one of the states `starts`; give {list key: list id} of these."""
    conditions = [subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.state.in_(starts)]
    if list_key is not None:
        conditions.append(subscriptions.c.list_id == list_row(connection, list_key).id)
    values = {"state": target, "reason": reason, "paused_until": until, "changed_at": now}
    statement = update(subscriptions).where(*conditions).values(values).returning(subscriptions.c.list_id)
    moved = connection.scalars(statement).all()
    query = select(lists.c.key, lists.c.id).where(lists.c.id.in_(moved)).order_by(lists.c.key)
    return {row.key: row.id for row in connection.execute(query)}


def complain(
    connection: Connection,
    subscriber_id: int,
    list_key: str | None,
    now: datetime,
    how: str,
    evidence: Evidence = NO_EVIDENCE,
) -> tuple[str, ...]:
    """Someone reported mail of a list as unwanted: they leave every list, its brand may mail them no more.

    Gives the lists they left by this call.
    """
    person = get(connection, subscriber_id)
    left = move_subscriptions(
        connection, subscriber_id, None, SubscriptionState.UNSUBSCRIBED, now, LEAVING, reason="complaint"
    )
    if person.state is PersonState.PRESENT:
        move_address(connection, subscriber_id, AddressState.COMPLAINED, how, now)
        brand = list_row(connection, list_key).brand if list_key else ""
        hash_ = hash_of(connection, subscriber_id)
        reason = {"scope": Scope.BRAND, "scope_key": brand, "reason": Reason.COMPLAINT}
        suppress(connection, [hash_], **reason, now=now, evidence=how)  # type: ignore[arg-type]
        record(connection, subscriber_id, left.values() or [None], ConsentKind.COMPLAINED, how, now, evidence)
    return tuple(left)


def lose(connection: Connection, subscriber_id: int, now: datetime, reason: str) -> bool:
    """Mail to someone came back for good: no list mails that address again; give whether that is news.

    The subscriptions stay as they are: with `move` the person reads on.
    """
    if not move_address(connection, subscriber_id, AddressState.UNREACHABLE, reason, now):
        return False
    hash_ = hash_of(connection, subscriber_id)
    suppress(connection, [hash_], scope=Scope.EVERYTHING, reason=Reason.DEAD, now=now, evidence=reason)
    return True
