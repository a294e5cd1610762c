"""The indexes of declared attributes, brought to what mailer.toml says: by `mailer db upgrade`, never on a send's way.

PostgreSQL makes them beside everything else (CONCURRENTLY); on SQLite other writers wait, each index by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from mailer.database import reading, writing
from subscribers import index_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Engine


def missing(engine: Engine, attributes: Mapping[str, str]) -> bool:
    """Say whether `mailer db upgrade` has something to do."""
    with reading(engine) as connection:
        return bool(index_statements(connection, attributes))


def index(engine: Engine, attributes: Mapping[str, str]) -> int:
    """Make and drop what is needed; gives how many indexes were made or dropped."""
    with reading(engine) as connection:
        statements = index_statements(connection, attributes)
    for statement in statements:
        if engine.dialect.name == "postgresql":
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text(statement.replace(":", r"\:")))
        else:
            with writing(engine) as connection:
                connection.exec_driver_sql(statement)
    if statements:
        _look(engine)
    return len(statements)


def _look(engine: Engine) -> None:
    """Let the database look at what it holds: it uses an index of an expression only if it knows its worth."""
    with writing(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA analysis_limit=1000")
        connection.exec_driver_sql("ANALYZE subscribers")
