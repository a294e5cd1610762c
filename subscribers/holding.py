"""A person is held while something is read of them that is to be written back. SQLite has one writer anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import ARRAY, Integer, any_, bindparam, select

from subscribers.tables import subscribers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection


def hold(connection: Connection, subscriber_id: int) -> None:
    """Let nobody else change or erase a person until this transaction ends.

    Whoever holds a person does so before anything else of theirs is locked, so that no two wait for each other.
    """
    hold_all(connection, (subscriber_id,))


def hold_all(connection: Connection, ids: Iterable[int]) -> None:
    """Hold several people, in the order of their ids."""
    if connection.dialect.name != "postgresql":
        return
    given = bindparam(None, list(ids), ARRAY(Integer))  # one parameter, whatever their number
    # Rows that refer to them, such as a consent, may still be written: they change nothing of what is read.
    query = select(subscribers.c.id).where(subscribers.c.id == any_(given)).order_by(subscribers.c.id)
    connection.execute(query.with_for_update(key_share=True)).all()
