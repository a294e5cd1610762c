"""Everything a person needs to leave for another tool: the people of a list, all they said, and by what right.

Rows are read page by page and never held together. In CSV a cell that a spreadsheet would take for a formula
(it begins with =, +, -, @, tab or return) is given an apostrophe in front, which our import takes off again.
Who is suppressed without being on the list is known by a hash alone, and so is in no export.
"""

from __future__ import annotations

import csv
import json
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import func, or_, select, true

from subscribers.audience import reaches
from subscribers.exchange.columns import guarded, meaning_of
from subscribers.exchange.fields import Field, Standing
from subscribers.exchange.told import STRICTEST
from subscribers.roster import list_row, people
from subscribers.status import GRANTS, AddressState, Reason
from subscribers.tables import addresses, consents, subscribers, subscriptions, suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row, Select

    from subscribers.roster import Person

PAGE = 500
FIXED = (
    "email",
    "name",
    "language",
    "time zone",
    "status",
    "suppressed",
    "paused until",
    "joined at",
    "consent",
    "consent at",
    "consent network",
    "all lists",
    "tags",
)
_SUPPRESSED: Mapping[Reason, Standing] = {
    Reason.UNSUBSCRIBED: Standing.UNSUBSCRIBED,
    Reason.COMPLAINT: Standing.COMPLAINED,
    Reason.DEAD: Standing.BOUNCED,
}
_ADDRESSED: Mapping[AddressState, Standing] = {
    AddressState.COMPLAINED: Standing.COMPLAINED,
    AddressState.UNREACHABLE: Standing.BOUNCED,
}


def export_rows(
    connection: Connection,
    list_key: str,
    *,
    state: str | None = None,
    only: Select[Any] | None = None,
    now: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """Give everyone who is or was on a list, in the order they came, as objects that an import reads.

    `state` is that of the subscription, `only` a Select of subscribers' ids; without `now` a suppression counts
    even where its time has passed. Values are JSON; `attributes` is an object. Erased people are not among
    them. Raises UnknownList, and SubscribersError for a state that there is none.
    """
    list_id, after = list_row(connection, list_key).id, 0
    while page := people(connection, list_key=list_key, state=state, after=after, limit=PAGE):
        after = page[-1].id
        chosen = page if only is None else _among(connection, page, only)
        ids = [person.id for person in chosen]
        reasons = _reasons(connection, ids, list_id, now)
        rights = _rights(connection, ids, list_id)
        for person in chosen:
            yield _row(person, list_key, reasons.get(person.id, []), rights.get(person.id))


def _among(connection: Connection, page: Sequence[Person], only: Select[Any]) -> Sequence[Person]:
    ids = select(subscribers.c.id).where(
        subscribers.c.id.in_([person.id for person in page]), subscribers.c.id.in_(only)
    )
    found = set(connection.scalars(ids))
    return [person for person in page if person.id in found]


def _reasons(
    connection: Connection, ids: Sequence[int], list_id: int, now: datetime | None
) -> dict[int, list[Reason]]:
    """Give why mail from the list to these people is forbidden."""
    query = (
        select(addresses.c.subscriber_id, suppressions.c.reason)
        .join(suppressions, suppressions.c.hash == addresses.c.hash)
        .where(addresses.c.subscriber_id.in_(ids), suppressions.c.lifted_at.is_(None), reaches(list_id))
        .order_by(suppressions.c.id)
    )
    if now is not None:
        query = query.where(or_(suppressions.c.expires_at.is_(None), suppressions.c.expires_at > now))
    found: dict[int, list[Reason]] = {}
    for subscriber_id, reason in connection.execute(query):
        found.setdefault(subscriber_id, []).append(Reason(reason))
    return found


def _rights(connection: Connection, ids: Sequence[int], list_id: int) -> dict[int, Row[Any]]:
    """Give by what right these people are mailed: the newest line that made them readers."""
    newest = (
        select(func.max(consents.c.id))
        .where(consents.c.subscriber_id.in_(ids), consents.c.list_id == list_id, consents.c.kind.in_(GRANTS))
        .group_by(consents.c.subscriber_id)
    )
    query = select(consents).where(consents.c.id.in_(newest))
    return {row.subscriber_id: row for row in connection.execute(query)}


def _row(person: Person, list_key: str, reasons: Sequence[Reason], right: Row[Any] | None) -> dict[str, Any]:
    subscription = person.subscription(list_key)
    if subscription is None:
        raise AssertionError(f"{person.id} is not on {list_key}")
    until = subscription.paused_until
    return {
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "time zone": person.time_zone,
        "status": _status(person, subscription.state.value, reasons),
        "suppressed": ", ".join(dict.fromkeys(reasons)) or None,
        "paused until": until.isoformat() if until else None,
        "joined at": subscription.joined_at.isoformat(),
        **_right(right),
        "all lists": ", ".join(f"{each.list_key}: {each.state}" for each in person.subscriptions),
        "tags": list(person.tags),
        "attributes": dict(person.attributes),
    }


def _status(person: Person, state: str, reasons: Sequence[Reason]) -> str:
    """Say it in one word, the strictest: whatever tool reads it must mail nobody who must not be mailed."""
    told = [Standing(state), *(_SUPPRESSED.get(reason, Standing.BLOCKED) for reason in reasons)]
    if person.address_state is not None and person.address_state in _ADDRESSED:
        told.append(_ADDRESSED[person.address_state])
    return min(told, key=STRICTEST.index).value


def _right(right: Row[Any] | None) -> dict[str, str | None]:
    """Say when and how they consented; of an import what it was told of that, where it was told."""
    if right is None:
        return {"consent": None, "consent at": None, "consent network": None}
    old = right.evidence or {}
    return {
        "consent": old.get(Field.CONSENT_BASIS) or f"{right.kind}: {right.basis}",
        "consent at": old.get(Field.CONFIRMED_AT) or old.get(Field.JOINED_AT) or right.at.isoformat(),
        "consent network": right.network,
    }


def export_columns(connection: Connection, list_key: str) -> tuple[str, ...]:
    """Give the columns of a CSV: ours, then the people's attributes in alphabetical order."""
    list_id = list_row(connection, list_key).id
    name = "jsonb_each" if connection.dialect.name == "postgresql" else "json_each"
    each = getattr(func, name)(subscribers.c.attributes).table_valued("key")
    source = subscribers.join(subscriptions, subscriptions.c.subscriber_id == subscribers.c.id)
    query = select(each.c.key).select_from(source.join(each, true()))
    keys = connection.scalars(query.where(subscriptions.c.list_id == list_id).distinct())
    return (*FIXED, *(_column(key) for key in sorted(keys)))


def _column(attribute: str) -> str:
    """Give the column of an attribute, so named that an import takes it for that attribute."""
    taken = attribute in FIXED or meaning_of(attribute, None, {}) != attribute
    return f"{Field.ATTRIBUTES}.{attribute}" if taken else attribute


def write_csv(stream: IO[str], columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> int:
    """Write rows of `export_rows` as CSV (RFC 4180) that harms no spreadsheet; give how many."""
    writer = csv.writer(stream)
    writer.writerow([guarded(column) for column in columns])
    count = 0
    for row in rows:
        flat = {_column(key): value for key, value in row["attributes"].items()} | row
        writer.writerow([guarded(_cell(flat.get(column))) for column in columns])
        count += 1
    return count


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(
        isinstance(each, str) and not set(each) & set(',;"[') for each in value
    ):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
