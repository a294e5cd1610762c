"""SQLite is brought to the newest schema when it is opened, after a copy: one process, one machine, nobody to ask.

PostgreSQL is upgraded by `mailer db upgrade` alone, since other machines may still run the version before.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailer.backup import sqlite
from mailer.database import reading, revision, sqlite_file, upgrade
from mailer.delivery.custody import workers
from mailer.errors import Problem, TryLater

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine


def upgrade_sqlite(engine: Engine, locks: Path) -> Path | None:
    """Upgrade and give the copy of the database as it was; None for a server, which is left alone.

    Raises TryLater while a process still sends, for it is of the version before.
    """
    file = sqlite_file(engine)
    if file is None:
        return None
    if workers.locks_held(locks):
        said = "another process still sends with the version before: end it, and the database is upgraded"
        raise TryLater(Problem(said, str(file), key="database"))
    with reading(engine) as connection:
        kept = file.with_name(f"{file.name}.{revision(connection)}")
    _copy(engine, kept)
    upgrade(engine)
    return kept


def _copy(engine: Engine, kept: Path) -> None:
    """Make the copy whole, or not at all; the newest of a revision counts."""
    scratch = kept.with_name(f".{kept.name}.new")
    scratch.unlink(missing_ok=True)
    sqlite.copy(engine, scratch)
    os.replace(scratch, kept)  # noqa: PTH105 - atomic
