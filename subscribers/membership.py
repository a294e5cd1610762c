"""What happens to people: joining, pausing, leaving, moving, complaining, being forgotten.

Every verb runs in the caller's transaction, moves states along the tables of status.py alone and writes down
why. None of them brings back a person who left, complained or is dead, unless `revive` asks for that very
thing, and then it is recorded; a manual block is not even then undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from subscribers.address import Address, parse_address
from subscribers.audience import JOINED
from subscribers.consent import NO_EVIDENCE, Evidence, record
from subscribers.errors import AddressTaken, UnknownSubscriber, WillNotRevive
from subscribers.profile import Profile, merge_profile, set_tags
from subscribers.roster import Person, find, get, list_row
from subscribers.status import (
    ADDRESS_MOVES,
    PERSON_MOVES,
    SUBSCRIPTION_MOVES,
    AddressState,
    ConsentKind,
    PersonState,
    Reason,
    Scope,
    SubscriptionState,
    sources,
)
from subscribers.suppression import carry_over, forget_evidence, lift, list_suppressions, suppress, suppressed
from subscribers.tables import addresses, consents, import_changes, lists, subscribers, subscriptions, tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

_LEAVING = sources(SUBSCRIPTION_MOVES, SubscriptionState.UNSUBSCRIBED)


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
    person = find(connection, address.email)
    obstacles = _obstacles(connection, person, address.hash(hash_key), list_key, list_id, now)
    if obstacles and (not revive or Reason.MANUAL in obstacles):
        raise WillNotRevive(address.email, next(iter(obstacles.values())))
    if obstacles:
        _revive(connection, person, address.hash(hash_key), list_id, basis, now)
    profile = Profile(name, language, time_zone, attributes or {}, tuple(tags))
    subscriber_id = person.id if person else _insert(connection, address, hash_key, now)
    merge_profile(connection, subscriber_id, profile, now)
    details = {"revived": list(obstacles)} if obstacles else {}
    _join(connection, subscriber_id, list_id, basis, now, Evidence(details=details))
    return get(connection, subscriber_id)


def _obstacles(
    connection: Connection, person: Person | None, hash_: bytes, list_key: str, list_id: int, now: datetime
) -> dict[str, str]:
    """Give what stands against mailing them, by its name, as sentences."""
    found: dict[str, str] = {}
    for each in suppressed(connection, hash_, list_id, now):
        found[each.reason] = f"suppressed since {each.created_at:%Y-%m-%d} ({each.reason})"
    subscription = person.subscription(list_key) if person else None
    if subscription and subscription.state is SubscriptionState.UNSUBSCRIBED:
        found["unsubscribed"] = f"left {list_key} on {subscription.changed_at:%Y-%m-%d}"
    if person and person.address_state is AddressState.UNREACHABLE:
        found["dead"] = f"mail to them comes back ({person.address_reason})"
    if person and person.address_state is AddressState.COMPLAINED:
        found["complaint"] = "they reported our mail as unwanted"
    return found


def _revive(
    connection: Connection, person: Person | None, hash_: bytes, list_id: int, why: str, now: datetime
) -> None:
    lift(connection, hash_, now=now, why=f"revived: {why}", list_id=list_id)
    if person:
        _move_address(connection, person.id, AddressState.REACHABLE, None, now)


def _insert(connection: Connection, address: Address, hash_key: bytes, now: datetime) -> int:
    row = {"state": PersonState.PRESENT, "attributes": {}, "created_at": now, "updated_at": now}
    subscriber_id: int = connection.execute(
        insert(subscribers).values(row).returning(subscribers.c.id)
    ).scalar_one()
    _insert_address(connection, subscriber_id, address, address.hash(hash_key), now)
    return subscriber_id


def _insert_address(
    connection: Connection, subscriber_id: int, address: Address, hash_: bytes, now: datetime
) -> None:
    row = {
        "subscriber_id": subscriber_id,
        "email": address.email,
        "normalized": address.normalized,
        "domain": address.domain,
        "hash": hash_,
        "state": AddressState.REACHABLE,
        "changed_at": now,
    }
    connection.execute(insert(addresses).values(row))


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
    left = _move(connection, subscriber_id, list_key, target, now, _LEAVING, reason=how)
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
    held = _move(connection, subscriber_id, list_key, paused, now, starts, reason=how, until=until)
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
    back = _move(connection, subscriber_id, list_key, active, now, paused)
    record(connection, subscriber_id, back.values(), ConsentKind.RESUMED, how, now, evidence)
    return tuple(back)


def _move(
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
    left = _move(
        connection, subscriber_id, None, SubscriptionState.UNSUBSCRIBED, now, _LEAVING, reason="complaint"
    )
    if person.state is PersonState.PRESENT:
        _move_address(connection, subscriber_id, AddressState.COMPLAINED, how, now)
        brand = list_row(connection, list_key).brand if list_key else ""
        hash_ = _hash(connection, subscriber_id)
        reason = {"scope": Scope.BRAND, "scope_key": brand, "reason": Reason.COMPLAINT}
        suppress(connection, [hash_], **reason, now=now, evidence=how)  # type: ignore[arg-type]
        record(connection, subscriber_id, left.values() or [None], ConsentKind.COMPLAINED, how, now, evidence)
    return tuple(left)


def lose(connection: Connection, subscriber_id: int, now: datetime, reason: str) -> bool:
    """Mail to someone came back for good: no list mails that address again; give whether that is news.

    The subscriptions stay as they are: with `move` the person reads on.
    """
    if not _move_address(connection, subscriber_id, AddressState.UNREACHABLE, reason, now):
        return False
    hash_ = _hash(connection, subscriber_id)
    suppress(connection, [hash_], scope=Scope.EVERYTHING, reason=Reason.DEAD, now=now, evidence=reason)
    return True


def _move_address(
    connection: Connection, subscriber_id: int, target: AddressState, reason: str | None, now: datetime
) -> bool:
    allowed = sources(ADDRESS_MOVES, target)
    mine = (addresses.c.subscriber_id == subscriber_id, addresses.c.state.in_(allowed))
    values = {"state": target, "reason": reason, "changed_at": now}
    return bool(connection.execute(update(addresses).where(*mine).values(values)).rowcount)


def _hash(connection: Connection, subscriber_id: int) -> bytes:
    hash_ = connection.scalar(select(addresses.c.hash).where(addresses.c.subscriber_id == subscriber_id))
    if hash_ is None:
        raise UnknownSubscriber(f"nobody with an address has the id {subscriber_id}")
    return bytes(hash_)


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
    address, person = parse_address(email), get(connection, subscriber_id)
    old, new = _hash(connection, subscriber_id), address.hash(hash_key)
    if (other := find(connection, address.email)) and other.id != subscriber_id:
        raise AddressTaken(f"{address.email} belongs to another subscriber (id {other.id})")
    if old == new:
        connection.execute(
            update(addresses).where(addresses.c.subscriber_id == subscriber_id).values(email=address.email)
        )
        return get(connection, subscriber_id)
    _refuse_suppressed(connection, address, new, now)
    connection.execute(delete(addresses).where(addresses.c.subscriber_id == subscriber_id))
    _insert_address(connection, subscriber_id, address, new, now)
    if person.address_state is AddressState.COMPLAINED:
        _move_address(connection, subscriber_id, AddressState.COMPLAINED, person.address_reason, now)
    carry_over(connection, old, new, now)
    connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id).values(updated_at=now))
    record(connection, subscriber_id, [None], ConsentKind.MOVED, how, now, evidence)
    return get(connection, subscriber_id)


def _refuse_suppressed(connection: Connection, address: Address, hash_: bytes, now: datetime) -> None:
    for each in list_suppressions(connection, hash_=hash_):
        if each.expires_at is None or each.expires_at > now:
            raise WillNotRevive(address.email, f"suppressed since {each.created_at:%Y-%m-%d} ({each.reason})")


def tag(
    connection: Connection,
    subscriber_id: int,
    now: datetime,
    *,
    add: Iterable[str] = (),
    remove: Iterable[str] = (),
) -> Person:
    """Put tags on someone and take others off; raises UnknownSubscriber."""
    person = get(connection, subscriber_id)
    wanted = (set(person.tags) | set(add)) - set(remove)
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
    person = get(connection, subscriber_id)
    if person.state not in sources(PERSON_MOVES, PersonState.ERASED):
        return False
    hash_ = _hash(connection, subscriber_id)
    _move(connection, subscriber_id, None, SubscriptionState.UNSUBSCRIBED, now, _LEAVING)
    suppress(connection, [hash_], scope=Scope.EVERYTHING, reason=Reason.ERASURE, now=now)
    forget_evidence(connection, hash_)
    for table in (addresses, tags, consents, import_changes):
        connection.execute(delete(table).where(table.c.subscriber_id == subscriber_id))
    blank: dict[str, Any] = {"name": "", "language": None, "time_zone": None, "attributes": {}}
    mine = subscribers.c.id == subscriber_id
    values = {**blank, "state": PersonState.ERASED, "import_id": None, "updated_at": now}
    connection.execute(update(subscribers).where(mine).values(values))
    others = subscriptions.c.subscriber_id == subscriber_id
    connection.execute(update(subscriptions).where(others).values(reason="erased"))
    return True
