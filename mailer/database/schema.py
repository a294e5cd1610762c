"""The schema: the way to the newest one, and whose database it is.

Promises: a folder works only with the database that holds its UUID and is as new as the program. Never creates a
database by itself, save in `upgrade`: all of it, or nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Column, MetaData, String, Table, func, insert, inspect, select, text

from mailer.database.engine import exists, open_engine, reading, sqlite_file, writing
from mailer.errors import Problem, UserError
from mailer.resources import migrations_dir
from subscribers import Instant

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from sqlalchemy import Connection, Engine

metadata: Final = MetaData()

newsletter: Final = Table(
    "newsletter",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("created_at", Instant, nullable=False),
    Column("home", String(200), nullable=False, server_default=""),  # the server that it was last sent from
)

_UPGRADE_LOCK: Final = 0x6D61696C  # one upgrade at a time on PostgreSQL; the number is ours alone


class OldSchema(UserError):  # noqa: N818 - it names what was found
    """The database is there, sound, and of an older version of this program."""


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
        raise OldSchema(
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
