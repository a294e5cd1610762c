"""The database: transactions, the way to the newest schema, and whose database it is."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InternalError, OperationalError

import mailer.delivery.tables as delivery
import mailer.feedback.tables as feedback
import mailer.hooks.tables as hooks
import mailer.schedule.tables as schedule
import mailer.web.tables as web
import subscribers
from mailer import database, events, tokens
from mailer.database import (
    check,
    exists,
    may_pass,
    newsletter,
    open_engine,
    open_newsletter,
    reading,
    register,
    upgrade,
    writing,
)
from mailer.errors import UserError

if TYPE_CHECKING:
    from sqlalchemy import Connection

NOW = datetime(2026, 7, 14, 9, 52, tzinfo=UTC)
ALL = (
    database.metadata,
    events.metadata,
    subscribers.metadata,
    delivery.metadata,
    hooks.metadata,
    schedule.metadata,
    tokens.metadata,
    web.metadata,
    feedback.metadata,
)


def test_an_empty_database_is_upgraded_to_the_tables_that_the_program_uses(database_url):
    """Every table of every room is there, and upgrading again changes nothing."""
    engine = open_engine(database_url)
    upgrade(engine)
    upgrade(engine)
    there = set(inspect(engine).get_table_names())
    assert {name for metadata in ALL for name in metadata.tables} <= there
    engine.dispose()


def plain(index: Any) -> str:
    """Give an index as text; its condition is an object of SQLAlchemy."""
    options = {name: str(value) for name, value in index.pop("dialect_options", {}).items()}
    return f"{sorted(index.items())} {sorted(options.items())}"


def shape(connection: Connection) -> dict[str, Any]:
    """Give all that a database tells of its tables, in an order of ours."""
    told = inspect(connection)
    shapes: dict[str, Any] = {}
    for name in sorted(set(told.get_table_names()) - {"alembic_version"}):
        shapes[name] = {
            "columns": [{**column, "type": str(column["type"])} for column in told.get_columns(name)],
            "key": told.get_pk_constraint(name),
            "references": sorted(told.get_foreign_keys(name), key=str),
            "unique": sorted(told.get_unique_constraints(name), key=lambda one: str(one["name"])),
            "checks": sorted(told.get_check_constraints(name), key=lambda one: str(one["name"])),
            "indexes": sorted(plain(index) for index in told.get_indexes(name)),
        }
    if connection.dialect.name == "sqlite":  # AUTOINCREMENT and WITHOUT ROWID stand in the text alone
        texts = connection.execute(text("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        for name, sql in texts:
            if name in shapes:
                shapes[name]["special"] = [word in sql for word in ("AUTOINCREMENT", "WITHOUT ROWID")]
    return shapes


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_migrations_and_the_tables_say_the_same(empty_database, kind):
    """A database that was migrated is the one that the tables in the code describe, column for column."""
    migrated, described = open_engine(empty_database(kind)), open_engine(empty_database(kind))
    upgrade(migrated)
    with writing(described) as connection:
        for metadata in ALL:
            metadata.create_all(connection)
    with reading(described) as wanted, reading(migrated) as found:
        assert shape(found) == shape(wanted)
    migrated.dispose()
    described.dispose()


def test_the_newest_revision_is_known_without_alembic():
    """The file names tell what Alembic would."""
    from alembic.script import ScriptDirectory

    from mailer.resources import migrations_dir

    assert ScriptDirectory(str(migrations_dir())).get_current_head() == database.newest_revision()


def test_a_migrated_database_passes_its_check(engine):
    """Nothing is wrong with a database that was just made."""
    assert check(engine) == []


def test_what_fails_in_a_transaction_leaves_nothing_behind(engine):
    """All of it, or nothing."""

    def fail() -> None:
        with writing(engine) as connection:
            register(connection, uuid4(), NOW)
            raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        fail()
    with reading(engine) as connection:
        assert connection.execute(select(newsletter)).all() == []


def test_a_reader_sees_one_moment(engine):
    """What others commit meanwhile is not seen: sums that are read in two queries still balance."""
    with reading(engine) as connection:
        before = connection.execute(select(newsletter)).all()
        with writing(engine) as other:
            register(other, uuid4(), NOW)
        assert connection.execute(select(newsletter)).all() == before
    with reading(engine) as connection:
        assert len(connection.execute(select(newsletter)).all()) == 1


def test_two_writers_on_sqlite_wait_for_each_other(migrated_sqlite, tmp_path):
    """The lock is taken when a transaction begins, so no transaction fails in its middle; neither loses a write."""
    file = tmp_path / "x.db"
    file.write_bytes(Path(migrated_sqlite).read_bytes())
    engine = open_engine(f"sqlite:///{file}")

    def add_ten() -> None:
        for _ in range(10):
            with writing(engine) as connection:
                connection.execute(select(newsletter)).all()
                connection.execute(insert(newsletter).values(uuid=str(uuid4()), created_at=NOW))

    threads = [threading.Thread(target=add_ten) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with reading(engine) as connection:
        assert len(connection.execute(select(newsletter)).all()) == 40
    engine.dispose()


def test_a_sqlite_file_is_read_by_its_owner_alone(tmp_path):
    """It holds who the readers are."""
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(engine)
    assert stat.S_IMODE((tmp_path / "x.db").stat().st_mode) == 0o600
    engine.dispose()


def test_sqlite_runs_as_the_docstring_says(tmp_path):
    """WAL, synchronous=NORMAL, foreign keys on."""
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with reading(engine) as connection:
        values = [
            connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert values == ["wal", 1, 1]
    engine.dispose()


def test_asking_for_a_database_makes_none(tmp_path):
    """`send` never creates a database; it says how to come by one."""
    url = f"sqlite:///{tmp_path / 'x.db'}"
    assert not exists(open_engine(url))
    with pytest.raises(UserError, match=r"mailer init.*mailer db restore"):
        open_newsletter(url, uuid4())
    assert list(tmp_path.iterdir()) == []


def test_an_empty_postgresql_database_is_none_either(postgres_url):
    """A server without our tables is told in the same words."""
    with pytest.raises(UserError, match="mailer init"):
        open_newsletter(postgres_url, uuid4())


def test_a_folder_works_only_with_the_database_that_holds_its_uuid(engine):
    """A copied mailer.toml does not send to another newsletter's readers."""
    ours = uuid4()
    with writing(engine) as connection:
        register(connection, ours, NOW)
    url = engine.url.render_as_string(hide_password=False)
    open_newsletter(url, ours).dispose()
    with pytest.raises(UserError, match="belongs to another newsletter"):
        open_newsletter(url, uuid4())
    with pytest.raises(UserError, match="belongs to another newsletter"), writing(engine) as connection:
        register(connection, uuid4(), NOW)


