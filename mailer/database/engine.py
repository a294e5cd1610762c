"""The engine for SQLite and PostgreSQL, and short transactions.

Promises: `writing` takes the write lock at once (BEGIN IMMEDIATE) and commits or rolls back; `reading` sees one moment
of the database. SQLite runs in WAL mode with synchronous=NORMAL: a crash of the process loses nothing that was
committed, a power cut may lose the newest commits and never breaks the file (sqlite.org/wal.html); the delivery
journal bounds what that can cost. Errors do not show the values of their statements, which may be addresses.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)

from mailer.database import silence
from mailer.errors import Problem, TryLater, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection, Engine

_WAIT_SECONDS: Final = 10  # for another writer's lock, or a server's answer
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA secure_delete=FAST",  # what a row no longer holds is overwritten where its page is written anyway
)
_SESSION: Final = {
    # Workers that end together all ask for the same sums: processes of their own would cost more than they save.
    "max_parallel_workers_per_gather": "0",
    # Moments come back in UTC. In the hour that a zone has twice, Python calls no two moments equal whose zones are
    # not the same (PEP 495).
    "TimeZone": "UTC",
}
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM,
    }
)  # fmt: skip
_LASTING: Final = DataError | IntegrityError | ProgrammingError | NotSupportedError


def open_engine(url: str) -> Engine:
    """Give the engine for a database URL; nothing is connected yet.

    `postgresql://` means psycopg 3. Raises UserError for a URL or a driver that cannot be used; no message
    holds the password.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise UserError(Problem("is no database URL", key="database")) from None
    backend = parsed.get_backend_name()
    if backend == "sqlite" and parsed.database:
        return _sqlite(parsed)
    if backend in {"postgresql", "postgres"}:
        return _postgresql(parsed)
    raise UserError(Problem("must be sqlite:///FILE or postgresql://…", key="database"))


def _sqlite(url: URL) -> Engine:
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transactions begin at the first write, too late to be IMMEDIATE: they are turned off.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("mailer_writes", True)
    # On the driver itself: SQLAlchemy's way to run two words costs more than what they do.
    driver: Any = connection.connection.dbapi_connection
    words = "BEGIN IMMEDIATE" if writes else "BEGIN"
    try:
        driver.execute(words)
    except driver.OperationalError as problem:
        raise OperationalError(words, None, problem) from problem


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "connect_timeout": _WAIT_SECONDS,
                "application_name": "mailer",
                **silence.line(url.query),
            },
        )
    except ImportError:
        message = "PostgreSQL needs its driver: pip install 'newsletter-mailer[postgresql]'"
        raise UserError(Problem(message, key="database")) from None
    event.listen(engine, "connect", _prepare_postgresql)
    silence.attend(engine)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # Not with the connection's `options`: poolers in between refuse them.
    before, connection.autocommit = connection.autocommit, True
    words = {**silence.THEIRS, **_SESSION}
    connection.execute("; ".join(f"SET {name} = '{value}'" for name, value in words.items()))
    connection.autocommit = before


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that may write; commit at the end, roll back on any exception.

    Raises TryLater where the database cannot be reached, the disk is full or another writer holds it for too long.
    """
    with _connected(engine, {"mailer_writes": True}) as connection:
        try:
            yield connection
            connection.commit()
        except OperationalError as error:
            if not may_pass(error):
                raise
            raise TryLater(Problem(_unreachable(error), key="database")) from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that sees one moment of the database, whatever others write. Raises TryLater."""
    options: dict[str, Any] = {"mailer_writes": False}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with _connected(engine, options) as connection:
        try:
            yield connection
        except OperationalError as error:
            if not may_pass(error):
                raise
            raise TryLater(Problem(_unreachable(error), key="database")) from error


@contextmanager
def _connected(engine: Engine, options: dict[str, Any]) -> Iterator[Connection]:
    """Give a connection whose transaction has begun; failing to begin is a matter of time."""
    try:
        connection = engine.connect().execution_options(**options)
        try:
            connection.begin()
            if connection.dialect.name == "postgresql" and not options["mailer_writes"]:
                connection.exec_driver_sql(silence.READING)
        except BaseException:
            connection.close()
            raise
    except OperationalError as error:
        raise TryLater(Problem(_unreachable(error), key="database")) from None
    with connection:
        yield connection


def translated(problem: sqlite3.Error) -> DBAPIError:
    """Give SQLAlchemy's error for one of SQLite's driver, without the values, which may hold an address."""
    kind = OperationalError if isinstance(problem, sqlite3.OperationalError) else DBAPIError
    return kind("", None, problem)


def may_pass(error: DBAPIError) -> bool:
    """Say whether waiting may help: a lock, a full disk, a server that is away; not a statement that is wrong."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is None:
        return not isinstance(error, _LASTING)
    # The low octet is the primary code (sqlite.org/rescode.html).
    return code & 0xFF in _PASSING


def _unreachable(error: DBAPIError) -> str:
    first = str(error.orig).strip().partition("\n")[0]
    return f"the database does not answer: {first}"


def exists(engine: Engine) -> bool:
    """Tell whether there is a database at all; a file of SQLite is not created by asking."""
    file = sqlite_file(engine)
    return file is None or (file.is_file() and file.stat().st_size > 0)


def sqlite_file(engine: Engine) -> Path | None:
    """Give the file of a SQLite database, or None for a server."""
    if engine.dialect.name != "sqlite":
        return None
    return Path(engine.url.database or "")
