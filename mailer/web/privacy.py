"""What the pages hold of a person: requests that are not worked off yet. Shown and erased as mailer.privacy asks.

Budgets hold keyed hashes, and forget them within a day; there is nothing of a person to show.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

import subscribers
from mailer.web.tables import requests
from subscribers import InvalidAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import Connection, Row


def held(connection: Connection, subscriber_id: int, addresses: Sequence[str]) -> dict[str, Any]:
    """Give what this person asked for and has not got yet."""
    found = _theirs(connection, subscriber_id, addresses)
    return {"asked": [{"kind": row.kind, "at": row.created_at, **json.loads(row.document)} for row in found]}


def erased(connection: Connection, subscriber_id: int, addresses: Sequence[str]) -> None:
    """Drop it."""
    ids = [row.id for row in _theirs(connection, subscriber_id, addresses)]
    connection.execute(delete(requests).where(requests.c.id.in_(ids)))


def _theirs(connection: Connection, subscriber_id: int, addresses: Sequence[str]) -> Iterator[Row[Any]]:
    """Give the requests of a person; the table is empty but for a second, so that all of it is read."""
    known = {_mailbox(address) for address in addresses if address}
    for row in connection.execute(select(requests)).all():
        asked = json.loads(row.document)
        if asked.get("subscriber") == subscriber_id or _mailbox(str(asked.get("email", ""))) in known:
            yield row


def _mailbox(email: str) -> bytes:
    """Give what all spellings of an address have in common: a form keeps what was typed, an A-label or not."""
    try:
        return subscribers.address_hash(email, b"")
    except InvalidAddress:
        return email.casefold().encode("utf-8", "replace")
