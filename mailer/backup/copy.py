"""From SQLite to PostgreSQL: every table in one transaction, then held against the source row by row.

Promises: the target gets all or nothing; the source is locked meanwhile and stays as it is; ids go on where they stood
(house rule 6: an id names a reader in links that were mailed years ago). Never: copies into a database that holds
anything of ours.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import inspect, text
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, TIMESTAMP
from sqlalchemy.types import JSON, Boolean, Date, String

from mailer.backup.schema import REVISION, driver_cursor, empty, in_order, quoted, table_names
from mailer.database import migrate, newest_revision, revision, writing
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection, Engine

    Tell = Callable[[str, int], None]

_PAGE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column: how a value of SQLite is said to PostgreSQL."""

    name: str
    translate: Callable[[Any], Any] | None
    text: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """One table of the target."""

    name: str
    columns: Sequence[Column]
    key: Sequence[Column]


def copy_database(source: Engine, target: Engine, tell: Tell) -> Mapping[str, int]:
    """Copy everything and verify it; give the rows of each table. `tell` hears of a table and its rows so far.

    Raises UserError if the target is not empty, the source not of this program's schema, or a row came out otherwise.
    """
    with writing(source) as old, writing(target) as new:
        _require_ready(old, new)
        migrate(new)
        empty(new)
        rows = {}
        for shape in [_shape(new, name) for name in in_order(new)]:
            rows[shape.name] = _copy(old, new, shape, tell)
            _verify(old, new, shape)
        _raise_ids(old, new)
        return rows


def _require_ready(old: Connection, new: Connection) -> None:
    if old.dialect.name != "sqlite" or new.dialect.name != "postgresql":
        raise UserError(Problem("copies from SQLite to PostgreSQL only", key="database"))
    if revision(old) != newest_revision():
        raise UserError(Problem("the database is of another version: run `mailer db upgrade` first"))
    found = sorted((table_names() | {REVISION}) & set(inspect(new).get_table_names()))
    if found:
        message = f"the target is not empty: it has a table {found[0]!r}. Make a new database for it"
        raise UserError(Problem(message, key="database"))


def _shape(new: Connection, name: str) -> Shape:
    told = inspect(new)
    columns = {
        each["name"]: Column(each["name"], _translator(each["type"]), isinstance(each["type"], String))
        for each in told.get_columns(name)
    }
    key = told.get_pk_constraint(name)["constrained_columns"] or list(columns)
    return Shape(name, list(columns.values()), [columns[each] for each in key])


def _translator(kind: Any) -> Callable[[Any], Any] | None:
    """Give how a stored value of SQLite becomes one of PostgreSQL, by the column's type there."""
    match kind:
        case TIMESTAMP():
            return datetime.fromisoformat
        case Date():
            return datetime.fromisoformat
        case Boolean():
            return bool
        case JSONB() | JSON():
            return json.loads
        case BYTEA():
            return bytes
    return None


def _copy(old: Connection, new: Connection, shape: Shape, tell: Tell) -> int:
    from psycopg.types.json import Jsonb  # noqa: PLC0415 - the driver is there where PostgreSQL is

    names = ", ".join(quoted(new, each.name) for each in shape.columns)
    is_json = [each.translate is json.loads for each in shape.columns]
    done = 0
    command = f"COPY {quoted(new, shape.name)} ({names}) FROM STDIN"
    with driver_cursor(new) as cursor, cursor.copy(command) as sink:
        for row in _old_rows(old, shape):
            sink.write_row(
                [
                    Jsonb(value) if wrap and value is not None else value
                    for wrap, value in zip(is_json, row, strict=True)
                ]
            )
            done += 1
            if done % _PAGE == 0:
                tell(shape.name, done)
    tell(shape.name, done)
    return done


def _old_rows(old: Connection, shape: Shape) -> Iterator[tuple[Any, ...]]:
    """Give the source's rows in the order of their key, as PostgreSQL is to have them."""
    cursor = driver_cursor(old)
    translators = [each.translate for each in shape.columns]
    cursor.execute(_select(old, shape, ""))
    while page := cursor.fetchmany(_PAGE):
        for row in page:
            yield tuple(
                translate(value) if translate and value is not None else value
                for translate, value in zip(translators, row, strict=True)
            )


def _new_rows(new: Connection, shape: Shape) -> Iterator[tuple[Any, ...]]:
    with new.connection.driver_connection.cursor(f"copy_{shape.name}") as cursor:  # type: ignore[union-attr]
        cursor.execute(_select(new, shape, ' COLLATE "C"'))
        while page := cursor.fetchmany(_PAGE):
            yield from page


def _select(connection: Connection, shape: Shape, collation: str) -> str:
    """Give the query for all rows; texts are ordered by their octets, as SQLite does."""
    names = ", ".join(quoted(connection, each.name) for each in shape.columns)
    order = ", ".join(quoted(connection, each.name) + (collation if each.text else "") for each in shape.key)
    return f"SELECT {names} FROM {quoted(connection, shape.name)} ORDER BY {order}"  # noqa: S608 - names are ours


def _verify(old: Connection, new: Connection, shape: Shape) -> None:
    for number, (was, is_) in enumerate(zip_longest(_old_rows(old, shape), _new_rows(new, shape)), 1):
        if was != is_:
            message = f"table {shape.name}: row {number} came out otherwise, so nothing was copied"
            raise UserError(Problem(message, key="database"))


def _raise_ids(old: Connection, new: Connection) -> None:
    """Let PostgreSQL's sequences go on behind the highest id that SQLite ever gave."""
    for name, highest in old.execute(text("SELECT name, seq FROM sqlite_sequence")).all():
        if name not in table_names() or not highest:
            continue
        (key,) = inspect(new).get_pk_constraint(name)["constrained_columns"]
        found = text("SELECT setval(CAST(pg_get_serial_sequence(:name, :key) AS regclass), :highest)")
        new.execute(found, {"name": name, "key": key, "highest": highest})
