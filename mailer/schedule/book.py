"""The book: what the database remembers of schedules and due times. Each verb runs in the caller's transaction.

Promises: a due time gets one row, whoever writes it first; every later move is conditional on the states it may come
from, so that of two processes one moves it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.declared import REASON
from mailer.delivery.tables import mailings
from mailer.schedule.choice import Record
from mailer.schedule.states import DUE_MOVES, OPEN, DueState
from mailer.schedule.tables import due_times, looks, schedules

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Connection, Row, Table

    from mailer.schedule.due import Due
    from mailer.schedule.plan import Plan

_d, _s, _m = due_times.c, schedules.c, mailings.c
AHEAD: Final = timedelta(hours=27)  # the first of the world's mornings comes so long before the last list's


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of `due_times`."""

    id: int
    schedule: str
    due_at: datetime
    local: str
    list_key: str
    state: DueState
    reason: str
    words: tuple[str, ...]
    file: str
    commit_hash: str
    mailing: str
    actor: str
    until: datetime | None
    created_at: datetime
    changed_at: datetime


def standings(connection: Connection) -> dict[str, Row[Any]]:
    """Give the rows of all schedules that were ever seen."""
    return {row.name: row for row in connection.execute(select(schedules))}


def is_news(known: dict[str, Row[Any]], plans: Sequence[Plan], now: datetime) -> bool:
    """Say whether `meet` has anything to write; most minutes it has not."""
    names = {plan.name for plan in plans}
    gone = any(row.removed_at is None and name not in names for name, row in known.items())
    return gone or any(
        (row := known.get(plan.name)) is None
        or row.says != plan.says
        or row.removed_at is not None
        or row.since > now + AHEAD
        for plan in plans
    )


def meet(connection: Connection, plans: Sequence[Plan], now: datetime) -> None:
    """Write down which schedules there are: new ones begin now, changed ones have no past, removed ones are marked.

    A `since` in the future is left by a clock that was ahead; it is brought back, and the rows keep what was done.
    """
    names = [plan.name for plan in plans]
    away = update(schedules).where(_s.name.not_in(names), _s.removed_at.is_(None))
    connection.execute(away.values(removed_at=now))
    for plan in plans:
        row = {"name": plan.name, "says": plan.says, "first_seen_at": now, "since": now}
        _insert(connection, schedules, [row])
        mine = _s.name == plan.name
        again = update(schedules).where(mine, _s.removed_at.is_not(None))
        connection.execute(again.values(first_seen_at=now, since=now, removed_at=None))
        connection.execute(
            update(schedules).where(mine, _s.says != plan.says).values(says=plan.says, since=now)
        )
        connection.execute(update(schedules).where(mine, _s.since > now + AHEAD).values(since=now))


def pause(connection: Connection, name: str, now: datetime) -> bool:
    """Pause a schedule; false where it is paused already."""
    mine = (_s.name == name, _s.paused_at.is_(None))
    return bool(connection.execute(update(schedules).where(*mine).values(paused_at=now)).rowcount)


def resume(connection: Connection, name: str, now: datetime) -> bool:
    """Let a schedule go on; what fell due while it was paused is none of its own."""
    mine = (_s.name == name, _s.paused_at.is_not(None))
    return bool(connection.execute(update(schedules).where(*mine).values(paused_at=None, since=now)).rowcount)


def dealt_with(connection: Connection, name: str, upto: datetime) -> bool:
    """Remember that no due time up to here needs another look; false where another process did."""
    later = update(schedules).where(_s.name == name, _s.since < upto).values(since=upto)
    return bool(connection.execute(later).rowcount)


def record_of(connection: Connection, list_key: str) -> Record:
    """Give what went out of a list, or was declared sent."""
    rows = connection.execute(select(_m.number, _m.slug).where(_m.list_key == list_key)).all()
    ours = select(func.max(_m.created_at)).where(_m.list_key == list_key, _m.reason != REASON)
    return Record(
        frozenset(row.number for row in rows if row.number is not None),
        frozenset(row.slug for row in rows),
        connection.execute(ours).scalar(),
    )


