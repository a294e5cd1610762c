"""Many rows into one table, with one statement and as little as possible between them and the driver.

SQLAlchemy's own executemany costs 5 µs a row and table, which would be half of an import: the statement is made
here from the table's names alone, and the values go to the driver as they are. So a value must be what the driver
takes; what is the same for all rows is converted once.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608 - names of our own columns
    shared = tuple(_bound(connection, table, name, value) for name, value in same.items())
    connection.exec_driver_sql(statement, [row + shared for row in rows])


def _bound(connection: Connection, table: Table, name: str, value: Any) -> Any:
    """Convert a value as the column's type does."""
    dialect = connection.dialect
    process = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return process(value) if process else value
