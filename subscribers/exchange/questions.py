"""What the database knows of the people in a batch, in three questions.

Both databases take a whole batch in one parameter: SQLite as a JSON array, PostgreSQL as an array of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from subscribers.audience import in_force, reaches
from subscribers.exchange.bulk import dumps
from subscribers.exchange.verdict import Known
from subscribers.status import Reason
from subscribers.tables import suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Connection

    from subscribers.exchange.intake import Candidate
    from subscribers.exchange.target import Target

_KNOWN = """
SELECT a.normalized, s.id, a.state, r.state, s.name, s.language, s.time_zone, {attributes}
FROM {given} JOIN addresses a ON a.normalized = given.value
JOIN subscribers s ON s.id = a.subscriber_id
LEFT JOIN subscriptions r ON r.list_id = {mark} AND r.subscriber_id = s.id
"""
_TAGS = "SELECT t.subscriber_id, t.tag FROM {given} JOIN tags t ON t.subscriber_id = given.value"


def known_people(connection: Connection, names: Sequence[str], list_id: int) -> dict[str, Known]:
    """Give what is known of these normalised addresses."""
    statement = _made(connection, _KNOWN, "text")
    rows = connection.exec_driver_sql(statement, (_many(connection, names), list_id))
    return {row[0]: Known(*row[1:]) for row in rows}


def known_tags(connection: Connection, ids: Sequence[int]) -> dict[int, frozenset[str]]:
    """Give the tags of these people."""
    if not ids:
        return {}
    found: dict[int, set[str]] = {}
    rows = connection.exec_driver_sql(_made(connection, _TAGS, "int"), (_many(connection, ids),))
    for subscriber_id, tag in rows:
        found.setdefault(subscriber_id, set()).add(tag)
    return {subscriber_id: frozenset(tags) for subscriber_id, tags in found.items()}


def suppressed_people(
    connection: Connection, batch: Mapping[str, Candidate], target: Target
) -> dict[str, str]:
    """Give the reason why mail to these addresses is forbidden, for those where it is; of several the gravest."""
    if not batch or connection.execute(_ANY).first() is None:
        return {}  # nobody is: the usual case for a new newsletter, and the question would cost 2 µs a row
    names = {candidate.hash: name for name, candidate in batch.items()}
    query = select(suppressions.c.hash, suppressions.c.reason).where(
        suppressions.c.hash.in_(list(names)), in_force(target.now), reaches(target.list_id)
    )
    found: dict[str, str] = {}
    for hash_, reason in connection.execute(query.order_by(suppressions.c.id)):
        name = names[bytes(hash_)]
        found[name] = max(found.get(name, reason), reason, key=_GRAVITY.index)
    return found


# What a sign-up of theirs would end stands first, what nothing but a person's own hand ends stands last.
_GRAVITY = (Reason.UNSUBSCRIBED, Reason.DEAD, Reason.COMPLAINT, Reason.MOVED, Reason.ERASURE, Reason.MANUAL)
_ANY = select(suppressions.c.id).limit(1)


def _made(connection: Connection, question: str, kind: str) -> str:
    if connection.dialect.name == "postgresql":
        given = f"unnest(%s::{kind}[]) AS given(value)"
        return question.format(given=given, mark="%s", attributes="s.attributes::text")
    # CROSS JOIN keeps SQLite from reading all addresses instead of those that are asked for.
    given = "json_each(?) AS given CROSS"
    return question.format(given=given, mark="?", attributes="s.attributes")


def _many(connection: Connection, values: Iterable[Any]) -> Any:
    return list(values) if connection.dialect.name == "postgresql" else dumps(list(values))
