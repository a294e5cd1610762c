"""Events -> dispatches: which event is to be told to whom. No event is passed over and none is queued twice.

Ids are given in order, but on PostgreSQL they may be committed in another: an event with a lower id can come to light
after one with a higher id was read. `horizon` therefore waits, with a lock that lets readers pass, until whoever is
writing events has ended; what it gives was then written or never will be. It holds the lock for one MAX, and gives way
after two seconds. Counting gaps or reading behind a delay was rejected: both are right only while every transaction is
short. SQLite has one writer at a time, whose commits come in the order of the ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, select, text, update

from mailer.events import events
from mailer.hooks.tables import DispatchState, dispatches, receivers
from mailer.hooks.words import TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.settings.hooks import WebhookSettings

PAGE: Final = 500
_r, _d = receivers.c, dispatches.c


def horizon(connection: Connection) -> int:
    """Give the id up to which every event that will ever be is there. A transaction of its own, for its lock."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = '2s'"))
        connection.execute(text("LOCK TABLE events IN SHARE MODE"))
    return newest(connection)


def newest(connection: Connection) -> int:
    """Give the highest id that can be seen, without waiting for anybody."""
    return connection.scalar(select(func.max(events.c.id))) or 0


def enrol(connection: Connection, names: Iterable[str], upto: int, now: datetime) -> None:
    """Know the receivers of mailer.toml: a new one is told what happens from now on, one that is gone nothing more."""
    wanted = set(names)
    known = set(connection.scalars(select(_r.name)))
    for name in sorted(wanted - known):
        connection.execute(insert(receivers).values(name=name, read_upto=upto))
    for name in sorted(known - wanted):
        gone = update(dispatches).where(_d.receiver == name, _d.state == DispatchState.WAITING)
        connection.execute(gone.values(state=DispatchState.ABANDONED, answer="no longer a receiver", at=now))
        connection.execute(delete(receivers).where(_r.name == name))


def behind(connection: Connection) -> int | None:
    """Give the id of the oldest event that some receiver has not been asked about, or None if there is none."""
    read = connection.scalar(select(func.min(_r.read_upto)).where(_r.ended_at.is_(None)))
    return read if read is not None and read < newest(connection) else None


def fan_out(connection: Connection, wanted: Iterable[WebhookSettings], upto: int, now: datetime) -> int:
    """Queue for each receiver what it wants of the next page of events; give how many were queued."""
    return sum(_fan_out(connection, one, upto, now) for one in wanted)


def _fan_out(connection: Connection, receiver: WebhookSettings, upto: int, now: datetime) -> int:
    lock = select(_r.read_upto).where(_r.name == receiver.name, _r.ended_at.is_(None)).with_for_update()
    read = connection.scalar(lock)
    if read is None:
        return 0
    query = select(events.c.id, events.c.kind).where(events.c.id > read, events.c.id <= upto)
    page = connection.execute(query.order_by(events.c.id).limit(PAGE)).all()
    if not page:
        return 0
    rows = [
        {"receiver": receiver.name, "event_id": row.id, "state": DispatchState.WAITING, "due_at": now}
        for row in page
        if TYPES.get(row.kind) in receiver.events
    ]
    if rows:
        connection.execute(insert(dispatches), rows)
    connection.execute(update(receivers).where(_r.name == receiver.name).values(read_upto=page[-1].id))
    return len(rows)
