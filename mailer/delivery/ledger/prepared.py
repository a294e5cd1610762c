"""Statements of the hot path, compiled once into the words and the order of values that the driver takes.

SQLAlchemy finds a statement's compiled form and converts each value at every call, which costs more than SQLite takes
to run it; measured, a third of what a message costs in the ledger. The statements stay Core, for both databases; on
SQLite they go to the driver itself, in the transaction that the caller began.
"""

from __future__ import annotations

import re
import sqlite3
from enum import Enum
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from mailer.database import translated
from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ClauseElement, Connection, Dialect


# What psycopg writes as text it makes octet by octet, and the server reads it so: a group's arrays take both of them
# three times as long as in PostgreSQL's binary form, which `b` asks for.
_BOUND: Final = re.compile(r"%\((\w+)\)s")


class Prepared:
    """One statement for one kind of database. Values are given by name, as the driver wants them."""

    __slots__ = ("_constants", "_order", "_text")

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        self._text = _BOUND.sub(r"%(\1)b", str(compiled)) if dialect.driver == "psycopg" else str(compiled)
        self._order: tuple[str, ...] | None = tuple(compiled.positiontup) if compiled.positional else None
        self._constants = {name: _bare(value) for name, value in compiled.params.items() if value is not None}

    def rows(self, connection: Connection, values: Mapping[str, object]) -> Sequence[Sequence[Any]]:
        """Run it once, and give the rows that it returns."""
        bound = self._bound({**self._constants, **values})
        if self._order is None:
            result = connection.exec_driver_sql(self._text, bound)
            return result.all() if result.returns_rows else ()
        driver: Any = connection.connection.dbapi_connection
        try:
            found: list[tuple[Any, ...]] = driver.execute(self._text, bound).fetchall()
        except sqlite3.Error as problem:
            raise translated(problem) from problem
        return found

    def run_each(
        self,
        connection: Connection,
        shared: Mapping[str, object],
        names: tuple[str, ...],
        rows: Iterable[tuple[object, ...]],
    ) -> None:
        """Run it for each row, whose values are named by `names`; `shared` holds for all."""
        base = {**self._constants, **shared}
        if self._order is None:
            bound = [{**base, **dict(zip(names, row, strict=True))} for row in rows]
            connection.exec_driver_sql(self._text, bound)
            return
        place = {name: at for at, name in enumerate((*names, *base))}
        chosen = itemgetter(*[place[name] for name in self._order])
        tail = tuple(base.values())
        driver: Any = connection.connection.dbapi_connection
        try:
            driver.executemany(self._text, [chosen(row + tail) for row in rows])
        except sqlite3.Error as problem:
            raise translated(problem) from problem

    def _bound(self, values: Mapping[str, object]) -> Any:
        return values if self._order is None else tuple(map(values.__getitem__, self._order))


def _bare(value: object) -> object:
    """Give an enum's member as the plain word it is: sqlite3 looks for an adapter of anything else, each time."""
    return value.value if isinstance(value, Enum) else value


@lru_cache(maxsize=1024)
def prepared(statement: ClauseElement, dialect: Dialect) -> Prepared:
    """Give the prepared form; the same statement object on the same engine is compiled once."""
    return Prepared(statement, dialect)


@lru_cache(maxsize=8)
def _converter(dialect: Dialect) -> Any:
    return Instant().dialect_impl(dialect).bind_processor(dialect) or (lambda moment: moment)


def driver_instant(moment: datetime, dialect: Dialect) -> object:
    """Give an instant as the driver stores it."""
    return _converter(dialect)(moment)
