"""The database: one engine for SQLite and PostgreSQL, short transactions, and the way to the newest schema.

Promises: `writing` takes the write lock at once (BEGIN IMMEDIATE) and commits or rolls back; `reading` sees
one moment of the database; a folder works only with the database that holds its UUID. Never creates a
database by itself, save in `upgrade`. SQLite runs in WAL mode with synchronous=NORMAL: a crash of the
process loses nothing that was committed, a power cut may lose the newest commits and never breaks the file
(sqlite.org/wal.html); the delivery journal bounds what that can cost.
"""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Column,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from mailer.errors import Problem, TryLater, UserError
from mailer.resources import migrations_dir
from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from sqlalchemy import URL, Connection, Engine

metadata: Final = MetaData()

newsletter: Final = Table(
    "newsletter",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("created_at", Instant, nullable=False),
)

_WAIT_SECONDS: Final = 10  # for another writer's lock, or a server's answer
_PRAGMAS: Final = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA journal_size_limit=67108864",
)
_PASSING: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM,
    }
)  # fmt: skip
_UPGRADE_LOCK: Final = 0x6D61696C  # one upgrade at a time on PostgreSQL; the number is ours alone


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
    engine = create_engine(url, connect_args={"timeout": _WAIT_SECONDS})
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
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            connect_args={"connect_timeout": _WAIT_SECONDS, "application_name": "mailer"},
        )
    except ImportError:
        message = "PostgreSQL needs its driver: pip install 'newsletter-mailer[postgresql]'"
        raise UserError(Problem(message, key="database")) from None


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
        yield connection


@contextmanager
def _connected(engine: Engine, options: dict[str, Any]) -> Iterator[Connection]:
    """Give a connection whose transaction has begun; failing to begin is a matter of time."""
    try:
        connection = engine.connect().execution_options(**options)
        try:
            connection.begin()
        except BaseException:
            connection.close()
            raise
    except OperationalError as error:
        raise TryLater(Problem(_unreachable(error), key="database")) from None
    with connection:
        yield connection


def may_pass(error: DBAPIError) -> bool:
    """Say whether waiting may help: a lock, a full disk, a server that is away; not a statement that is wrong."""
    code = getattr(error.orig, "sqlite_errorcode", None)
    # The low octet is the primary code (sqlite.org/rescode.html).
    return code is None or code & 0xFF in _PASSING


def _unreachable(error: DBAPIError) -> str:
    first = str(error.orig).strip().partition("\n")[0]
    return f"the database does not answer: {first}"


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema, creating what is missing; all of it, or nothing."""
    _touch(engine)
    with writing(engine) as connection:
        migrate(connection)


def migrate(connection: Connection, target: str = "head") -> None:
    """Bring the database to one revision, in the caller's transaction."""
    from alembic import command  # noqa: PLC0415 - 100 ms that only an upgrade needs

    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_UPGRADE_LOCK)))
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def _touch(engine: Engine) -> None:
    """Make the file before SQLite does, so that nobody else may read who the readers are."""
    file = sqlite_file(engine)
    if file is None:
        return
    try:
        file.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise UserError(Problem(f"the database cannot be made: {error.strerror}", str(file))) from None


def _alembic() -> Any:
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(migrations_dir()).replace("%", "%%"))
    return config


def newest_revision() -> str:
    """Give the newest migration's id: they are numbered files, so Alembic need not be loaded to know it."""
    return max(file.name.partition("_")[0] for file in (migrations_dir() / "versions").glob("[0-9]*.py"))


def revision(connection: Connection) -> str | None:
    """Give the id of the newest migration that this database has seen, or None for one that we never made."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def register(connection: Connection, uuid: UUID, now: datetime) -> None:
    """Write the newsletter's UUID into a new database; raises UserError if another newsletter lives there."""
    known = connection.scalars(select(newsletter.c.uuid)).all()
    if not known:
        connection.execute(insert(newsletter).values(uuid=str(uuid), created_at=now))
    elif str(uuid) not in known:
        raise _other_newsletter(uuid)


def _require_owner(connection: Connection, uuid: UUID) -> None:
    if connection.scalar(select(newsletter.c.uuid).where(newsletter.c.uuid == str(uuid))) is None:
        raise _other_newsletter(uuid)


def _other_newsletter(uuid: UUID) -> UserError:
    message = (
        f"belongs to another newsletter: {uuid} is not in it. Is `id` or `database` in mailer.toml a copy?"
    )
    return UserError(Problem(f"the database {message}", "mailer.toml", key="id"))


def open_existing(url: str) -> Engine:
    """Give the engine of a database that is there, in whatever state; raises UserError if there is none."""
    engine = open_engine(url)
    if not exists(engine):
        raise _missing(engine)
    return engine


def open_newsletter(url: str, uuid: UUID) -> Engine:
    """Give the engine of a database that exists, is up to date and belongs to this newsletter.

    Raises UserError that says what to do, TryLater if the server does not answer. Never creates anything.
    """
    engine = open_existing(url)
    try:
        with reading(engine) as connection:
            _require_revision(connection, engine)
            _require_owner(connection, uuid)
    except BaseException:
        engine.dispose()
        raise
    return engine


def exists(engine: Engine) -> bool:
    """Tell whether there is a database at all; a file of SQLite is not created by asking."""
    file = sqlite_file(engine)
    return file is None or (file.is_file() and file.stat().st_size > 0)


def sqlite_file(engine: Engine) -> Path | None:
    """Give the file of a SQLite database, or None for a server."""
    from pathlib import Path  # noqa: PLC0415

    if engine.dialect.name != "sqlite":
        return None
    return Path(engine.url.database or "")


def _missing(engine: Engine) -> UserError:
    message = (
        "there is no database: `mailer init` makes one, `mailer db restore FILE` brings back a moved one"
    )
    return UserError(Problem(message, str(sqlite_file(engine) or ""), key="database"))


def _require_revision(connection: Connection, engine: Engine) -> None:
    found, newest = revision(connection), newest_revision()
    if found is None:
        raise _missing(engine)
    if found < newest:
        raise UserError(
            Problem(f"the database is at {found}, this program at {newest}: run `mailer db upgrade`")
        )
    if found > newest:
        raise UserError(
            Problem(f"the database is at {found}, newer than this program ({newest}): upgrade mailer")
        )


def check(engine: Engine, uuid: UUID | None = None) -> list[Problem]:
    """Give what is wrong with the database: a damaged file, broken references, an old schema, another's UUID."""
    with reading(engine) as connection:
        problems = []
        if engine.dialect.name == "sqlite":
            said = connection.scalars(text("PRAGMA integrity_check(20)")).all()
            problems += [Problem(f"integrity: {line}") for line in said if line != "ok"]
            broken = connection.execute(text("PRAGMA foreign_key_check")).fetchmany(20)
            problems += [
                Problem(f"table {row[0]}: row {row[1]} refers to a missing row of {row[2]}") for row in broken
            ]
        try:
            _require_revision(connection, engine)
            if uuid is not None:
                _require_owner(connection, uuid)
        except UserError as error:
            problems += error.problems
    return problems
