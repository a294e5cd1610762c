"""Which tables are ours: those that the migrations make, whatever else lives beside them in a database."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, inspect, text

from mailer.database import migrate

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVISION = "alembic_version"


@cache
def table_names() -> frozenset[str]:
    """Give the names of our tables at the newest revision, without Alembic's own.

    Read from a database in memory: the rooms that own the tables lie above this one.
    """
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        migrate(connection)
        names = inspect(connection).get_table_names()
    engine.dispose()
    return frozenset(names) - {REVISION}


def in_order(connection: Connection) -> list[str]:
    """Give our tables that this database has, each behind those that it refers to."""
    pairs = inspect(connection).get_sorted_table_and_fkc_names()
    return [name for name, _ in pairs if name in table_names()]


def empty(connection: Connection) -> None:
    """Take out of PostgreSQL's tables what a migration wrote there: their rows come from elsewhere."""
    names = ", ".join(quoted(connection, name) for name in in_order(connection))
    connection.execute(text(f"TRUNCATE {names}"))


def quoted(connection: Connection, name: str) -> str:
    """Give a name as SQL."""
    return connection.dialect.identifier_preparer.quote_identifier(name)


def driver_cursor(connection: Connection) -> Any:
    """Give a cursor of the driver itself: for COPY, and for rows as they are stored."""
    return connection.connection.driver_connection.cursor()  # type: ignore[union-attr]
