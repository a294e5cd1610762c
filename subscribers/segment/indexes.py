"""Indexes for declared attributes: which there should be and are, the statements between the two, what they answer.

An index bears in its name what it holds, so a declaration that changes makes another and drops the old one. They stand
in no migration and in no table of the code: the settings decide, and `mailer db upgrade` applies them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import text

from subscribers.segment import expressions, on_postgresql, on_sqlite
from subscribers.segment.tree import Among, Attribute, Compare, Comparison
from subscribers.tables import subscribers

if TYPE_CHECKING:
    from sqlalchemy import Connection, Dialect

    from subscribers.segment.tree import Node

__all__ = [
    "Declared",
    "answered",
    "index_statements",
    "on_postgresql",
    "on_sqlite",
]  # the last two teach SQLAlchemy

Declared: TypeAlias = Mapping[tuple[str, ...], str]
"""The attributes that have indexes: path -> text, number or date."""

_PREFIX: Final = "ix_attribute_"
_HELD: Final = {"text": expressions.ValueOf, "number": expressions.NumberOf, "date": expressions.DayOf}
_THERE: Final = {
    "sqlite": "SELECT name, 1 AS valid FROM sqlite_master WHERE type = 'index' AND tbl_name = 'subscribers'",
    # One that a crash left half made serves nobody, and is made again under its name.
    "postgresql": "SELECT relname AS name, indisvalid AS valid FROM pg_class JOIN pg_index "
    "ON indexrelid = pg_class.oid WHERE indrelid = 'subscribers'::regclass",
}


def index_statements(connection: Connection, declared: Mapping[str, str]) -> list[str]:
    """Give the statements that make the indexes of `declared`, {"address.city": "text"}, the ones there are.

    Each is to be run by itself; on PostgreSQL outside of a transaction, so that nobody waits (CONCURRENTLY).
    """
    dialect = connection.dialect
    wanted = {_name(name, kind): (name, kind) for name, kind in declared.items()}
    rows = connection.execute(text(_THERE[dialect.name])).all()
    there = {row.name: row.valid for row in rows if row.name.startswith(_PREFIX)}
    alone = "CONCURRENTLY " if dialect.name == "postgresql" else ""
    gone = [name for name, valid in there.items() if name not in wanted or not valid]
    new = [name for name in wanted if not there.get(name)]
    return [
        *(f"DROP INDEX {alone}IF EXISTS {name}" for name in sorted(gone)),
        *(
            f"CREATE INDEX {alone}{name} ON subscribers ({_expression(dialect, *wanted[name])})"
            for name in new
        ),
    ]


def _name(name: str, kind: str) -> str:
    """Give the index's name: the kind and a hash of the rest, since names are longer than an index's may be."""
    return f"{_PREFIX}{kind}_{blake2b(name.encode(), digest_size=8).hexdigest()}"


def _expression(dialect: Dialect, name: str, kind: str) -> str:
    """Give what the index holds, letter for letter what a segment asks for: else no database would use it."""
    held = _HELD[kind](*expressions.attribute(tuple(name.split(".")), subscribers.c.attributes, inline=True))
    words = {"literal_binds": True, "include_table": False}
    return f"({held.compile(dialect=dialect, compile_kwargs=words)})"


def answered(part: Node, declared: Declared) -> bool:
    """Say whether an index of a declared attribute answers this condition."""
    if isinstance(part, Among):
        values: tuple[object, ...] = part.values
    elif isinstance(part, Compare) and part.how is not Comparison.OTHER:
        values = (part.value,)
    else:
        return False
    kind = declared.get(part.subject.path) if isinstance(part.subject, Attribute) else None
    if kind == "text":
        return all(isinstance(value, str) for value in values) and _same(part)
    if kind == "number":
        return all(isinstance(value, Decimal) for value in values)
    return kind == "date" and all(isinstance(value, date) for value in values)


def _same(part: Among | Compare) -> bool:
    return isinstance(part, Among) or part.how is Comparison.EQUAL
