"""Signing up: a request that waits until its mailbox confirms it. Nobody becomes a reader by it.

Whoever asks may be anybody: what they type (a name, a language) is kept aside until the confirmation, and a stranger
who types a reader's address changes nothing for the reader. A manual block alone refuses; whoever left, complained,
bounced or was erased may ask anew, and only the answer from the mailbox counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from subscribers.address import parse_address
from subscribers.audience import JOINED
from subscribers.consent import AGENT_LENGTH, Evidence, record
from subscribers.errors import SubscribersError, UnknownSubscriber
from subscribers.holding import hold
from subscribers.joining import insert_person
from subscribers.network import network_prefix
from subscribers.profile import clean_language, clean_line
from subscribers.requests import Form, form_of, keep_form, signups
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
from subscribers.suppression import suppressed
from subscribers.tables import addresses, lists, subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

VALID_FOR = timedelta(days=7)
SAME_FOR = timedelta(minutes=15)
MOST_LISTS = 50


class SignUpOutcome(StrEnum):
    """What a sign-up asks for next. Whoever signed up is told the same of all three."""

    CONFIRM = "confirm"  # a letter must ask the mailbox
    ALREADY = "already"  # an active reader of all these lists
    BLOCKED = "blocked"  # by hand: no letter


@dataclass(frozen=True, slots=True)
class SignUp:
    """What became of a sign-up: `lists` wait for the mailbox, `already` are read already.

    `id` is that of the request that waits; without one there is nothing to confirm.
    """

    outcome: SignUpOutcome
    id: int | None
    subscriber_id: int | None
    email: str
    lists: tuple[str, ...]
    already: tuple[str, ...]
    language: str | None = None
    expires_at: datetime | None = None


def sign_up(  # noqa: PLR0913 - what must be proven later has that many sides; all are named
    connection: Connection,
    *,
    email: str,
    list_keys: Sequence[str],
    now: datetime,
    hash_key: bytes,
    form: Form,
    network: str | None = None,
    agent: str | None = None,
    language: str | None = None,
    name: str = "",
    valid_for: timedelta = VALID_FOR,
) -> SignUp:
    """Let someone ask for lists of one brand; whoever has that mailbox must confirm it.

    The same again within a quarter of an hour is the same request. Raises InvalidAddress, UnknownList, and
    SubscribersError for no list at all or lists of several brands.
    """
    address = parse_address(email)
    rows = _lists_of_one_brand(connection, list_keys)
    person = find(connection, address.email)
    hash_ = address.hash(hash_key)
    standing = {row.key: _standing(connection, person, hash_, row, now) for row in rows}
    wanted = [row for row in rows if standing[row.key] is SignUpOutcome.CONFIRM]
    already = tuple(key for key, each in standing.items() if each is SignUpOutcome.ALREADY)
    language = clean_language(language)
    if not wanted:
        outcome = SignUpOutcome.ALREADY if already else SignUpOutcome.BLOCKED
        return SignUp(outcome, None, person.id if person else None, address.email, (), already, language)
    subscriber_id = person.id if person else insert_person(connection, address, hash_key, now)
    hold(connection, subscriber_id)  # two requests of one person would both make the same subscription
    asked = _asked(network, agent, name, language)
    asked |= {"list_ids": sorted(each.id for each in wanted), "at": now, "expires_at": now + valid_for}
    id_, expires_at = _request(connection, subscriber_id, form, asked)
    keys, outcome = tuple(each.key for each in wanted), SignUpOutcome.CONFIRM
    return SignUp(outcome, id_, subscriber_id, address.email, keys, already, language, expires_at)


def _asked(network: str | None, agent: str | None, name: str, language: str | None) -> dict[str, Any]:
    """Give what is kept of who asked, cleaned and shortened. Pure."""
    return {
        "name": clean_line(name),
        "language": language,
        "network": network_prefix(network),
        "agent": clean_line(agent or "", AGENT_LENGTH) or None,
    }


def _lists_of_one_brand(connection: Connection, keys: Sequence[str]) -> list[Row[Any]]:
    if not 0 < len(set(keys)) <= MOST_LISTS:
        raise SubscribersError("a sign-up names at least one list")
    rows = [list_row(connection, key) for key in dict.fromkeys(keys)]
    if len({row.brand for row in rows}) > 1:
        raise SubscribersError("one sign-up is for lists of one brand")
    return rows


def _standing(
    connection: Connection, person: Person | None, hash_: bytes, row: Row[Any], now: datetime
) -> SignUpOutcome:
    obstacles = {each.reason for each in suppressed(connection, hash_, row.id, now)}
    if Reason.MANUAL in obstacles:
        return SignUpOutcome.BLOCKED
    subscription = person.subscription(row.key) if person else None
    reads = subscription is not None and subscription.state in JOINED
    reached = person is not None and person.address_state is AddressState.REACHABLE
    return SignUpOutcome.ALREADY if reads and reached and not obstacles else SignUpOutcome.CONFIRM


def _address_id(connection: Connection, subscriber_id: int) -> int:
    found = connection.scalar(select(addresses.c.id).where(addresses.c.subscriber_id == subscriber_id))
    if found is None:
        raise UnknownSubscriber(f"nobody with an address has the id {subscriber_id}")
    return int(found)


def _request(
    connection: Connection, subscriber_id: int, form: Form, asked: dict[str, Any]
) -> tuple[int, datetime]:
    """Write the request down, or give the one that stands already."""
    row = {
        **asked,
        "subscriber_id": subscriber_id,
        "address_id": _address_id(connection, subscriber_id),
        "form_hash": keep_form(connection, form, asked["at"]),
    }
    changed = _make_pending(connection, row["subscriber_id"], row["list_ids"], row["at"])
    if not changed and (standing := _same_request(connection, row)):
        return standing.id, standing.expires_at
    signup_id = connection.execute(insert(signups).values(row).returning(signups.c.id)).scalar_one()
    details = {"sign-up": signup_id, "form": form.version, "form hash": row["form_hash"]}
    evidence = Evidence(row["network"], row["agent"], details)
    kind, basis = ConsentKind.REQUESTED, f"form {form.version}"
    record(connection, row["subscriber_id"], row["list_ids"], kind, basis, row["at"], evidence)
    return signup_id, row["expires_at"]


def _make_pending(connection: Connection, subscriber_id: int, list_ids: Sequence[int], now: datetime) -> int:
    """Make pending what is not; give how many subscriptions changed. Whoever is active stays so."""
    mine = subscriptions.c.subscriber_id == subscriber_id
    known = set(connection.scalars(select(subscriptions.c.list_id).where(mine)))
    pending = SubscriptionState.PENDING
    fresh = [
        {
            "list_id": each,
            "subscriber_id": subscriber_id,
            "state": pending,
            "joined_at": now,
            "changed_at": now,
        }
        for each in list_ids
        if each not in known
    ]
    if fresh:
        connection.execute(insert(subscriptions), fresh)
    allowed = subscriptions.c.state.in_(sources(SUBSCRIPTION_MOVES, pending))
    values = {"state": pending, "reason": None, "paused_until": None, "changed_at": now}
    anew = update(subscriptions).where(mine, subscriptions.c.list_id.in_(list_ids), allowed)
    return len(fresh) + connection.execute(anew.values(values)).rowcount


def _same_request(connection: Connection, row: dict[str, Any]) -> Row[Any] | None:
    query = select(signups).where(
        signups.c.subscriber_id == row["subscriber_id"],
        signups.c.address_id == row["address_id"],
        signups.c.confirmed_at.is_(None),
        signups.c.at > row["at"] - SAME_FOR,
        signups.c.expires_at > row["at"],
    )
    found = connection.execute(query.order_by(signups.c.id.desc())).all()
    return next((each for each in found if each.list_ids == row["list_ids"]), None)


def sign_up_again(
    connection: Connection,
    subscriber_id: int,
    signup_id: int,
    *,
    now: datetime,
    hash_key: bytes,
    network: str | None = None,
    agent: str | None = None,
    valid_for: timedelta = VALID_FOR,
) -> SignUp | None:
    """Repeat a request whose link came too late; None where there is none that can be repeated."""
    mine = (signups.c.id == signup_id, signups.c.subscriber_id == subscriber_id)
    row = connection.execute(select(signups).where(*mine, signups.c.confirmed_at.is_(None))).first()
    if row is None or (form := form_of(connection, row.form_hash)) is None:
        return None
    person = get(connection, subscriber_id)
    if person.state is not PersonState.PRESENT or person.email is None:
        return None
    if row.address_id != _address_id(connection, subscriber_id):
        return None
    keys = connection.scalars(select(lists.c.key).where(lists.c.id.in_(row.list_ids))).all()
    return sign_up(
        connection,
        email=person.email,
        list_keys=keys,
        now=now,
        hash_key=hash_key,
        form=form,
        network=network,
        agent=agent,
        language=row.language,
        name=row.name,
        valid_for=valid_for,
    )


def note_letter(connection: Connection, signup_id: int, message_id: str) -> None:
    """Keep the Message-ID of the letter that asks for the confirmation: it is part of the proof."""
    connection.execute(update(signups).where(signups.c.id == signup_id).values(message_id=message_id))
