"""People who were there before an import learn something from it; what it replaces is kept, to be put back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.exchange.bulk import dumps, insert_rows
from subscribers.exchange.verdict import Known, changes
from subscribers.tables import import_changes, subscribers
from subscribers.tables import tags as tags_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from subscribers.exchange.intake import Candidate
    from subscribers.exchange.target import Target


def add_tags(connection: Connection, tagged: Iterable[tuple[int, Iterable[str]]]) -> None:
    """Put tags on people who do not have them."""
    rows = [(subscriber_id, tag) for subscriber_id, tags in tagged for tag in tags]
    insert_rows(connection, tags_table, ("subscriber_id", "tag"), rows)


def fold(first: Candidate, second: Candidate) -> Candidate:
    """Give what two records tell of one person; where both say something, the second counts."""
    attributes = first.attributes
    if second.attributes not in {attributes, "{}"}:
        attributes = dumps(json.loads(attributes) | json.loads(second.attributes))
    return first._replace(
        name=second.name or first.name,
        language=second.language or first.language,
        time_zone=second.time_zone or first.time_zone,
        attributes=attributes,
        tags=tuple(dict.fromkeys((*first.tags, *second.tags))),
    )


def update_people(
    connection: Connection,
    pairs: Sequence[tuple[Candidate, Known]],
    tags: dict[int, frozenset[str]],
    target: Target,
) -> None:
    """Take over what candidates tell anew of people who are known, and keep what was there before."""
    none: frozenset[str] = frozenset()
    rows, befores, new_tags = [], [], []
    for candidate, known in pairs:
        mine = tags.get(known.subscriber_id, none)
        if not changes(candidate, known, mine):
            continue
        fresh = [tag for tag in candidate.tags if tag not in mine]
        rows.append(_merged(candidate, known))
        befores.append(_before(known, fresh, target))
        new_tags.append((known.subscriber_id, fresh))
    if not rows:
        return
    statement = update(subscribers).where(subscribers.c.id == bindparam("this"))
    values: dict[str, Any] = {
        name: bindparam(name) for name in ("name", "language", "time_zone", "attributes")
    }
    connection.execute(
        statement.values(**values, updated_at=bindparam("now")), [{**row, "now": target.now} for row in rows]
    )
    add_tags(connection, new_tags)
    _remember(connection, befores)


def _merged(candidate: Candidate, known: Known) -> dict[str, Any]:
    return {
        "this": known.subscriber_id,
        "name": candidate.name or known.name,
        "language": candidate.language or known.language,
        "time_zone": candidate.time_zone or known.time_zone,
        "attributes": json.loads(known.attributes) | json.loads(candidate.attributes),
    }


def _before(known: Known, fresh: list[str], target: Target) -> dict[str, Any]:
    before = {
        "name": known.name,
        "language": known.language,
        "time_zone": known.time_zone,
        "attributes": json.loads(known.attributes),
        "new_tags": fresh,
    }
    return {
        "import_id": target.import_id,
        "subscriber_id": known.subscriber_id,
        "before": before,
        "at": target.now,
    }


def _remember(connection: Connection, befores: list[dict[str, Any]]) -> None:
    """Keep what was there before the import; of a person it updates twice, the first."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(import_changes).on_conflict_do_nothing(), befores)
