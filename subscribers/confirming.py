"""The answer from the mailbox: what was asked for is confirmed, and is a new consent.

It lifts every suppression of these lists but a manual block, and the address is reachable again. A link that was used
says so; it brings nobody back who left since. Deciding is apart from doing: a page that is only looked at (link
scanners look at every one) asks `look_at_sign_up`, which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from subscribers.audience import JOINED
from subscribers.consent import Evidence, record
from subscribers.errors import UnknownSubscriber
from subscribers.holding import hold
from subscribers.mailbox import hash_of, move_address
from subscribers.profile import Profile, merge_profile
from subscribers.requests import forms, signups
from subscribers.roster import get
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
from subscribers.tables import addresses, lists, subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from subscribers.roster import Person


class ConfirmOutcome(StrEnum):
    """What a confirmation came to."""

    CONFIRMED = "confirmed"
    ALREADY = "already"  # the link was used, and they still read these lists
    LEFT = "left"  # they left since: an old link brings nobody back
    EXPIRED = "expired"  # a new letter can be asked for
    BLOCKED = "blocked"  # by hand, since
    UNKNOWN = "unknown"  # cleaned away, or the person is gone or has moved


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a confirmation came to: `lists` are those of the request, `confirmed` are read from now on."""

    outcome: ConfirmOutcome
    subscriber_id: int
    lists: tuple[str, ...] = ()
    confirmed: tuple[str, ...] = ()


def look_at_sign_up(
    connection: Connection, subscriber_id: int, signup_id: int, now: datetime
) -> Confirmation:
    """Give what `confirm` would say now, and change nothing."""
    return _decide(connection, _request(connection, subscriber_id, signup_id), subscriber_id, now)


def confirm(
    connection: Connection, subscriber_id: int, signup_id: int, now: datetime, evidence: Evidence
) -> Confirmation:
    """Let the mailbox that was asked confirm; `evidence` says from where. Twice does nothing the second time."""
    hold(connection, subscriber_id)
    row = _request(connection, subscriber_id, signup_id, lock=True)
    decided = _decide(connection, row, subscriber_id, now)
    if decided.outcome is not ConfirmOutcome.CONFIRMED or row is None:
        return decided
    connection.execute(update(signups).where(signups.c.id == signup_id).values(confirmed_at=now))
    hash_ = hash_of(connection, subscriber_id)
    ids = _ids(connection, decided.confirmed)
    for list_id in ids.values():
        lift(connection, hash_, now=now, why="confirmed anew from the mailbox", list_id=list_id)
    move_address(connection, subscriber_id, AddressState.REACHABLE, None, now)
    _activate(connection, subscriber_id, list(ids.values()), now)
    _complete(connection, get(connection, subscriber_id), row, now)
    proof = Evidence(evidence.network, evidence.agent, {**_asked(connection, row), **evidence.details})
    record(connection, subscriber_id, ids.values(), ConsentKind.CONFIRMED, "double opt-in", now, proof)
    return decided


def _request(
    connection: Connection, subscriber_id: int, signup_id: int, *, lock: bool = False
) -> Row[Any] | None:
    query = select(signups).where(signups.c.id == signup_id, signups.c.subscriber_id == subscriber_id)
    return connection.execute(query.with_for_update() if lock else query).first()


def _decide(connection: Connection, row: Row[Any] | None, subscriber_id: int, now: datetime) -> Confirmation:
    unknown = Confirmation(ConfirmOutcome.UNKNOWN, subscriber_id)
    if row is None or not _has_mailbox(connection, subscriber_id, row.address_id):
        return unknown
    person = get(connection, subscriber_id)
    query = select(lists.c.key, lists.c.id).where(lists.c.id.in_(row.list_ids)).order_by(lists.c.key)
    ids = {each.key: each.id for each in connection.execute(query)}
    told = replace(unknown, lists=tuple(ids))
    waiting = [key for key in ids if _waits(person, key)]
    if row.confirmed_at is not None:
        reads = any((each := person.subscription(key)) and each.state in JOINED for key in ids)
        return replace(told, outcome=ConfirmOutcome.ALREADY if reads else ConfirmOutcome.LEFT)
    if not waiting:
        return replace(told, outcome=ConfirmOutcome.LEFT)
    if now >= row.expires_at:
        return replace(told, outcome=ConfirmOutcome.EXPIRED)
    hash_ = hash_of(connection, subscriber_id)
    free = tuple(key for key in waiting if not _blocked(connection, hash_, ids[key], now))
    outcome = ConfirmOutcome.CONFIRMED if free else ConfirmOutcome.BLOCKED
    return replace(told, outcome=outcome, confirmed=free)


def _has_mailbox(connection: Connection, subscriber_id: int, address_id: int) -> bool:
    """Tell whether the mailbox that was asked still is this person's."""
    mine = (addresses.c.id == address_id, addresses.c.subscriber_id == subscriber_id)
    return connection.scalar(select(addresses.c.id).where(*mine)) is not None


def _waits(person: Person, key: str) -> bool:
    """Tell whether a list still waits for the answer: pending, or read at an address that was given up."""
    subscription = person.subscription(key)
    return subscription is not None and subscription.state in {SubscriptionState.PENDING, *JOINED}


def _blocked(connection: Connection, hash_: bytes, list_id: int, now: datetime) -> bool:
    return any(each.reason is Reason.MANUAL for each in suppressed(connection, hash_, list_id, now))


def _ids(connection: Connection, keys: Sequence[str]) -> dict[str, int]:
    query = select(lists.c.key, lists.c.id).where(lists.c.key.in_(keys)).order_by(lists.c.key)
    return {row.key: row.id for row in connection.execute(query)}


def _activate(connection: Connection, subscriber_id: int, list_ids: Sequence[int], now: datetime) -> None:
    """Move to active what waits. Whoever was active stays so, and joined when they joined."""
    # Of those from which a move to active is allowed, not `unsubscribed`: who left since must ask anew.
    allowed = [
        state
        for state in sources(SUBSCRIPTION_MOVES, SubscriptionState.ACTIVE)
        if state is not SubscriptionState.UNSUBSCRIBED
    ]
    values = {"state": SubscriptionState.ACTIVE, "reason": None, "paused_until": None, "changed_at": now}
    for state in allowed:
        mine = (
            subscriptions.c.subscriber_id == subscriber_id,
            subscriptions.c.list_id.in_(list_ids),
            subscriptions.c.state == state,
        )
        joined = {"joined_at": now} if state is SubscriptionState.PENDING else {}
        connection.execute(update(subscriptions).where(*mine).values({**values, **joined}))


def _complete(connection: Connection, person: Person, row: Row[Any], now: datetime) -> None:
    """Take over what was typed at the sign-up, where nothing is known yet."""
    if person.state is not PersonState.PRESENT:
        raise UnknownSubscriber(f"nobody has the id {person.id}")
    name = "" if person.name else row.name
    language = None if person.language else row.language
    merge_profile(connection, person.id, Profile(name=name, language=language), now)


def _asked(connection: Connection, row: Row[Any]) -> dict[str, object]:
    """Give what is known of the request, so that the line proves itself when the request is long gone."""
    version = connection.scalar(select(forms.c.version).where(forms.c.hash == row.form_hash))
    asked = {
        "sign-up": row.id,
        "form": version,
        "form hash": row.form_hash,
        "asked at": row.at.isoformat(),
        "asked from": row.network,
        "asked with": row.agent,
        "letter": row.message_id,
    }
    return {name: value for name, value in asked.items() if value is not None}
