"""People become readers of a list, and the evidence says by what right.

Where the file tells nothing of them but who they are, their rows are made by the database from the range of
their ids, at a third of the price of handing over each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from subscribers.exchange.bulk import bound, insert_rows
from subscribers.exchange.fields import Standing
from subscribers.exchange.told import moment_of
from subscribers.status import ConsentKind, SubscriptionState
from subscribers.tables import consents, subscriptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from subscribers.exchange.intake import Candidate
    from subscribers.exchange.target import Target

_SUBSCRIPTIONS = """
INSERT INTO subscriptions (list_id, subscriber_id, state, joined_at, changed_at)
SELECT ?, id, ?, ?, ? FROM subscribers WHERE id BETWEEN ? AND ?
"""
_CONSENTS = """
INSERT INTO consents (subscriber_id, list_id, kind, basis, at, import_id)
SELECT id, ?, ?, ?, ?, ? FROM subscribers WHERE id BETWEEN ? AND ?
"""


def subscribe(
    connection: Connection, people: Sequence[tuple[int, Candidate]], target: Target, *, fresh: bool = False
) -> None:
    """Make people readers, paused ones where they were paused; `fresh` ids are new and without gaps on SQLite."""
    if not people:
        return
    if fresh and connection.dialect.name == "sqlite" and all(map(_plain, people)):
        _subscribe_range(connection, people[0][0], people[-1][0], target)
        return
    insert_rows(
        connection,
        subscriptions,
        ("subscriber_id", "state", "paused_until", "joined_at"),
        [(each, *_row(connection, candidate, target)) for each, candidate in people],
        list_id=target.list_id,
        changed_at=target.now,
    )
    insert_rows(
        connection,
        consents,
        ("subscriber_id", "network", "evidence"),
        [(each, candidate.network, candidate.evidence) for each, candidate in people],
        list_id=target.list_id,
        kind=ConsentKind.IMPORTED.value,
        basis=target.basis,
        at=target.now,
        import_id=target.import_id,
    )


def _plain(person: tuple[int, Candidate]) -> bool:
    return person[1].evidence is None and person[1].standing == Standing.ACTIVE


def _subscribe_range(connection: Connection, first: int, last: int, target: Target) -> None:
    now = bound(connection, subscriptions, "changed_at", target.now)
    active, imported = SubscriptionState.ACTIVE.value, ConsentKind.IMPORTED.value
    connection.exec_driver_sql(_SUBSCRIPTIONS, (target.list_id, active, now, now, first, last))
    told = (target.list_id, imported, target.basis, now, target.import_id, first, last)
    connection.exec_driver_sql(_CONSENTS, told)


def _row(connection: Connection, candidate: Candidate, target: Target) -> tuple[str, Any, Any]:
    """Give state, end of the pause and the moment of joining: the old one, where the file tells it."""
    joined = min(moment_of(candidate.joined_at) or target.now, target.now)
    if candidate.standing != Standing.PAUSED:
        return SubscriptionState.ACTIVE.value, None, _instant(connection, joined)
    until = moment_of(candidate.paused_until)
    return SubscriptionState.PAUSED.value, _instant(connection, until), _instant(connection, joined)


def _instant(connection: Connection, moment: datetime | None) -> Any:
    return bound(connection, subscriptions, "changed_at", moment)