def known_dues(connection: Connection, name: str, dues: Iterable[Due]) -> set[datetime]:
    """Give which of these due times have a row."""
    moments = [due.utc for due in dues]
    query = select(_d.due_at).where(_d.schedule == name, _d.due_at.in_(moments))
    return set(connection.execute(query).scalars()) if moments else set()


def opened(connection: Connection) -> list[Entry]:
    """Give every row of which something may still become, oldest first."""
    query = select(due_times).where(_d.state.in_(OPEN)).order_by(_d.id)
    return [_entry(row) for row in connection.execute(query)]


def get(connection: Connection, entry_id: int) -> Entry | None:
    """Give one row."""
    row = connection.execute(select(due_times).where(_d.id == entry_id)).first()
    return _entry(row) if row else None


def newest(connection: Connection, name: str, limit: int = 1) -> list[Entry]:
    """Give the newest rows of a schedule, newest first."""
    query = select(due_times).where(_d.schedule == name).order_by(_d.due_at.desc()).limit(limit)
    return [_entry(row) for row in connection.execute(query)]


def write(
    connection: Connection, plan: Plan, due: Due, state: DueState, now: datetime, **values: object
) -> int | None:
    """Make the row of a due time; None where there is one: another process was first."""
    row: int | None = _first(
        _insert(connection, due_times, [_row(plan, due, state, now, **values)], returning=True)
    )
    return row


def move(connection: Connection, entry_id: int, target: DueState, now: datetime, **values: object) -> bool:
    """Move a row if its state allows it; false if it does not, or another process was first."""
    sources = [state for state in DueState if target in DUE_MOVES[state]]
    mine = (_d.id == entry_id, _d.state.in_(sources))
    changed = update(due_times).where(*mine).values(state=target, changed_at=now, **_plain(values))
    return bool(connection.execute(changed).rowcount)


def note(connection: Connection, entry_id: int, **values: object) -> None:
    """Write more into a row that this transaction holds."""
    connection.execute(update(due_times).where(_d.id == entry_id).values(**_plain(values)))


def looked(connection: Connection, name: str, due: Due, hours: int, now: datetime) -> bool:
    """Remember a look ahead; false where it was taken before."""
    row = {"schedule": name, "due_at": due.utc, "hours": hours, "at": now}
    return _first(_insert(connection, looks, [row], returning=True)) is not None


def was_looked(connection: Connection, name: str, due: Due, hours: int) -> bool:
    """Say whether a look ahead was taken."""
    mine = (looks.c.schedule == name, looks.c.due_at == due.utc, looks.c.hours == hours)
    return connection.execute(select(looks.c.at).where(*mine)).first() is not None


def _row(plan: Plan, due: Due, state: DueState, now: datetime, **values: object) -> dict[str, object]:
    return {
        "schedule": plan.name,
        "due_at": due.utc,
        "local": f"{due.local:%Y-%m-%d %H:%M} {plan.zone_name}"[:80],
        "list_key": plan.list_key,
        "state": state,
        "created_at": now,
        "changed_at": now,
        **_plain(values),
    }


def _plain(values: dict[str, object]) -> dict[str, object]:
    """Words are kept as JSON."""
    return {name: json.dumps(value) if name == "words" else value for name, value in values.items()}


def _insert(
    connection: Connection, table: Table, rows: list[dict[str, object]], *, returning: bool = False
) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(rows).on_conflict_do_nothing()
    if not returning:
        return connection.execute(statement)
    column = table.c.id if "id" in table.c else next(iter(table.primary_key))
    return connection.execute(statement.returning(column))


def _first(result: Any) -> Any:
    row = result.first()
    return row[0] if row else None


def _entry(row: Row[Any]) -> Entry:
    told = row._asdict()
    return Entry(**{**told, "state": DueState(row.state), "words": tuple(json.loads(row.words))})
