"""Workers: every process that sends has a row, an epoch and a lock; who lost the lock is dead.

Promises: an epoch is never reused; the death of a process of this place (place.py) is known at once, since the kernel
drops its lock (a heartbeat alone would have to wait, and a process id may come back). A worker of another place is dead
when its heartbeat is older than DEAD_AFTER; one that was only silent for so long hears of it and sends nothing more.
Workers of two versions never live at the same time.
"""

from __future__ import annotations

import fcntl
import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, insert, select, update

from mailer import __version__
from mailer.delivery.custody.place import place_of
from mailer.delivery.tables import leases, tallies, workers
from mailer.errors import Problem, TryLater

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

HEARTBEAT: Final = timedelta(seconds=10)
DEAD_AFTER: Final = timedelta(seconds=60)
_LOCK: Final = 0x656E6C69  # one process enlists at a time on PostgreSQL; the number is ours alone


@dataclass(frozen=True, slots=True)
class Worker:
    """This process as the ledger knows it. The lock is held as long as the file stays open."""

    epoch: int
    lock: int
    path: Path


def enlist(connection: Connection, folder: Path, now: datetime, kind: str = "send") -> Worker:
    """Give this process a row, a new epoch and the lock that proves that it lives.

    Raises TryLater while a worker of another version lives: what the two mean by a row may differ.
    """
    _same_version(connection, folder, now)
    row = {"host": socket.gethostname(), "pid": os.getpid(), "version": __version__, "kind": kind}
    row["place"] = _place(connection, folder)
    made = insert(workers).values(**row, started_at=now, seen_at=now).returning(workers.c.epoch)
    epoch = connection.execute(made).scalar_one()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{epoch}.lock"
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Worker(epoch, lock, path)


def _same_version(connection: Connection, folder: Path, now: datetime) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    others = connection.execute(
        select(workers.c.epoch, workers.c.host, workers.c.pid, workers.c.version)
        .where(workers.c.ended_at.is_(None), workers.c.version != __version__)
        .order_by(workers.c.epoch)
    ).all()
    gone = set(dead(connection, folder, now)) if others else set()
    alive = [row for row in others if row.epoch not in gone]
    if alive:
        who = f"process {alive[0].pid} on {alive[0].host} sends with version {alive[0].version}"
        raise TryLater(Problem(f"{who}, and this is {__version__}: end it first", key="database"))


def _place(connection: Connection, folder: Path) -> str:
    return place_of(folder, shared=connection.dialect.name == "postgresql")


def mark(connection: Connection, epoch: int) -> str | None:
    """Give what tells the worker of an epoch from any other that ever had this epoch; None if it is not known."""
    columns = (workers.c.started_at, workers.c.host, workers.c.pid)
    row = connection.execute(select(*columns).where(workers.c.epoch == epoch)).first()
    return f"{row.started_at.isoformat()} {row.host} {row.pid}" if row else None


def skip_to(connection: Connection, epoch: int, now: datetime) -> None:
    """Write a worker that only says: the epochs up to this one are used up."""
    row = {"host": socket.gethostname(), "pid": os.getpid(), "version": __version__, "kind": "adopt"}
    stamps = {"started_at": now, "seen_at": now, "ended_at": now}
    connection.execute(insert(workers).values(epoch=epoch, **row, **stamps))


def beat(connection: Connection, worker: Worker, now: datetime) -> bool:
    """Say that this worker lives; false if it was silent for so long that another has settled its rows."""
    mine = (workers.c.epoch == worker.epoch, workers.c.ended_at.is_(None))
    return bool(connection.execute(update(workers).where(*mine).values(seen_at=now)).rowcount)


def hold(connection: Connection, epoch: int) -> bool:
    """Let nobody end this epoch before the transaction does; false if it is over. Before anything new is claimed."""
    mine = select(workers.c.epoch).where(workers.c.epoch == epoch, workers.c.ended_at.is_(None))
    return connection.execute(mine.with_for_update(read=True)).first() is not None


def seize(connection: Connection, epoch: int) -> bool:
    """Be the one who accounts for an epoch, until the transaction ends; false if another has done so."""
    open_ = select(workers.c.epoch).where(workers.c.epoch == epoch, workers.c.ended_at.is_(None))
    return connection.execute(open_.with_for_update()).first() is not None


def retire(connection: Connection, epoch: int, now: datetime) -> None:
    """Say that this epoch is over: its rows are settled, its share of connections is free, its tally forgotten."""
    connection.execute(update(workers).where(workers.c.epoch == epoch).values(ended_at=now))
    connection.execute(delete(leases).where(leases.c.epoch == epoch))
    connection.execute(delete(tallies).where(tallies.c.epoch == epoch))


def release(worker: Worker) -> None:
    """Let go of the lock and remove its file."""
    worker.path.unlink(missing_ok=True)
    os.close(worker.lock)


def dead(connection: Connection, folder: Path, now: datetime) -> list[int]:
    """Give the epochs that never ended and whose process is gone, oldest first."""
    rows = connection.execute(
        select(workers.c.epoch, workers.c.host, workers.c.place, workers.c.seen_at)
        .where(workers.c.ended_at.is_(None))
        .order_by(workers.c.epoch)
    ).all()
    place, host = _place(connection, folder), socket.gethostname()
    return [
        row.epoch
        for row in rows
        if (
            not locked(folder, row.epoch)
            if (row.place == place if row.place else row.host == host)
            else now - row.seen_at > DEAD_AFTER
        )
    ]


def daemon_alive(connection: Connection, folder: Path, now: datetime) -> bool:
    """Say whether a `mailer run` lives, which sends what falls due."""
    running = select(workers.c.epoch).where(workers.c.ended_at.is_(None), workers.c.kind == "run")
    return bool(set(connection.execute(running).scalars()) - set(dead(connection, folder, now)))


def alive(connection: Connection, folder: Path, now: datetime) -> int:
    """Count the workers that live."""
    never_ended = connection.execute(select(workers.c.epoch).where(workers.c.ended_at.is_(None))).all()
    return len(never_ended) - len(dead(connection, folder, now))


def locks_held(folder: Path) -> bool:
    """Say whether any process sends from this folder, whatever the database says."""
    return any(locked(folder, int(file.stem)) for file in folder.glob("*.lock") if file.stem.isdecimal())


def locked(folder: Path, epoch: int) -> bool:
    """Say whether a process of this machine holds the lock of an epoch: then it lives."""
    try:
        file = os.open(folder / f"{epoch}.lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)
