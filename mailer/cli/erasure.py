"""What of an erased person stands outside their own tables: addresses and replies in the ledger, letters in wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from mailer.delivery.tables import deliveries, letters

if TYPE_CHECKING:
    from sqlalchemy import Connection


def blank_deliveries(connection: Connection, subscriber_id: int) -> None:
    """Blank the address and what servers said of it; the rows stay, so every count stays true."""
    for table in (deliveries, letters):
        theirs = update(table).where(table.c.subscriber_id == subscriber_id)
        connection.execute(theirs.values(address="", reply=""))
    letter = update(letters).where(letters.c.subscriber_id == subscriber_id)
    connection.execute(letter.values(content=b""))
