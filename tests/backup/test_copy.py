"""From SQLite to PostgreSQL, whatever time zone the server lives in."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import make_url, text

import subscribers
from mailer.backup.copy import copy_database
from mailer.database import open_engine, reading, writing

if TYPE_CHECKING:
    from pathlib import Path

TWICE = datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
"""Half past two in Vienna, which that night had twice."""


def test_a_server_with_summer_time(migrated_sqlite: Path, postgres_url: str, tmp_path: Path) -> None:
    """Moments of the hour that the server's zone has twice come out equal, and in UTC."""
    target, source = (
        open_engine(postgres_url),
        open_engine(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path)}"),
    )
    name = make_url(postgres_url).database
    with writing(target) as connection:
        connection.execute(text(f"ALTER DATABASE {name} SET timezone = 'Europe/Vienna'"))
    target.dispose()
    with writing(source) as connection:
        subscribers.ensure_lists(connection, ["night"], TWICE)
    assert copy_database(source, target, lambda *_: None)["lists"] == 1
    with reading(target) as connection:
        (found,) = connection.scalars(text("SELECT created_at FROM lists"))
        assert (found, found.utcoffset()) == (TWICE, UTC.utcoffset(None))
    target.dispose()
    source.dispose()
