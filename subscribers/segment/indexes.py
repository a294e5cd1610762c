"""Indexes for declared attributes: which there should be, which there are, and the statements between the two.

An index bears in its name what it holds, so a declaration that changes makes another and drops the old one. They stand
in no migration and in no table of the code: the settings decide, and `mailer db upgrade` applies them.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from subscribers.segment import expressions, on_postgresql, on_sqlite
from subscribers.tables import subscribers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection, Dialect

__all__ = ["index_statements", "on_postgresql", "on_sqlite"]  # those two teach SQLAlchemy the expressions

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
