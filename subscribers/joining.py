"""Joining a list by the operator's word, and coming back to it.

Nobody who left, complained, is dead or suppressed is brought back, unless `revive` asks for that very thing;
then it is recorded. A manual block is not even then undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from subscribers.address import Address, parse_address
from subscribers.audience import JOINED
from subscribers.consent import Evidence, record
from subscribers.errors import WillNotRevive
from subscribers.holding import hold
from subscribers.mailbox import insert_address, move_address
from subscribers.profile import Profile, merge_profile
from subscribers.roster import Person, find, get, list_row
from subscribers.status import (
    SUBSCRIPTION_MOVES,
    AddressState,
    ConsentKind,
    PersonState,
    Reason,
    SubscriptionState,
    sources,
)
from subscribers.suppression import lift, suppressed
from subscribers.tables import addresses, consents, subscribers, subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

_LEFT = (ConsentKind.WITHDRAWN, ConsentKind.COMPLAINED)


def add(  # noqa: PLR0913 - one person has that many sides; all but two are optional and named
    connection: Connection,
    *,
    email: str,
    list_key: str,
    now: datetime,
    hash_key: bytes,
    basis: str,
    name: str = "",
    language: str | None = None,
    time_zone: str | None = None,
    attributes: Mapping[str, object] | None = None,
    tags: Iterable[str] = (),
    revive: bool = False,
) -> Person:
    """Make someone an active reader by the operator's word; `basis` says by what right, and is recorded.

    Whoever is a reader already has name, language, time zone, attributes and tags brought up to date, and
    stays paused if they were. Raises InvalidAddress, UnknownList, and WillNotRevive without `revive` for
    those who left, complained, are dead or suppressed; with it for a manual block.
    """
    address = parse_address(email)
    list_id = list_row(connection, list_key).id
    person = _held(connection, address)
    obstacles = _obstacles(connection, person, address.hash(hash_key), list_key, list_id, now)
    if obstacles and (not revive or Reason.MANUAL in obstacles):
        raise WillNotRevive(address.email, next(iter(obstacles.values())))
    if obstacles:
        _revive(connection, person, address.hash(hash_key), list_id, basis, now)
    profile = Profile(name, language, time_zone, attributes or {}, tuple(tags))
    subscriber_id = person.id if person else insert_person(connection, address, hash_key, now)
    merge_profile(connection, subscriber_id, profile, now)
    details = {"revived": list(obstacles)} if obstacles else {}
    _join(connection, subscriber_id, list_id, basis, now, Evidence(details=details))
    return get(connection, subscriber_id)


def _held(connection: Connection, address: Address) -> Person | None:
    """Give the person with that address, whom nobody else changes or erases from here on."""
    if person := find(connection, address.email):
        hold(connection, person.id)
        person = find(connection, address.email)
    return person


def _obstacles(
    connection: Connection, person: Person | None, hash_: bytes, list_key: str, list_id: int, now: datetime
) -> dict[str, str]:
    """Give what stands against mailing them, by its name, as sentences."""
    found: dict[str, str] = {}
    for each in suppressed(connection, hash_, list_id, now):
        found[each.reason] = f"suppressed since {each.created_at:%Y-%m-%d} ({each.reason})"
    if person and (left := _left(connection, person, list_key, list_id)):
        found["unsubscribed"] = f"left {list_key} on {left:%Y-%m-%d}"
    if person and person.address_state is AddressState.UNREACHABLE:
        found["dead"] = f"mail to them comes back ({person.address_reason})"
    if person and person.address_state is AddressState.COMPLAINED:
        found["complaint"] = "they reported our mail as unwanted"
    return found


def _left(connection: Connection, person: Person, list_key: str, list_id: int) -> datetime | None:
    """Give when they left. A request since, which anybody may have typed, changes nothing of it."""
    subscription = person.subscription(list_key)
    if subscription is None or subscription.state in JOINED:
        return None
    if subscription.state is SubscriptionState.UNSUBSCRIBED:
        return subscription.changed_at
    said = (consents.c.subscriber_id == person.id, consents.c.list_id == list_id, consents.c.kind.in_(_LEFT))
    return connection.scalar(select(consents.c.at).where(*said).order_by(consents.c.id.desc()).limit(1))


def _revive(
    connection: Connection, person: Person | None, hash_: bytes, list_id: int, why: str, now: datetime
) -> None:
    lift(connection, hash_, now=now, why=f"revived: {why}", list_id=list_id)
    if person:
        move_address(connection, person.id, AddressState.REACHABLE, None, now)


def insert_person(connection: Connection, address: Address, hash_key: bytes, now: datetime) -> int:
    """Make a person with an address and nothing else; give their id, or that of whom another process made meanwhile."""
    row = {"state": PersonState.PRESENT, "attributes": {}, "created_at": now, "updated_at": now}
    subscriber_id: int = connection.execute(
        insert(subscribers).values(row).returning(subscribers.c.id)
    ).scalar_one()
    hash_ = address.hash(hash_key)
    if insert_address(connection, subscriber_id, address, hash_, now, unless_taken=True):
        return subscriber_id
    connection.execute(delete(subscribers).where(subscribers.c.id == subscriber_id))
    other: int = connection.execute(
        select(addresses.c.subscriber_id).where(addresses.c.normalized == address.normalized)
    ).scalar_one()
    hold(connection, other)
    return other


def _join(
    connection: Connection, subscriber_id: int, list_id: int, basis: str, now: datetime, evidence: Evidence
) -> None:
    mine = (subscriptions.c.subscriber_id == subscriber_id, subscriptions.c.list_id == list_id)
    state = connection.scalar(select(subscriptions.c.state).where(*mine))
    if state in JOINED and not evidence.details:
        return
    if state is None:
        row = {"subscriber_id": subscriber_id, "list_id": list_id, "state": SubscriptionState.ACTIVE}
        connection.execute(insert(subscriptions).values(**row, joined_at=now, changed_at=now))
    elif state not in JOINED:
        allowed = sources(SUBSCRIPTION_MOVES, SubscriptionState.ACTIVE)
        changes = {"state": SubscriptionState.ACTIVE, "paused_until": None, "reason": None}
        statement = update(subscriptions).where(*mine, subscriptions.c.state.in_(allowed))
        connection.execute(statement.values(**changes, joined_at=now, changed_at=now))
    record(connection, subscriber_id, [list_id], ConsentKind.ADDED, basis, now, evidence)
