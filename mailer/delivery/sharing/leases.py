"""Leases: how the connections that a relay or a domain allows are divided among the processes that use them now.

Promises: together they never hold more than is allowed, for what a process still uses stays its own until it has let
go; whoever comes gets a fair share within two seconds, for everybody looks once a second and gives up what is too
much; a dead worker's leases end with its epoch. Never: asks whether the worker is over (watch.py does, in the same
transaction); nobody would take back what such a one is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.tables import leases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

_LOCK: Final = 0x6C656173  # one division at a time on PostgreSQL; the number is ours alone
_c = leases.c


class Want(NamedTuple):
    """What a process says of one relay or domain: how many it allows in all, and whether any are wanted here.

    `kept` is how many the process has, or may have until it hears of this: they stay its own until it asks again.
    """

    name: str
    total: int
    kept: int = 0
    wanted: bool = True


def lease(connection: Connection, epoch: int, wants: Sequence[Want]) -> list[int]:
    """Give for each want the connections that the worker may have now: none of what it does not want."""
    if not wants:
        return []
    held = _held(connection, wants)
    if any(_changes(held.get(want.name, {}), epoch, want) for want in wants):
        if connection.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            held = _held(connection, wants)
        for want in wants:
            _write(connection, epoch, want, row(held.get(want.name, {}), epoch, want))
    return [share(held.get(want.name, {}), epoch, want.total) if want.wanted else 0 for want in wants]


def _held(connection: Connection, wants: Sequence[Want]) -> dict[str, dict[int, int]]:
    held: dict[str, dict[int, int]] = {}
    names = [want.name for want in wants]
    for one in connection.execute(select(_c.name, _c.epoch, _c.connections).where(_c.name.in_(names))):
        held.setdefault(one.name, {})[one.epoch] = one.connections
    return held


def _changes(held: dict[int, int], epoch: int, want: Want) -> bool:
    """Say whether a row is to be written: not in the usual case. Pure."""
    return held.get(epoch) != row(held, epoch, want)


def row(held: dict[int, int], epoch: int, want: Want) -> int | None:
    """Give what is to stand in the worker's row: its share, or what it still keeps; None for no row. Pure."""
    mine = share(held, epoch, want.total) if want.wanted else 0
    mine = max(mine, min(want.kept, held.get(epoch, 0)))
    return mine if want.wanted or mine else None


def share(held: dict[int, int], epoch: int, total: int) -> int:
    """Give a worker's part of `total`: as much as everybody, and no more than the others leave. Pure."""
    everybody = sorted({*held, epoch})
    fair = total // len(everybody) + (everybody.index(epoch) < total % len(everybody))
    others = sum(count for one, count in held.items() if one != epoch)
    return max(0, min(fair, total - others))


def _write(connection: Connection, epoch: int, want: Want, count: int | None) -> None:
    if count is None:
        connection.execute(delete(leases).where(_c.name == want.name, _c.epoch == epoch))
        return
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = dialect.insert(leases).values(name=want.name, epoch=epoch, connections=count)
    connection.execute(
        values.on_conflict_do_update(index_elements=[_c.name, _c.epoch], set_={"connections": count})
    )
