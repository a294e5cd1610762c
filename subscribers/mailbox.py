"""The rows of addresses: made, and moved from state to state along the table of status.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.errors import UnknownSubscriber
from subscribers.status import ADDRESS_MOVES, AddressState, sources
from subscribers.tables import addresses

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from subscribers.address import Address


def insert_address(
    connection: Connection,
    subscriber_id: int,
    address: Address,
    hash_: bytes,
    now: datetime,
    *,
    unless_taken: bool = False,
) -> bool:
    """Give a person an address, reachable until something else is known; tell whether it was free, if that is asked."""
    row = {
        "subscriber_id": subscriber_id,
        "email": address.email,
        "normalized": address.normalized,
        "domain": address.domain,
        "hash": hash_,
        "state": AddressState.REACHABLE,
        "changed_at": now,
    }
    if not unless_taken:
        connection.execute(insert(addresses).values(row))
        return True
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    free = make(addresses).values(row).on_conflict_do_nothing(index_elements=["normalized"])
    return connection.execute(free.returning(addresses.c.id)).first() is not None


def move_address(
    connection: Connection, subscriber_id: int, target: AddressState, reason: str | None, now: datetime
) -> bool:
    """Move a person's address to a state, where the table allows it; give whether it moved."""
    allowed = sources(ADDRESS_MOVES, target)
    mine = (addresses.c.subscriber_id == subscriber_id, addresses.c.state.in_(allowed))
    values = {"state": target, "reason": reason, "changed_at": now}
    return bool(connection.execute(update(addresses).where(*mine).values(values)).rowcount)


def hash_of(connection: Connection, subscriber_id: int) -> bytes:
    """Give the hash of a person's address; raises UnknownSubscriber for who has none."""
    hash_ = connection.scalar(select(addresses.c.hash).where(addresses.c.subscriber_id == subscriber_id))
    if hash_ is None:
        raise UnknownSubscriber(f"nobody with an address has the id {subscriber_id}")
    return bytes(hash_)
