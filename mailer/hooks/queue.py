"""The queue: claimed with a lease, settled with what the receiver said.

A claim moves the row's due time past the lease, if it is still due: two processes never hold the same row, and what a
dead one held is due again by itself. At least once, therefore, and under the same id.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, update

from mailer import events
from mailer.events import Event
from mailer.hooks.patience import Decision, Standing
from mailer.hooks.tables import DISPATCH_MOVES, DispatchState, dispatches, receivers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from mailer.settings.hooks import WebhookSettings

LEASE: Final = timedelta(minutes=5)  # longer than a batch can take, even one after the other
BATCH: Final = 16
KEPT: Final = timedelta(days=14)
"""How long it is remembered what was told."""

_d, _r = dispatches.c, receivers.c


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One event in our hands, for one receiver; `attempts` counts the one that comes now."""

    id: int
    attempts: int
    event: Event


def standing(connection: Connection, name: str) -> Standing | None:
    """Give how a receiver has answered, locked until the end of the transaction; None if it is told nothing."""
    query = select(receivers).where(_r.name == name, _r.ended_at.is_(None)).with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return Standing(row.failures, row.failing_since, row.resting_until, row.answered_at)


def is_due(connection: Connection, name: str, now: datetime) -> bool:
    """Say whether something is to be told to a receiver that may be told it, without taking the write lock."""
    due = (_d.receiver == name, _d.state == DispatchState.WAITING, _d.due_at <= now)
    awake = (_r.name == name, _r.ended_at.is_(None), (_r.resting_until.is_(None)) | (_r.resting_until <= now))
    query = select(_d.id).where(*due, select(_r.name).where(*awake).exists()).limit(1)
    return connection.scalar(query) is not None


def claim(connection: Connection, name: str, now: datetime) -> list[Dispatch]:
    """Take what is due for a receiver: a batch; one event, if it failed the last time; nothing, while it rests."""
    known = standing(connection, name)
    if known is None or (known.resting_until and known.resting_until > now):
        return []
    due = (_d.receiver == name, _d.state == DispatchState.WAITING, _d.due_at <= now)
    first = select(_d.id).where(*due).order_by(_d.due_at, _d.event_id).limit(1 if known.failures else BATCH)
    # Not one statement: PostgreSQL may ask a subquery that skips locked rows again for every row, past its limit.
    ids = connection.scalars(first.with_for_update(skip_locked=True)).all()
    taken = update(dispatches).where(_d.id.in_(ids), *due)
    changes = {"due_at": now + LEASE, "attempts": _d.attempts + 1}
    rows = connection.execute(taken.values(changes).returning(_d.id, _d.attempts, _d.event_id)).all()
    told = _events(connection, [row.event_id for row in rows])
    found = [Dispatch(row.id, row.attempts, told[row.event_id]) for row in rows if row.event_id in told]
    return sorted(found, key=lambda one: one.event.id)


def _events(connection: Connection, ids: Sequence[int]) -> dict[int, Event]:
    table = events.events
    return {row.id: _event(row) for row in connection.execute(select(table).where(table.c.id.in_(ids)))}


def _event(row: Row[Any]) -> Event:
    return Event(row.id, row.at, row.kind, row.actor, row.subject, json.loads(row.data))


def settle(
    connection: Connection,
    receiver: WebhookSettings,
    dispatch: Dispatch,
    decision: Decision,
    said: str,
    now: datetime,
) -> None:
    """Write down what became of a dispatch and of its receiver; one that is told nothing more makes an event."""
    allowed = [state for state, targets in DISPATCH_MOVES.items() if decision.state in targets]
    starts = allowed if decision.state is not DispatchState.WAITING else [DispatchState.WAITING]
    changes: dict[str, Any] = {"state": decision.state, "answer": said[:200], "at": now}
    if decision.due_at is not None:
        changes["due_at"] = decision.due_at
    mine = (_d.id == dispatch.id, _d.state.in_(starts))
    connection.execute(update(dispatches).where(*mine).values(changes))
    there = update(receivers).where(_r.name == receiver.name, _r.ended_at.is_(None))
    connection.execute(there.values(asdict(decision.standing)))
    if (
        decision.ended
        and connection.execute(there.values(ended_at=now, ended_why=decision.ended[:200])).rowcount
    ):
        data = {"host": receiver.host, "why": decision.ended}
        events.record(connection, "webhook.disabled", receiver.name, now, "mailer", **data)


def resume(connection: Connection, name: str, now: datetime, actor: str, *, upto: int | None = None) -> bool:
    """Tell a receiver again what happens: what waits and what it missed, or only what comes after `upto`."""
    fresh: dict[str, Any] = {**asdict(Standing()), "ended_at": None, "ended_why": ""}
    if upto is not None:
        fresh["read_upto"] = upto
        waiting = update(dispatches).where(_d.receiver == name, _d.state == DispatchState.WAITING)
        connection.execute(waiting.values(state=DispatchState.ABANDONED, answer="left out", at=now))
    elif connection.scalar(select(_r.name).where(_r.name == name)) is not None:
        at_once = update(dispatches).where(_d.receiver == name, _d.state == DispatchState.WAITING)
        connection.execute(at_once.values(due_at=now))
    if not connection.execute(update(receivers).where(_r.name == name).values(fresh)).rowcount:
        return False
    events.record(connection, "webhook.resumed", name, now, actor)
    return True


@dataclass(frozen=True, slots=True)
class Overview:
    """How one receiver stands."""

    name: str
    waiting: int
    delivered: int
    abandoned: int
    failures: int
    failing_since: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    ended_why: str


def overview(connection: Connection) -> list[Overview]:
    """Give how every receiver stands, by name."""
    query = select(_d.receiver, _d.state, func.count()).group_by(_d.receiver, _d.state)
    counts = {(name, state): count for name, state, count in connection.execute(query)}
    rows = connection.execute(select(receivers).order_by(_r.name)).all()
    return [
        Overview(
            name=row.name,
            waiting=counts.get((row.name, DispatchState.WAITING), 0),
            delivered=counts.get((row.name, DispatchState.DELIVERED), 0),
            abandoned=counts.get((row.name, DispatchState.ABANDONED), 0),
            failures=row.failures,
            failing_since=row.failing_since,
            answered_at=row.answered_at,
            ended_at=row.ended_at,
            ended_why=row.ended_why,
        )
        for row in rows
    ]


def forget_old(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Forget what was told or abandoned two weeks ago, at most `limit` at a time; give how many."""
    old = select(_d.id).where(_d.at < now - KEPT, _d.state != DispatchState.WAITING).limit(limit)
    return connection.execute(delete(dispatches).where(_d.id.in_(old))).rowcount
