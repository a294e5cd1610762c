"""PostgreSQL's side of a backup: COPY of every table in one snapshot, and back in one transaction.

pg_dump was rejected: it must be installed, and of the server's version; COPY's text form is the same in all of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from mailer.backup.schema import REVISION, driver_cursor, empty, in_order, quoted, table_names
from mailer.database import migrate, reading, writing

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine

_CHUNK: Final = 1 << 20


def dump(engine: Engine, folder: Path) -> dict[str, int]:
    """Write every table to a file of its own, all of one moment; give the sequences' last values."""
    (folder / "tables").mkdir()
    with reading(engine) as connection:
        for name in in_order(connection):
            _copy_out(connection, name, folder / "tables" / f"{name}.copy")
        return _sequences(connection)


def _copy_out(connection: Connection, name: str, file: Path) -> None:
    command = f"COPY {quoted(connection, name)} TO STDOUT"
    with file.open("wb") as target, driver_cursor(connection) as cursor, cursor.copy(command) as rows:
        for row in rows:
            target.write(row)


def _sequences(connection: Connection) -> dict[str, int]:
    query = text("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = current_schema()")
    ours = _ours(connection)
    return {
        row.sequencename: row.last_value
        for row in connection.execute(query)
        if row.sequencename in ours and row.last_value is not None
    }


def _ours(connection: Connection) -> frozenset[str]:
    """Give the sequences that belong to our tables: other programs may live in the same schema."""
    query = text(
        "SELECT s.relname FROM pg_depend JOIN pg_class s ON s.oid = objid AND s.relkind = 'S' "
        "JOIN pg_class t ON t.oid = refobjid AND t.relnamespace = CAST(current_schema() AS regnamespace) "
        "WHERE deptype IN ('a', 'i') AND t.relname = ANY(:tables)"
    )
    return frozenset(connection.scalars(query, {"tables": list(table_names())}))


def restore(tables: list[Path], revision: str, sequences: dict[str, int], engine: Engine) -> None:
    """Replace our tables by those of the backup, in one transaction; ids go on where they stood (house rule 6)."""
    files = {file.stem: file for file in tables}
    with writing(engine) as connection:
        for name in sorted(table_names() | {REVISION}):
            connection.execute(text(f"DROP TABLE IF EXISTS {quoted(connection, name)} CASCADE"))
        migrate(connection, revision)
        empty(connection)
        for name in in_order(connection):
            if name in files:
                _copy_in(connection, name, files[name])
        for name in _ours(connection) & sequences.keys():  # backups of older versions hold others', too
            value = sequences[name]
            connection.execute(
                text("SELECT setval(CAST(:name AS regclass), :value)"), {"name": name, "value": value}
            )
        migrate(connection)


def _copy_in(connection: Connection, name: str, file: Path) -> None:
    command = f"COPY {quoted(connection, name)} FROM STDIN"
    with file.open("rb") as source, driver_cursor(connection) as cursor, cursor.copy(command) as rows:
        while chunk := source.read(_CHUNK):
            rows.write(chunk)
