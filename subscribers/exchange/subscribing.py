"""People become readers of a list, and the evidence says by what right.

Where the file tells nothing of them but who they are, their rows are made by the database from their ids, at a
third of the price of handing over each.
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

# SQLite's new ids have no gaps, so that their first and last say it all; PostgreSQL's counter others may use too.
_IDS = {
    "sqlite": "(SELECT id FROM subscribers WHERE id BETWEEN ? AND ?) AS given",
    "postgresql": "unnest(%s::int[]) AS given(id)",
}
_SUBSCRIPTIONS = """
INSERT INTO subscriptions (list_id, subscriber_id, state, joined_at, changed_at)
SELECT {mark}, id, {mark}, {mark}, {mark} FROM {given}
"""
_CONSENTS = """
INSERT INTO consents (subscriber_id, list_id, kind, basis, at, import_id)
SELECT id, {mark}, {mark}, {mark}, {mark}, {mark} FROM {given}
"""


def subscribe(
    connection: Connection, people: Sequence[tuple[int, Candidate]], target: Target, *, fresh: bool = False
) -> None:
    """Make people readers, paused ones where they were paused; `fresh` ids are new and without gaps on SQLite."""
    quick = fresh or connection.dialect.name == "postgresql"
    if quick and all(map(_plain, people)):
        _subscribe_plain(connection, [each for each, _ in people], target)
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


def _subscribe_plain(connection: Connection, ids: Sequence[int], target: Target) -> None:
    if not ids:
        return
    now = bound(connection, subscriptions, "changed_at", target.now)
    active, imported = SubscriptionState.ACTIVE.value, ConsentKind.IMPORTED.value
    sqlite = connection.dialect.name == "sqlite"
    these: tuple[Any, ...] = (ids[0], ids[-1]) if sqlite else (list(ids),)
    words = {"mark": "?" if sqlite else "%s", "given": _IDS[connection.dialect.name]}
    connection.exec_driver_sql(_SUBSCRIPTIONS.format(**words), (target.list_id, active, now, now, *these))
    told = (target.list_id, imported, target.basis, now, target.import_id, *these)
    connection.exec_driver_sql(_CONSENTS.format(**words), told)


def _row(connection: Connection, candidate: Candidate, target: Target) -> tuple[str, Any, Any]:
    """Give state, end of the pause and the moment of joining: the old one, where the file tells it."""
    joined = min(moment_of(candidate.joined_at) or target.now, target.now)
    if candidate.standing != Standing.PAUSED:
        return SubscriptionState.ACTIVE.value, None, _instant(connection, joined)
    until = moment_of(candidate.paused_until)
    return SubscriptionState.PAUSED.value, _instant(connection, until), _instant(connection, joined)


def _instant(connection: Connection, moment: datetime | None) -> Any:
    return bound(connection, subscriptions, "changed_at", moment)
