"""Mails that nobody understood are kept, counted and shown, and read again when the rules got better.

Promises: bounded in octets each and in number, the oldest go first; kept as they came, envelope lines before them.
What a person wrote stands here too, until it was looked at: it must not be lost where nobody could be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.feedback.reading.mime import opened
from mailer.feedback.reading.octets import storable
from mailer.feedback.tables import notices, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.feedback.model import Kind
    from mailer.feedback.reading import Reading

LARGEST: Final = 256 * 1024
MOST: Final = 20_000
_u = unknown.c


def keep(
    connection: Connection, reading: Reading, kind: Kind, raw: bytes, now: datetime, *, channel: str
) -> bool:
    """Keep a mail once; false if it is kept already."""
    row: dict[str, Any] = {
        "key": reading.key[:200],
        "channel": channel[:64],
        "kind": kind.value,
        "sender": _sender(raw)[:320],
        "subject": storable(reading.subject)[:200],
        "raw": raw[:LARGEST],
        "at": now,
    }
    if connection.scalar(select(_u.id).where(_u.key == row["key"])) is not None:
        return False  # and no id is spent on it, as by an insert that conflicts
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(unknown).values(row).on_conflict_do_nothing(index_elements=["key"]).returning(_u.id)
    new = connection.execute(statement).scalar()
    if new is not None and new % 100 == 0:
        _bound(connection)
    return new is not None


def _bound(connection: Connection) -> None:
    """Let go of the oldest: a flood must not fill the disk. Rows are counted, for ids have gaps."""
    last = select(_u.id).order_by(_u.id.desc()).offset(MOST).limit(1).scalar_subquery()
    connection.execute(delete(unknown).where(_u.id <= last))


def _sender(raw: bytes) -> str:
    return storable(opened(raw[:65_536]).header.get("from"))


def without_mbox_line(raw: bytes) -> bytes:
    """Drop the `From ` line that pipes and mbox files put before a mail."""
    return raw.partition(b"\n")[2] if raw.startswith((b"From ", b">From ")) else raw


def waiting(connection: Connection) -> dict[str, int]:
    """Count the kept mails that nobody solved yet, by what they were taken for."""
    number = func.count().label("number")
    query = select(_u.kind, number).where(_u.solved_at.is_(None)).group_by(_u.kind).order_by(_u.kind)
    return {row.kind: int(row.number) for row in connection.execute(query)}


def kept(connection: Connection, *, after: int = 0, limit: int = 100) -> list[Any]:
    """Give kept mails that wait, oldest first, with their octets."""
    query = select(unknown).where(_u.solved_at.is_(None), _u.id > after).order_by(_u.id).limit(limit)
    return list(connection.execute(query))


def every(connection: Connection) -> Iterator[Any]:
    """Give every kept mail that waits, without its octets, oldest first."""
    names = (_u.id, _u.at, _u.channel, _u.kind, _u.sender, _u.subject, func.length(_u.raw).label("octets"))
    yield from connection.execute(select(*names).where(_u.solved_at.is_(None)).order_by(_u.id))


def one(connection: Connection, number: int) -> bytes | None:
    """Give the octets of a kept mail."""
    raw = connection.scalar(select(_u.raw).where(_u.id == number))
    return None if raw is None else bytes(raw)


def solve(connection: Connection, number: int, now: datetime) -> bool:
    """Note that a kept mail is understood, or was looked at; false if there is none that waits."""
    done = update(unknown).where(_u.id == number, _u.solved_at.is_(None)).values(solved_at=now)
    return bool(connection.execute(done).rowcount)


def say_anew(connection: Connection, key: str, said: Sequence[str], now: datetime) -> None:
    """Make room for a mail that proves something now, and was heard before without its proof."""
    unproven = (notices.c.key.in_(said[:500]), notices.c.proof == "")
    if connection.execute(delete(notices).where(*unproven)).rowcount:
        connection.execute(update(unknown).where(_u.key == key, _u.solved_at.is_(None)).values(solved_at=now))


def forget(connection: Connection, before: datetime, limit: int = 500) -> int:
    """Let go of mails that were kept before a moment, and of notices that prove nothing, some at a time."""
    old = select(_u.id).where(_u.at < before).limit(limit)
    mails = connection.execute(delete(unknown).where(_u.id.in_(old))).rowcount
    empty = select(notices.c.id).where(notices.c.at < before, notices.c.proof == "").limit(limit)
    return int(mails + connection.execute(delete(notices).where(notices.c.id.in_(empty))).rowcount)
