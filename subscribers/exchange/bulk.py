"""Many rows into one table, with as little as possible between them and the driver.

SQLAlchemy's own executemany costs 5 µs a row and table, which would be half of an import: the statement is made
here from the table's names alone, and the values go to the driver as they are; to PostgreSQL with COPY. So a
value must be what the driver takes; what is the same for all rows is converted once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Table

dumps = json.JSONEncoder().encode
"""JSON as SQLAlchemy writes it."""


def insert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[tuple[Any, ...]],
    **same: Any,
) -> None:
    """Insert rows of the values of `columns`; `same` are the columns that all rows share."""
    if not rows:
        return
    names = (*columns, *same)
    if unknown := set(names) - set(table.c.keys()):
        raise KeyError(unknown)
    shared = tuple(bound(connection, table, name, value) for name, value in same.items())
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {table.name} ({', '.join(names)}) FROM STDIN", rows, shared)
        return
    marks = ", ".join("?" * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own names
    connection.exec_driver_sql(statement, [row + shared for row in rows])


def _copy(
    connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]], shared: tuple[Any, ...]
) -> None:
    driver: Any = connection.connection.dbapi_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row + shared)
    except driver_error(connection) as problem:
        raise DBAPIError.instance(statement, None, problem, driver_error(connection)) from problem


def driver_error(connection: Connection) -> type[Exception]:
    """Give the root of the driver's errors, which SQLAlchemy does not see where it is passed by."""
    error: type[Exception] = connection.dialect.loaded_dbapi.Error
    return error


def bound(connection: Connection, table: Table, name: str, value: Any) -> Any:
    """Convert a value as the column's type does."""
    dialect = connection.dialect
    process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return process(value) if process else value
