"""The home: which server's database this is, so that machines may join it, and a restored copy is told from it.

Written by whoever sends; a dump brought back elsewhere, a point in time that was gone back to and a standby that
took over have another one. Only PostgreSQL has a home: SQLite's is known by its file (witness.py).
When it was made (`born`) both know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select, text, update

from mailer.database import newsletter, reading, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

# The server's own number, its history (a new one after a recovery), and the database in it.
_ASKED: Final = text(
    "SELECT CASE WHEN has_function_privilege('pg_control_system()', 'execute')"
    " AND has_function_privilege('pg_control_checkpoint()', 'execute') THEN"
    " (SELECT system_identifier::text FROM pg_control_system()) || '/' ||"
    " (SELECT timeline_id::text FROM pg_control_checkpoint()) || '/' ||"
    " (SELECT oid::text FROM pg_database WHERE datname = current_database()) ELSE '' END"
)


def stands(connection: Connection) -> bool:
    """Say whether the database was last sent from the server that it is on; false where that cannot be known."""
    here = _here(connection)
    return bool(here) and connection.execute(select(newsletter.c.home)).scalars().first() == here


def move_in(database: Engine) -> None:
    """Remember the server, if it is another than before."""
    if database.dialect.name != "postgresql":
        return
    with reading(database) as connection:
        if stands(connection):
            return
    with writing(database) as connection:
        connection.execute(update(newsletter).values(home=_here(connection)))


def born(connection: Connection) -> str:
    """Give when the database was made: one made anew is another one."""
    made = connection.execute(select(func.min(newsletter.c.created_at))).scalar()
    return made.isoformat() if made else ""


def _here(connection: Connection) -> str:
    return str(connection.scalar(_ASKED)) if connection.dialect.name == "postgresql" else ""
