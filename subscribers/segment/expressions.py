"""What is asked of an attribute, as SQL of SQLite and of PostgreSQL, alike to the last row.

An attribute is JSON: text, number, true or false, list, object, null, or not there. Each expression here gives NULL
where the attribute is not of the kind that it asks for, never an error. Names of attributes are bound parameters,
save those that the settings declare: an index is found only where they stand in the statement itself.

SQLite compares text octet by octet (UTF-8 sorts as code points do), PostgreSQL is told to (COLLATE "C").
Source: sqlite.org/json1.html; postgresql.org/docs/current/functions-json.html.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Boolean, Integer, Numeric, String, Text, TypeDecorator, bindparam
from sqlalchemy.sql.functions import FunctionElement

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Dialect
    from sqlalchemy.sql.compiler import SQLCompiler

NUMBER_LENGTH: Final = 16
"""A text of more characters is no number: so every number that is read from one is the same in both databases."""


class Figure(TypeDecorator[Decimal]):
    """A number of at most 15 digits: an integer or a double for SQLite, a numeric for PostgreSQL."""

    impl = Numeric
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Give what the driver takes."""
        if value is None or dialect.name != "sqlite":
            return value
        return int(value) if value == value.to_integral_value() else float(value)

    def bind_processor(self, dialect: Dialect) -> Any:
        """Leave out Numeric's own processor, which warns of decimals on SQLite."""
        return lambda value: self.process_bind_param(value, dialect)


def attribute(
    path: tuple[str, ...], column: ColumnElement[Any], *, inline: bool = False
) -> tuple[ColumnElement[Any], ...]:
    """Give what an expression is made of: the column, the path for SQLite, the names for PostgreSQL."""
    words = (_sqlite_path(path), *path)
    return (
        column,
        *(bindparam(None, word, String(), literal_execute=inline, unique=True) for word in words),
    )


def _sqlite_path(path: tuple[str, ...]) -> str:
    """SQLite before 3.45 compares names as they are escaped in the JSON, and ours is written in ASCII."""
    return "$" + "".join(f".{json.dumps(name)}" for name in path)


class Asked(FunctionElement[Any]):
    """A question about one attribute; its first clause is the column, then the path, then the names."""

    inherit_cache = True


class KnownOf(Asked):
    """Whether it is there, and not null."""

    type = Boolean()
    inherit_cache = True


class ValueOf(Asked):
    """The value to compare with TextValue alone: any other kind than text equals none."""

    type = String()
    inherit_cache = True


class TextValue(FunctionElement[Any]):
    """A text as ValueOf gives it."""

    type = String()
    inherit_cache = True


class TextOf(Asked):
    """The text, or NULL for what is none."""

    type = Text()
    inherit_cache = True


class NumberOf(Asked):
    """The number, also of a text that is written like one (7, -0.5, 007), or NULL."""

    type = Figure()
    inherit_cache = True


class DayOf(Asked):
    """The first ten characters of a text that begins with a day (2026-07-14, 2026-07-14T09:52Z), or NULL."""

    type = Text()
    inherit_cache = True


class TruthOf(Asked):
    """Give 'true' or 'false', or NULL."""

    type = Text()
    inherit_cache = True


class HasText(Asked):
    """Whether it is a list with this text among its elements; the last clause is the text."""

    type = Boolean()
    inherit_cache = True


class HasNumber(Asked):
    """Whether it is a list with this number among its elements, or a text written like it."""

    type = Boolean()
    inherit_cache = True


class HasTruth(Asked):
    """Whether it is a list with true or false among its elements; the last clause is 'true' or 'false'."""

    type = Boolean()
    inherit_cache = True


class Position(FunctionElement[int]):
    """Where the second text begins in the first, counted from 1; 0 if it is not in it."""

    type = Integer()
    inherit_cache = True


class CodePoints(FunctionElement[str]):
    """A column of text that is ordered by code points."""

    type = Text()
    inherit_cache = True


def in_parentheses(element: FunctionElement[Any], compiler: SQLCompiler, words: dict[str, Any]) -> str:
    """Give the arguments of an element as SQL writes them."""
    return f"({', '.join(compiler.process(clause, **words) for clause in element.clauses)})"
