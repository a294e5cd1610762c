"""Attesting: the witness is written anew, with what the database knows now.

Promises: one process of a machine writes it at a time, and none puts back what a quicker one wrote; the file is the
new one or the old one, never half of either. A disk that takes nothing ends the start with words.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from mailer.database import reading, sqlite_file
from mailer.delivery.custody import home, workers
from mailer.delivery.custody.sequences import highest_ids
from mailer.delivery.custody.witness import Witness, read_witness
from mailer.errors import Problem, TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailer.delivery.ground import Ground


def attest(ground: Ground, *, since: int | None = None) -> None:
    """Write down what the database knows now; `since` is the epoch of an adoption, which begins anew."""
    with _room(ground), _alone(ground.locks):
        before = read_witness(ground.witness) if since is None else None
        home.move_in(ground.database)
        with reading(ground.database) as connection:
            ids = highest_ids(connection)
            epoch = ids["workers"]
            mark = workers.mark(connection, epoch) or ""
            born = home.born(connection)
        if before is not None and before.epoch > epoch:
            return  # another process has been quicker, with what it began later
        file = sqlite_file(ground.database)
        Witness(
            newsletter=str(ground.settings.id),
            epoch=epoch,
            mark=mark,
            at=ground.clock().isoformat(),
            born=born,
            ids=ids,
            since=since or (before.since if before else 0),
            file=str(file.resolve()) if file else "",
            inode=file.stat().st_ino if file else 0,
        ).write(ground.witness)


@contextmanager
def _room(ground: Ground) -> Iterator[None]:
    """Turn a disk that takes nothing into an ending with words."""
    try:
        yield
    except OSError as problem:
        message = f"the witness cannot be written: {problem.strerror or problem}"
        raise TryLater(Problem(message, str(ground.witness))) from problem


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process of this machine write the witness at a time."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "witness.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