@pytest.mark.parametrize(("revision", "advice"), [("0000", "mailer db upgrade"), ("9999", "upgrade mailer")])
def test_an_older_or_newer_schema_is_refused_with_what_to_do(engine, revision, advice):
    """Neither program nor database is left to guess."""
    with writing(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    with pytest.raises(UserError, match=advice):
        open_newsletter(engine.url.render_as_string(hide_password=False), uuid4())


def test_a_damaged_sqlite_file_is_found(migrated_sqlite, tmp_path):
    """Pages of zeros in the middle of the file do not go unnoticed."""
    file = tmp_path / "x.db"
    octets = bytearray(Path(migrated_sqlite).read_bytes())
    octets[4096 * 3 : 4096 * 5] = bytes(8192)
    file.write_bytes(octets)
    engine = open_engine(f"sqlite:///{file}")
    try:
        found = bool(check(engine))
    except DBAPIError:
        found = True
    engine.dispose()
    assert found


def test_a_statement_that_is_wrong_stays_wrong(engine):
    """Nobody waits for it; a server that is away, or reads only for a while, may come back."""
    with pytest.raises(IntegrityError) as twice, writing(engine) as connection:
        connection.execute(insert(newsletter).values([{"uuid": "a", "created_at": NOW}] * 2))
    with pytest.raises(DBAPIError) as wrong, writing(engine) as connection:
        connection.execute(text("SELECT no FROM nowhere"))
    assert not may_pass(twice.value)
    assert not may_pass(wrong.value)
    assert all(may_pass(kind("", None, OSError("away"))) for kind in (OperationalError, InternalError))


def test_no_error_shows_the_values_of_its_statement(engine):
    """They are addresses, and errors are logged."""
    with pytest.raises(DBAPIError) as wrong, reading(engine) as connection:
        connection.execute(
            text("SELECT no FROM nowhere WHERE email = :email"), {"email": "ann@reader.example"}
        )
    assert "ann@" not in str(wrong.value)


@pytest.mark.parametrize("url", ["nonsense", "oracle://x/y", "sqlite"])
def test_a_url_that_means_nothing_is_bad_input(url):
    """No traceback, no guess."""
    with pytest.raises(UserError):
        open_engine(url)


def test_importing_the_database_loads_no_alembic():
    """Sending starts without what only an upgrade needs."""
    code = "import sys, mailer.database; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
