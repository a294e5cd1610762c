"""mailer db upgrade: an older database, and who still sends with it."""

from __future__ import annotations

import fcntl
from contextlib import closing
from datetime import UTC, datetime
from sqlite3 import connect

import subscribers
from mailer.database import migrate, open_engine, register, writing
from mailer.settings import load_settings

NOW = datetime(2026, 7, 14, 9, 52, tzinfo=UTC)


def test_an_older_sqlite_database_is_upgraded_when_it_is_opened(cli, tmp_path):
    """Any command does it, after a copy of what was there, and says so; a second one has nothing to do."""
    assert cli("init", "news", "--yes").code == 0
    cli.folder = tmp_path / "news"
    file = age(cli.folder)
    ended = cli("subscribers", "add", "ann@tides.example.com", "--list", "main", "--basis", "asked")
    kept = file.with_name("mailer.db.0001")
    assert (ended.code, kept.stat().st_mode & 0o777) == (0, 0o600)
    assert f"as it was before it is kept as {kept}" in ended.err
    with closing(connect(kept)) as old:
        assert old.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
    assert "upgraded" not in cli("status").err


def age(folder):
    """Make the database one of the first version."""
    file = folder / ".mailer" / "mailer.db"
    engine = open_engine(f"sqlite:///{file}")
    file.unlink()
    with writing(engine) as connection:
        migrate(connection, "0001")
        register(connection, load_settings(folder, {}).id, NOW)
        subscribers.ensure_lists(connection, ["main"], NOW)
    engine.dispose()
    return file


def test_an_upgrade_waits_for_who_still_sends(cli, tmp_path):
    """A process of the version before has the rows in its hands: nothing is changed below it."""
    assert cli("init", "news", "--yes").code == 0
    cli.folder = tmp_path / "news"
    age(cli.folder)
    locks = cli.folder / ".mailer" / "workers"
    locks.mkdir(exist_ok=True)
    with (locks / "1.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ended = cli("status")
    assert ended.code == 75
    assert "another process still sends" in ended.err
    assert cli("status").code == 0
