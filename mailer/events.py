"""Events: an append-only line of what happened, by whom and when, written in the caller's transaction.

Promises: an event stands if and only if what it tells of was committed. Feeds the operator's notices, the hooks
going out and the audit trail. Holds ids, never an address or a secret.
"""

from __future__ import annotations

import getpass
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, Index, Integer, MetaData, String, Table, Text, insert, select

from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

metadata: Final = MetaData()

events: Final = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(64), nullable=False),  # mailing.opened, mailing.paused, test.sent …
    Column("actor", String(200), nullable=False),
    Column("subject", String(200), nullable=False, server_default=""),  # 72.main, or a subscriber's id
    Column("data", Text, nullable=False, server_default="{}"),
    Index("events_subject", "subject", "kind"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened."""

    id: int
    at: datetime
    kind: str
    actor: str
    subject: str
    data: Mapping[str, object]


def person() -> str:
    """Give the name of whoever runs this process, for `actor`."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "unknown"


def record(
    connection: Connection, kind: str, subject: str, now: datetime, actor: str, **data: object
) -> None:
    """Write an event in the caller's transaction; `data` must be plain JSON."""
    row = {"at": now, "kind": kind, "actor": actor, "subject": subject, "data": json.dumps(data)}
    connection.execute(insert(events).values(**row))


def latest(connection: Connection, kind: str, subject: str) -> Event | None:
    """Give the newest event of a kind about a subject, or None."""
    query = select(events).where(events.c.subject == subject, events.c.kind == kind)
    row = connection.execute(query.order_by(events.c.id.desc()).limit(1)).first()
    return Event(row.id, row.at, row.kind, row.actor, row.subject, json.loads(row.data)) if row else None


def after(
    connection: Connection, low: int, kinds: Sequence[str], known: Select[tuple[int]], limit: int
) -> list[Event]:
    """Give the first events of these kinds above an id that are not among the `known`, oldest first."""
    query = select(events).where(events.c.id > low, events.c.kind.in_(kinds), events.c.id.not_in(known))
    return [
        Event(row.id, row.at, row.kind, row.actor, row.subject, json.loads(row.data))
        for row in connection.execute(query.order_by(events.c.id).limit(limit))
    ]


def about(connection: Connection, subject: str) -> list[Event]:
    """Give every event about a subject, oldest first."""
    query = select(events).where(events.c.subject == subject).order_by(events.c.id)
    return [
        Event(row.id, row.at, row.kind, row.actor, row.subject, json.loads(row.data))
        for row in connection.execute(query)
    ]
