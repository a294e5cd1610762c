"""Exchanging: in one transaction a process tells of pleas for patience, asks for connections, and hears what holds now.

Promises: names are gone through in one order, so no two processes wait for each other's rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mailer.delivery.sharing.leases import Want, lease
from mailer.delivery.sharing.paces import Plea, plead, resting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

DOMAIN: Final = "domain:"  # before the name of a domain; a relay's has `relay:` before it


class Said(NamedTuple):
    """What the database says: the connections of each gate and of each domain that was asked for, and who rests."""

    lanes: Sequence[int]
    lent: Mapping[str, int]
    pleas: Sequence[Plea]


class Asked(NamedTuple):
    """What a process asks for: connections to its relays and to domains; and the pleas that it tells of."""

    relays: Sequence[Want]
    domains: Sequence[Want]
    told: Mapping[str, float]


def exchange(connection: Connection, epoch: int, asked: Asked) -> Said:
    """Tell of pleas, and ask for connections and for the pleas of others."""
    if asked.told:
        plead(connection, asked.told)
    # By name: no two processes wait for each other's rows.
    wants = sorted((*asked.relays, *asked.domains), key=lambda want: want.name)
    names = [want.name for want in wants]
    given = dict(zip(names, lease(connection, epoch, wants), strict=True))
    lent = {want.name.removeprefix(DOMAIN): given[want.name] for want in asked.domains if want.wanted}
    return Said([given[want.name] for want in asked.relays], lent, resting(connection))
