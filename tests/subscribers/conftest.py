"""Lists on either database, a clock that only goes forward, and a way to add people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, delete, make_url, text

import subscribers
from mailer.database import open_engine
from subscribers import Evidence, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection, Engine

HASH_KEY = b"k" * 32
NOW = datetime(2026, 7, 14, 9, 52, tzinfo=UTC)
FORM = Form("2026-07", "Get the news once a week. You can leave with one click.")
FROM = Evidence("198.51.100.77", "Browser/2", {})


@pytest.fixture(scope="session")
def one_postgres(postgres_server: str) -> Iterator[Engine]:
    """One database for all tests of this room: emptying it is quicker than making one for each."""
    url = make_url(postgres_server).set(drivername="postgresql+psycopg")
    name = f"subscribers_{uuid4().hex}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine = create_engine(url.set(database=name))
    subscribers.metadata.create_all(engine)
    yield engine
    engine.dispose()
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The tables, empty, on each of the two databases."""
    if request.param == "sqlite":
        made = open_engine(f"sqlite:///{tmp_path / 'subscribers.db'}")
        subscribers.metadata.create_all(made)
        yield made
        made.dispose()
    else:
        yield request.getfixturevalue("clean_postgres")


@pytest.fixture
def clean_postgres(one_postgres: Engine) -> Engine:
    """Give that one database without what the test before left in it."""
    empty(one_postgres)
    return one_postgres


def empty(engine: Engine) -> None:
    """Take everything out of the tables, and begin to count ids anew."""
    tables = subscribers.metadata.sorted_tables
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            names = ", ".join(table.name for table in tables)
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            return
        for table in reversed(tables):
            connection.execute(delete(table))
        connection.execute(text("DELETE FROM sqlite_sequence"))


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

    add.clock = clock  # type: ignore[attr-defined]
    return add


@pytest.fixture
def with_lists(engine: Engine, clock: Clock) -> Engine:
    """Give the database with its lists committed."""
    with engine.begin() as connection:
        subscribers.ensure_lists(connection, ["main", "beta"], clock(), brands={"beta": "acme"})
    return engine


@pytest.fixture
def sign_up(connection, clock, hash_key):
    """Sign somebody up from a browser."""

    def sign_up(email="ann@example.org", lists=("main",), **more: Any) -> subscribers.SignUp:
        common = {"now": clock(), "hash_key": hash_key, "form": FORM, "network": "192.0.2.7"} | more
        return subscribers.sign_up(connection, email=email, list_keys=lists, **common)

    return sign_up


@pytest.fixture
def confirm(connection, clock):
    """Press the button behind the link in the letter."""

    def confirm(signup, **more: Any) -> subscribers.Confirmation:
        now = more.get("now") or clock()
        return subscribers.confirm(connection, signup.subscriber_id, signup.id, now, FROM)

    return confirm


@pytest.fixture
def reads(connection, clock):
    """Tell who may be mailed."""

    def reads(list_key="main") -> set[str]:
        list_id = subscribers.list_ids(connection)[list_key]
        return {row.email for row in connection.execute(subscribers.audience(list_id, clock()))}

    return reads


@pytest.fixture
def lists(engine, clock):
    with engine.begin() as connection:
        return subscribers.ensure_lists(connection, ["main", "beta"], clock(), brands={"beta": "acme"})


@pytest.fixture
def load(engine, lists, clock, hash_key, tmp_path):
    """Import text (or octets, or a file) into a list."""

    def load(
        content: str | bytes | Path, name: str = "people.csv", **more: object
    ) -> subscribers.ImportResult:
        path = content if isinstance(content, Path) else tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8", newline="")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        settings = {"list_key": "main", "basis": "asked on our site", "now": clock(), "hash_key": hash_key}
        return subscribers.import_file(engine.begin, path, rejects=tmp_path / "rejects", **settings | more)

    return load


@pytest.fixture
def person(engine):
    """Find somebody by the address."""

    def person(email: str) -> subscribers.Person:
        with engine.connect() as connection:
            found = subscribers.find(connection, email)
        assert found is not None, email
        return found

    return person
