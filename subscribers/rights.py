"""What a person may ask of whoever holds their data: to be moved, sorted, and forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, update

from subscribers.address import Address, parse_address
from subscribers.consent import NO_EVIDENCE, Evidence, record
from subscribers.errors import AddressTaken, WillNotRevive
from subscribers.holding import hold
from subscribers.mailbox import hash_of, insert_address, move_address
from subscribers.membership import LEAVING, move_subscriptions
from subscribers.profile import clean_tags, set_tags
from subscribers.requests import address_moves, signups
from subscribers.roster import Person, find, get
from subscribers.status import (
    PERSON_MOVES,
    AddressState,
    ConsentKind,
    PersonState,
    Reason,
    Scope,
    SubscriptionState,
    sources,
)
from subscribers.suppression import carry_over, forget_evidence, in_force_for, lift, suppress, was_dead
from subscribers.tables import addresses, consents, import_changes, subscribers, subscriptions, tags

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection


def move(
    connection: Connection,
    subscriber_id: int,
    email: str,
    *,
    now: datetime,
    hash_key: bytes,
    how: str,
    evidence: Evidence = NO_EVIDENCE,
) -> Person:
    """Let someone's mail go to another address.

    What forbade mail to the old address forbids it to the new one, unless the old one was dead. Raises
    InvalidAddress, UnknownSubscriber, AddressTaken, and WillNotRevive where the new address is suppressed
    itself.
    """
    address = parse_address(email)
    hold(connection, subscriber_id)
    old, new = hash_of(connection, subscriber_id), address.hash(hash_key)
    if (other := find(connection, address.email)) and other.id != subscriber_id:
        raise AddressTaken(f"{address.email} belongs to another subscriber (id {other.id})")
    if old == new:
        connection.execute(
            update(addresses).where(addresses.c.subscriber_id == subscriber_id).values(email=address.email)
        )
        return get(connection, subscriber_id)
    _refuse_suppressed(connection, get(connection, subscriber_id), address, new, now)
    lift(connection, new, now=now, why="its owner came back to it", only=Reason.MOVED)
    relocate(connection, subscriber_id, address, new, now)
    record(connection, subscriber_id, [None], ConsentKind.MOVED, how, now, evidence)
    return get(connection, subscriber_id)


def relocate(
    connection: Connection, subscriber_id: int, address: Address, hash_: bytes, now: datetime
) -> None:
    """Put another address in the place of a person's own, with what forbade mail to that one."""
    person, old = get(connection, subscriber_id), hash_of(connection, subscriber_id)
    connection.execute(delete(addresses).where(addresses.c.subscriber_id == subscriber_id))
    insert_address(connection, subscriber_id, address, hash_, now)
    if person.address_state is AddressState.COMPLAINED:
        move_address(connection, subscriber_id, AddressState.COMPLAINED, person.address_reason, now)
    carry_over(connection, old, hash_, now)
    _leave_behind(connection, person, old, now)
    connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(updated_at=now))


def _leave_behind(connection: Connection, person: Person, old: bytes, now: datetime) -> None:
    """Let a mailbox keep what its owner left, who moves away: their leavings go with them, and the next has none."""
    for each in person.subscriptions:
        if each.state is SubscriptionState.UNSUBSCRIBED:
            suppress(
                connection,
                [old],
                scope=Scope.LIST,
                scope_key=each.list_key,
                reason=Reason.UNSUBSCRIBED,
                now=now,
                evidence="left before its owner moved away",
            )


def _refuse_suppressed(
    connection: Connection, person: Person, address: Address, hash_: bytes, now: datetime
) -> None:
    """Refuse an address that must not be mailed.

    That its owner moved away alone is no reason, if it was alive; nor is it that it left lists that this person has
    left, too.
    """
    unread = {each.list_key for each in person.subscriptions if each.state is SubscriptionState.UNSUBSCRIBED}
    for each in in_force_for(connection, hash_, now):
        if each.reason is Reason.MOVED and not was_dead(connection, each):
            continue
        if each.reason is Reason.UNSUBSCRIBED and each.scope is Scope.LIST and each.scope_key in unread:
            continue
        reason = Reason.DEAD if each.reason is Reason.MOVED else each.reason
        raise WillNotRevive(address.email, f"suppressed since {each.created_at:%Y-%m-%d} ({reason})")


def tag(
    connection: Connection,
    subscriber_id: int,
    now: datetime,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> Person:
    """Put tags on someone and take others off; raises UnknownSubscriber."""
    hold(connection, subscriber_id)
    person = get(connection, subscriber_id)
    wanted = (set(person.tags) | set(add)) - set(clean_tags(remove))
    if set_tags(connection, subscriber_id, wanted):
        connection.execute(
            update(subscribers).where(subscribers.c.id == subscriber_id).values(updated_at=now)
        )
    return get(connection, subscriber_id)


def erase(connection: Connection, subscriber_id: int, now: datetime) -> bool:
    """Forget a person; give whether there was anything to forget.

    What is left is an id, that they left, and a hash that keeps their address from ever being mailed again.
    Raises UnknownSubscriber.
    """
    hold(connection, subscriber_id)
    person = get(connection, subscriber_id)
    if person.state not in sources(PERSON_MOVES, PersonState.ERASED):
        return False
    hash_ = hash_of(connection, subscriber_id)
    move_subscriptions(connection, subscriber_id, None, SubscriptionState.UNSUBSCRIBED, now, LEAVING)
    suppress(connection, [hash_], scope=Scope.EVERYTHING, reason=Reason.ERASURE, now=now)
    for each in person.subscriptions:  # so that coming back to one list is not coming back to all of them
        suppress(
            connection, [hash_], scope=Scope.LIST, scope_key=each.list_key, reason=Reason.ERASURE, now=now
        )
    forget_evidence(connection, hash_)
    for table in (addresses, tags, consents, import_changes, signups, address_moves):
        connection.execute(delete(table).where(table.c.subscriber_id == subscriber_id))
    blank: dict[str, Any] = {
        "name": "",
        "language": None,
        "time_zone": None,
        "attributes": {},
        "import_id": None,
    }
    mine = update(subscribers).where(subscribers.c.id == subscriber_id)
    connection.execute(mine.values(**blank, state=PersonState.ERASED, updated_at=now))
    others = subscriptions.c.subscriber_id == subscriber_id
    connection.execute(update(subscriptions).where(others).values(reason="erased"))
    return True


def erase_address(connection: Connection, email: str, *, now: datetime, hash_key: bytes) -> None:
    """See to it that an address which nobody has is never mailed either, and forget what was noted beside it.

    Raises InvalidAddress.
    """
    hash_ = parse_address(email).hash(hash_key)
    suppress(connection, [hash_], scope=Scope.EVERYTHING, reason=Reason.ERASURE, now=now)
    forget_evidence(connection, hash_)
