"""Who is mailable now: one query over persons, addresses, subscriptions and suppressions, and its sums.

`audience` is the only definition of "mailable" in the program, and `still_reached` asks it of one person. They return
a Select rather than rows, because the ledger plans a million deliveries with INSERT ... SELECT, and asks again for a
few people just before the first byte leaves. Every way is served by the primary key (list_id, subscriber_id); a test
reads the query plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Integer, and_, bindparam, case, exists, func, or_, select, true

from subscribers.status import AddressState, PersonState, Scope, SubscriptionState
from subscribers.tables import addresses, lists, subscribers, subscriptions, suppressions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, FromClause, Select


JOINED = (SubscriptionState.ACTIVE, SubscriptionState.PAUSED)


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """The people of one list. `readers` = active - paused - suppressed - unreachable, always.

    `active` counts everyone who joined and has not left; whoever is several things is counted once, in this
    order.
    """

    active: int
    paused: int
    suppressed: int
    unreachable: int
    pending: int
    unsubscribed: int
    readers: int


_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Reader(NamedTuple):
    """What a message needs to know of one person. A tuple, because there is one a message."""

    name: str
    language: str | None
    attributes: Mapping[str, object] = _NOTHING


def audience(list_id: int, now: datetime) -> Select[tuple[int, int, int, str, str, str | None]]:
    """Give everyone of a list who may be mailed at `now`.

    The columns are subscriber_id, list_id, address_id, email, domain and time_zone. A caller may narrow it by
    `.where()` on its `selected_columns`; each person appears once.
    """
    return (
        select(
            subscriptions.c.subscriber_id,
            subscriptions.c.list_id,
            addresses.c.id.label("address_id"),
            addresses.c.email,
            addresses.c.domain,
            subscribers.c.time_zone,
        )
        .select_from(_people())
        .where(*_reached(list_id, now), subscribers.c.state == PersonState.PRESENT)
    )


def still_reached(
    list_id: int, now: datetime, subscriber_id: ColumnElement[int], email: ColumnElement[str]
) -> Select[Any]:
    """Give a row if this person is still of the audience, at this address: to be asked just before a message leaves.

    The person's own row is left out. Who is erased has neither address nor subscription (rights.py), so the other two
    tell, and a row that is not read is a fifth of what this costs.
    """
    return (
        select(subscriptions.c.subscriber_id)
        .join(addresses, addresses.c.subscriber_id == subscriptions.c.subscriber_id)
        .where(
            *_reached(list_id, now),
            subscriptions.c.subscriber_id == subscriber_id,
            addresses.c.email == email,
        )
    )


def _reached(list_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        subscriptions.c.list_id == list_id,
        subscriptions.c.state.in_(JOINED),
        ~_asleep(now),
        addresses.c.state == AddressState.REACHABLE,
        ~_suppressed(list_id, now),
    )


def within(readers: Select[Any], after: int, upto: int) -> Select[Any]:
    """Narrow an audience to the ids above `after` and up to `upto`, so that nobody else is even read.

    The range is said of every table: PostgreSQL infers that equal ids are equal, but not that they lie in one range,
    and reads the others whole.
    """
    ids = (subscriptions.c.subscriber_id, subscribers.c.id, addresses.c.subscriber_id)
    return readers.where(*(each > after for each in ids), *(each <= upto for each in ids))


def _people() -> FromClause:
    return subscriptions.join(subscribers, subscribers.c.id == subscriptions.c.subscriber_id).join(
        addresses, addresses.c.subscriber_id == subscriptions.c.subscriber_id
    )


def _asleep(now: datetime) -> ColumnElement[bool]:
    until = subscriptions.c.paused_until
    return and_(subscriptions.c.state == SubscriptionState.PAUSED, or_(until.is_(None), until > now))


def in_force(now: datetime) -> ColumnElement[bool]:
    """Whether a suppression counts at `now`."""
    return and_(
        suppressions.c.lifted_at.is_(None),
        or_(suppressions.c.expires_at.is_(None), suppressions.c.expires_at > now),
    )


def reaches(list_id: int) -> ColumnElement[bool]:
    """Whether a suppression reaches a list: by itself, by its brand, or because it reaches everything."""
    key = select(lists.c.key).where(lists.c.id == list_id).scalar_subquery()
    brand = select(lists.c.brand).where(lists.c.id == list_id).scalar_subquery()
    scope, scope_key = suppressions.c.scope, suppressions.c.scope_key
    return or_(
        scope == Scope.EVERYTHING,
        and_(scope == Scope.LIST, scope_key == key),
        and_(scope == Scope.BRAND, scope_key == brand),
    )


def _suppressed(list_id: int, now: datetime) -> ColumnElement[bool]:
    return exists().where(suppressions.c.hash == addresses.c.hash, in_force(now), reaches(list_id))


def audience_counts(connection: Connection, list_id: int, now: datetime) -> AudienceCounts:
    """Count the people of a list by what stands between them and the next issue. Reads each of them once.

    Sums rather than groups: SQLite would sort a million rows to group them.
    """
    state, suppressed = subscriptions.c.state, _suppressed(list_id, now)
    awake = and_(state.in_(JOINED), ~_asleep(now))
    sums = {
        "active": state.in_(JOINED),
        "paused": _asleep(now),
        "suppressed": and_(awake, suppressed),
        "unreachable": and_(awake, addresses.c.state != AddressState.REACHABLE, ~suppressed),
        "pending": state == SubscriptionState.PENDING,
        "unsubscribed": state == SubscriptionState.UNSUBSCRIBED,
    }
    query = (
        select(*(func.coalesce(func.sum(case((each, 1), else_=0)), 0) for each in sums.values()))
        .select_from(
            subscriptions.outerjoin(addresses, addresses.c.subscriber_id == subscriptions.c.subscriber_id)
        )
        .where(subscriptions.c.list_id == list_id)
    )
    found = dict(zip(sums, connection.execute(query).one(), strict=True))
    readers = found["active"] - found["paused"] - found["suppressed"] - found["unreachable"]
    return AudienceCounts(**found, readers=readers)


def readers(
    connection: Connection, subscriber_ids: Sequence[int], *, with_attributes: bool = True
) -> dict[int, Reader]:
    """Give what the messages to these people need, in one query; whoever is gone is not in it.

    Without `with_attributes` the attributes are neither read nor parsed.
    """
    statement = _each if connection.dialect.name == "postgresql" else _all
    query = statement(with_attributes=with_attributes)
    rows = connection.execute(query, {"people": list(subscriber_ids)}).all()
    return {row[0]: Reader(*row[1:]) for row in rows}


def _wanted(*, with_attributes: bool) -> list[Any]:
    columns: list[Any] = [subscribers.c.id, subscribers.c.name, subscribers.c.language]
    return [*columns, subscribers.c.attributes] if with_attributes else columns


@cache
def _all(*, with_attributes: bool) -> Select[Any]:
    people: Any = bindparam("people", expanding=True)
    present = subscribers.c.state == PersonState.PRESENT
    return select(*_wanted(with_attributes=with_attributes)).where(subscribers.c.id.in_(people), present)


@cache
def _each(*, with_attributes: bool) -> Select[Any]:
    """Look each of them up by itself (OFFSET: it is no join), whatever PostgreSQL believes of the table's size.

    Of people who were just imported it reads the whole table for a list of ids, which takes ten times as long. And the
    ids are one value, so there is one text and one plan, not one for each number of people.
    """
    people = (
        func.unnest(bindparam("people", type_=ARRAY(Integer)), type_=Integer)
        .table_valued("id")
        .render_derived()
    )
    present = (subscribers.c.id == people.c.id, subscribers.c.state == PersonState.PRESENT)
    found = select(*_wanted(with_attributes=with_attributes)).where(*present).offset(0).lateral()
    return select(found).select_from(people).join(found, true())
