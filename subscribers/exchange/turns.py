"""Imports take turns. SQLite has one writer anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK: Final = 0x696D706F  # the number is ours alone


def take_turn(connection: Connection) -> None:
    """Let no other import write until this transaction ends.

    Each holds many people, in the order of its file: of two at a time each might wait for whom the other has.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
