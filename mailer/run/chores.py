"""Chores: what has to be done now and then, each in short transactions.

Promises: never more than a batch of rows in one transaction, so that nobody waits; nothing goes that a person may still
ask for: what became of a mailing and of each delivery stays for good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, or_, select, text, update

from mailer.backup import write_backup
from mailer.database import sqlite_file, writing
from mailer.delivery.retention import pack_old
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import letters
from mailer.events import events
from mailer.privacy import upkeep as forget_people
from mailer.schedule.states import OPEN, DueState
from mailer.schedule.tables import due_times, looks, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Delete, Engine, Update

    from mailer.delivery.ground import Ground

_BATCH: Final = 1_000
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_OFTEN: Final = timedelta(minutes=5)  # of what is done a little at a time
_BACKUP: Final = re.compile(r"daily-\d{8}-\d{6}\.mailer\.tar\.gz")
_OVER: Final = (DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.SKIPPED)
_KEPT_COPY: Final = timedelta(days=14)
_REMEMBERED: Final = timedelta(days=400)  # of due times that came to nothing, and what was told


@dataclass(frozen=True, slots=True)
class Chore:
    """One chore, and how often it is done."""

    name: str
    every: timedelta
    work: Callable[[Ground, datetime], None]


def people(ground: Ground, now: datetime) -> None:
    """Let go whoever never confirmed, and with `forget_after` whoever left long ago."""
    forget_people(ground, now)


def retention(ground: Ground, now: datetime) -> None:
    """Empty old letters, and forget old events of readers, looks, and due times that came to nothing."""
    upkeep, database = ground.settings.upkeep, ground.database
    old = now - timedelta(days=upkeep.letters_days)
    stale = select(letters.c.id).where(
        letters.c.created_at < old, letters.c.state.in_(_OVER), func.length(letters.c.content) > 0
    )
    _repeat(
        database, update(letters).where(letters.c.id.in_(stale.limit(_BATCH))).values(content=b"", reply="")
    )
    before = now - timedelta(days=upkeep.events_days)
    trail = or_(events.c.kind.like("reader.%"), events.c.kind.like("test.%"))
    gone = select(events.c.id).where(events.c.at < before, trail)
    _repeat(database, delete(events).where(events.c.id.in_(gone.limit(_BATCH))))
    _forget_schedules(database, now - _REMEMBERED)


def _forget_schedules(database: Engine, before: datetime) -> None:
    d = due_times.c
    kept = (DueState.STARTED, *OPEN)
    empty = select(d.id).where(d.changed_at < before, d.due_at < before, d.state.not_in(kept)).limit(_BATCH)
    _repeat(database, delete(due_times).where(d.id.in_(empty)))
    _repeat(database, delete(looks).where(looks.c.at < before))
    newest = select(func.max(told.c.event_id)).scalar_subquery()
    few = select(told.c.event_id).where(told.c.at < before, told.c.event_id < newest).limit(_BATCH)
    _repeat(database, delete(told).where(told.c.event_id.in_(few)))


def _repeat(database: Engine, statement: Delete | Update) -> None:
    """Run a statement over batches until nothing is left for it."""
    while True:
        with writing(database) as connection:
            if connection.execute(statement).rowcount < 1:
                return


def packing(ground: Ground, now: datetime) -> None:
    """Pack some of what became of mailings that ended long ago."""
    days = ground.settings.upkeep.pack_after_days
    if days:
        pack_old(ground.database, now - timedelta(days=days))


def database_care(ground: Ground, _now: datetime) -> None:
    """Let the database know what it holds, and SQLite's write-ahead log begin anew."""
    database = ground.database
    if database.dialect.name == "postgresql":
        with writing(database) as connection:
            connection.execute(text("ANALYZE"))
        return
    connection_ = database.raw_connection()
    try:
        cursor = connection_.cursor()
        cursor.execute("PRAGMA analysis_limit=1000")
        cursor.execute("PRAGMA optimize")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection_.close()


def backup(ground: Ground, now: datetime) -> None:
    """Write the day's backup, and let go of the oldest beyond those that are kept."""
    upkeep = ground.settings.upkeep
    if not upkeep.backups:
        return
    folder = backup_folder(ground)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(folder)
    target = folder / f"daily-{now:%Y%m%d-%H%M%S}.mailer.tar.gz"
    write_backup(target, ground.settings, ground.database, now)
    kept = sorted(file for file in folder.iterdir() if _BACKUP.fullmatch(file.name))
    for file in kept[: -upkeep.backups]:
        file.unlink(missing_ok=True)


def upgrades(ground: Ground, now: datetime) -> None:
    """Let go of the copies that upgrades of SQLite left, once they are a fortnight old: they hold people, too."""
    file = sqlite_file(ground.database)
    for copy in file.parent.glob(f"{file.name}.[0-9][0-9][0-9][0-9]") if file else ():
        if datetime.fromtimestamp(copy.stat().st_mtime, UTC) < now - _KEPT_COPY:
            copy.unlink(missing_ok=True)


def backup_folder(ground: Ground) -> Path:
    """Give where the daily backups lie."""
    given = ground.settings.upkeep.backup_folder
    return ground.settings.folder / given if given else ground.settings.state / "backups"


def _sweep(folder: Path) -> None:
    """Remove what a backup that was killed left behind: it holds the database and the secret."""
    import shutil  # noqa: PLC0415 - once a day

    for scratch in folder.glob(".backup-*"):
        shutil.rmtree(scratch, ignore_errors=True)


CHORES: Final = (
    Chore("people", _HOUR, people),
    Chore("retention", _DAY, retention),
    Chore("database", _DAY, database_care),
    Chore("upgrades", _DAY, upgrades),
    Chore("packing", _OFTEN, packing),
    Chore("backup", _DAY, backup),
)
