"""Leases: how the connections that a relay allows are divided among the processes that send through it now.

Promises: together they never hold more than the relay allows; whoever comes gets a fair share within two seconds, for
everybody looks once a second and gives up what is too much; it is given to others only once it is closed (`kept`). A
dead worker's lease ends with its epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.tables import leases

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.smtp.relay import Relay

_LOCK: Final = 0x6C656173  # one division at a time on PostgreSQL; the number is ours alone
_c = leases.c


def lease(connection: Connection, relay: Relay, epoch: int, *, wanted: bool, kept: int = 0) -> int:
    """Give the connections to this relay that the worker may have now; none if it wants none.

    `kept` is how many it has open, or may open until it hears of this: they stay its own until it asks again.
    """
    held = _held(connection, relay)
    if settled(held, epoch, relay.connections, wanted=wanted):
        return held.get(epoch, 0)
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        held = _held(connection, relay)
    mine = share(held, epoch, relay.connections) if wanted else 0
    row = max(mine, min(kept, held.get(epoch, 0)))
    if not wanted and not row:
        connection.execute(delete(leases).where(_c.relay == relay.name, _c.epoch == epoch))
    elif row != held.get(epoch):
        _write(connection, relay.name, epoch, row)
    return mine


def _held(connection: Connection, relay: Relay) -> dict[int, int]:
    rows = connection.execute(select(_c.epoch, _c.connections).where(_c.relay == relay.name))
    return {row.epoch: row.connections for row in rows}


def settled(held: dict[int, int], epoch: int, total: int, *, wanted: bool) -> bool:
    """Say whether nothing is to be changed: the usual case, which writes nothing. Pure."""
    return held.get(epoch) == share(held, epoch, total) if wanted else epoch not in held


def share(held: dict[int, int], epoch: int, total: int) -> int:
    """Give a worker's part of `total`: as much as everybody, and no more than the others leave. Pure."""
    everybody = sorted({*held, epoch})
    fair = total // len(everybody) + (everybody.index(epoch) < total % len(everybody))
    others = sum(count for one, count in held.items() if one != epoch)
    return max(0, min(fair, total - others))


def _write(connection: Connection, relay: str, epoch: int, count: int) -> None:
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(leases).values(relay=relay, epoch=epoch, connections=count)
    connection.execute(
        row.on_conflict_do_update(index_elements=[_c.relay, _c.epoch], set_={"connections": count})
    )
