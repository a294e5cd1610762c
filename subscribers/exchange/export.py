"""Everything a person needs to leave for another tool: the people of a list and all they said.

Rows are read page by page and never held together. In CSV a cell that a spreadsheet would take for a formula
(it begins with =, +, -, @, tab or return) is given an apostrophe in front, which our import takes off again.
"""

from __future__ import annotations

import csv
import json
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import func, select, true

from subscribers.exchange.columns import guarded, meaning_of
from subscribers.exchange.fields import Field
from subscribers.roster import list_row, people
from subscribers.status import AddressState, SubscriptionState
from subscribers.tables import subscribers, subscriptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from subscribers.roster import Person

PAGE = 500
FIXED = (
    "email",
    "name",
    "language",
    "time zone",
    "status",
    "paused until",
    "joined at",
    "tags",
)


def export_rows(connection: Connection, list_key: str) -> Iterator[dict[str, Any]]:
    """Give everyone who is or was on a list, in the order they came, as objects that an import reads.

    Values are JSON; `attributes` is an object. Erased people are not among them. Raises UnknownList.
    """
    after = 0
    while page := people(connection, list_key=list_key, after=after, limit=PAGE):
        yield from (_row(person, list_key) for person in page)
        after = page[-1].id


def _row(person: Person, list_key: str) -> dict[str, Any]:
    subscription = person.subscription(list_key)
    if subscription is None:
        raise AssertionError(f"{person.id} is not on {list_key}")
    until = subscription.paused_until
    return {
        "email": person.email,
        "name": person.name,
        "language": person.language,
        "time zone": person.time_zone,
        "status": _status(person, subscription.state),
        "paused until": until.isoformat() if until else None,
        "joined at": subscription.joined_at.isoformat(),
        "tags": list(person.tags),
        "attributes": dict(person.attributes),
    }


def _status(person: Person, state: SubscriptionState) -> str:
    """Say it in one word, the strictest: whatever tool reads it must mail nobody who must not be mailed."""
    if person.address_state is AddressState.COMPLAINED:
        return "complained"
    if person.address_state is AddressState.UNREACHABLE:
        return "bounced"
    return state.value


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
    if isinstance(value, list) and all(isinstance(each, str) and "," not in each for each in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
