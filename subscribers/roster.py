"""The people: found, listed and read. Frozen values come out, never rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from subscribers.address import parse_address
from subscribers.errors import InvalidAddress, SubscribersError, UnknownList, UnknownSubscriber
from subscribers.profile import composed
from subscribers.status import AddressState, PersonState, SubscriptionState
from subscribers.suppression import keep_reach
from subscribers.tables import addresses, lists, subscribers, subscriptions, tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select


@dataclass(frozen=True, slots=True)
class Subscription:
    """How a person stands to one list, since when and why."""

    list_key: str
    state: SubscriptionState
    paused_until: datetime | None
    reason: str | None
    joined_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """One person as we know them. Of an erased one nothing is left but the id and the states."""

    id: int
    email: str | None
    name: str
    language: str | None
    time_zone: str | None
    attributes: Mapping[str, Any]
    tags: tuple[str, ...]
    state: PersonState
    address_state: AddressState | None
    address_reason: str | None
    created_at: datetime
    subscriptions: tuple[Subscription, ...]

    def subscription(self, list_key: str) -> Subscription | None:
        """Give how they stand to a list, or None."""
        return next((each for each in self.subscriptions if each.list_key == list_key), None)


def ensure_lists(
    connection: Connection, keys: Iterable[str], now: datetime, *, brands: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Give the id of each list, making those that are new; `brands` says which brand a list belongs to.

    Whoever complained about a brand is not mailed by a list that has left it.
    """
    wanted = {key: (brands or {}).get(key, "") for key in keys}
    known = {row.key: row for row in connection.execute(select(lists).where(lists.c.key.in_(wanted)))}
    for key, brand in wanted.items():
        if key not in known:
            connection.execute(insert(lists).values(key=key, brand=brand, created_at=now))
        elif brands is not None and known[key].brand != brand:
            keep_reach(connection, key, known[key].brand)
            connection.execute(update(lists).where(lists.c.key == key).values(brand=brand))
    ids = connection.execute(select(lists.c.key, lists.c.id).where(lists.c.key.in_(wanted)))
    return {row.key: row.id for row in ids}


def list_ids(connection: Connection) -> dict[str, int]:
    """Give the id of each list there is."""
    return {
        row.key: row.id for row in connection.execute(select(lists.c.key, lists.c.id).order_by(lists.c.key))
    }


def list_row(connection: Connection, key: str) -> Row[Any]:
    """Give a list's row; raises UnknownList."""
    row = connection.execute(select(lists).where(lists.c.key == key)).one_or_none()
    if row is None:
        known = ", ".join(connection.scalars(select(lists.c.key).order_by(lists.c.key))) or "none"
        raise UnknownList(f"there is no list {key!r}; the lists are: {known}")
    return row


def find(connection: Connection, email: str) -> Person | None:
    """Give the person with that address, however it is written, or None."""
    try:
        address = parse_address(email)
    except InvalidAddress:
        return None
    return next(iter(_load(connection, _people().where(addresses.c.normalized == address.normalized))), None)


def get(connection: Connection, subscriber_id: int) -> Person:
    """Give the person with that id, erased ones too; raises UnknownSubscriber."""
    found = _load(connection, _people().where(subscribers.c.id == subscriber_id))
    if not found:
        raise UnknownSubscriber(f"nobody has the id {subscriber_id}")
    return found[0]


def people(
    connection: Connection,
    *,
    list_key: str | None = None,
    state: str | None = None,
    tag: str | None = None,
    after: int = 0,
    limit: int = 1000,
) -> Sequence[Person]:
    """Give the people in the order of their ids, `limit` at a time after the id `after`.

    Erased ones are left out. `state` is a subscription's state: of the list where one is named, else of any
    list. Raises UnknownList.
    """
    query = _people().where(subscribers.c.id > after, subscribers.c.state == PersonState.PRESENT)
    if list_key is not None or state is not None:
        query = query.where(subscribers.c.id.in_(_subscribed(connection, list_key, state)))
    if tag is not None:
        query = query.where(
            subscribers.c.id.in_(select(tags.c.subscriber_id).where(tags.c.tag == composed(tag)))
        )
    return _load(connection, query.order_by(subscribers.c.id).limit(limit))


def _subscribed(connection: Connection, list_key: str | None, state: str | None) -> Select[tuple[int]]:
    query = select(subscriptions.c.subscriber_id)
    if list_key is not None:
        query = query.where(subscriptions.c.list_id == list_row(connection, list_key).id)
    if state is not None:
        query = query.where(subscriptions.c.state == _state(state))
    return query


def _state(text: str) -> SubscriptionState:
    try:
        return SubscriptionState(text)
    except ValueError:
        raise SubscribersError(
            f"there is no state {text!r}; the states are: {', '.join(SubscriptionState)}"
        ) from None


def _people() -> Select[Any]:
    return select(
        subscribers, addresses.c.email, addresses.c.state.label("address_state"), addresses.c.reason
    ).select_from(subscribers.outerjoin(addresses, addresses.c.subscriber_id == subscribers.c.id))


def _load(connection: Connection, query: Select[Any]) -> list[Person]:
    rows = connection.execute(query).all()
    ids = [row.id for row in rows]
    their_tags = _tags(connection, ids)
    their_lists = _subscriptions(connection, ids)
    return [
        Person(
            row.id,
            row.email,
            row.name,
            row.language,
            row.time_zone,
            row.attributes,
            tuple(their_tags.get(row.id, ())),
            PersonState(row.state),
            None if row.address_state is None else AddressState(row.address_state),
            row.reason,
            row.created_at,
            tuple(their_lists.get(row.id, ())),
        )
        for row in rows
    ]


def _tags(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    query = select(tags).where(tags.c.subscriber_id.in_(ids)).order_by(tags.c.subscriber_id, tags.c.tag)
    for subscriber_id, tag in connection.execute(query):
        found.setdefault(subscriber_id, []).append(tag)
    return found


def _subscriptions(connection: Connection, ids: Sequence[int]) -> dict[int, list[Subscription]]:
    found: dict[int, list[Subscription]] = {}
    query = (
        select(subscriptions, lists.c.key)
        .join(lists, lists.c.id == subscriptions.c.list_id)
        .where(subscriptions.c.subscriber_id.in_(ids))
        .order_by(lists.c.key)
    )
    for row in connection.execute(query):
        each = Subscription(
            row.key,
            SubscriptionState(row.state),
            row.paused_until,
            row.reason,
            row.joined_at,
            row.changed_at,
        )
        found.setdefault(row.subscriber_id, []).append(each)
    return found
