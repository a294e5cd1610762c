"""SQLite's side of a backup: the online backup API out, one rename in."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from mailer.database import sqlite_file
from mailer.errors import Problem, TryLater, UserError

if TYPE_CHECKING:
    from sqlalchemy import Engine


def dump(engine: Engine, folder: Path) -> dict[str, int]:
    """Copy the database as it stands at one moment; writers go on meanwhile."""
    copy(engine, folder / "mailer.db")
    return {}


def copy(engine: Engine, target: Path) -> None:
    """Copy the database into a file that only its owner may read."""
    target.touch(mode=0o600)
    with closing(_connect(sqlite_file(engine))) as source, closing(_connect(target)) as sink:
        # All pages in one step: in several, each write of a running send would begin the copy anew.
        source.backup(sink, pages=-1)


def restore(source: Path, engine: Engine) -> None:
    """Put a copy in the place of the database, whole or not at all. Raises TryLater if somebody has it open."""
    file = sqlite_file(engine)
    if file is None:
        raise AssertionError("SQLite has a file")
    _require_sound(source)
    if file.exists():
        _require_idle(file)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Beside the database: only within one file system is a rename whole or not at all.
    with TemporaryDirectory(dir=file.parent, prefix=".restore-") as folder:
        scratch = Path(folder) / file.name
        _copied(source, scratch)
        for ending in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                file.with_name(file.name + ending).unlink()
        os.replace(scratch, file)  # noqa: PTH105 - atomic


def _copied(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    shutil.copyfile(source, target)
    with target.open("rb") as stream:
        os.fsync(stream.fileno())


def _connect(file: Path | None) -> sqlite3.Connection:
    return sqlite3.connect(str(file), timeout=10, isolation_level=None)


def _require_sound(file: Path) -> None:
    try:
        with closing(_connect(file)) as connection:
            said = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        said = str(error)
    if said != "ok":
        raise UserError(Problem(f"the database in the backup is damaged: {said}"))


def _require_idle(file: Path) -> None:
    """See to it that nobody has the database open, and bring what the write-ahead log holds into the file."""
    try:
        with closing(sqlite3.connect(str(file), timeout=1, isolation_level=None)) as connection:
            # Leaving WAL mode is refused while anybody else has the file open, even idle (sqlite.org/wal.html).
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError:
        message = "the database is in use: stop `mailer send` and `mailer run`, then restore"
        raise TryLater(Problem(message, key="database")) from None
    except sqlite3.DatabaseError:
        return  # damaged: that is why it is being replaced
