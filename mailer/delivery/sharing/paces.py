"""Paces: what all processes together may send a second, and who asked for patience; kept in the database.

A limit is kept by the generic cell rate algorithm (ITU-T I.371): one time a limit, at which the next message may go. A
process moves it on by a block and owns the turns in between; so limits hold whatever dies, and a message costs a share
of a statement. Where there is no limit nothing is written. The clock is the database server's, since machines' differ.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import Float, case, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.tables import paces

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import ColumnElement, Connection

_ARREARS: Final = 0.1  # seconds that may be caught up after an idle moment
_p = paces.c


class Plea(NamedTuple):
    """A plea for patience: the relay or domain, its running number, and the seconds that it still rests."""

    name: str
    number: int
    rest: float


def reserve(connection: Connection, name: str, rate: float, count: int) -> float:
    """Reserve `count` turns of a limit of `rate` messages a second; give the seconds from now until the first."""
    now, cost = _clock(connection), count / rate
    row = _insert(connection).values(name=name, next_at=now + cost)
    floor = now - _ARREARS
    begins = case((_p.next_at > floor, _p.next_at), else_=floor)
    moved = row.on_conflict_do_update(index_elements=[_p.name], set_={"next_at": begins + cost})
    made = connection.execute(moved.returning(_p.next_at, now)).one()
    return float(made[0]) - cost - float(made[1])


def plead(connection: Connection, rests: Mapping[str, float]) -> None:
    """Let every process know of who asked for patience, and for how many seconds each rests."""
    for name in sorted(rests):  # in one order, so that no two processes wait for each other
        until = _clock(connection) + rests[name]
        row = _insert(connection).values(name=name, next_at=0.0, rest_until=until, pleas=1)
        heard = {"rest_until": until, "pleas": _p.pleas + 1}
        connection.execute(row.on_conflict_do_update(index_elements=[_p.name], set_=heard))


def resting(connection: Connection) -> list[Plea]:
    """Give who rests now."""
    now = _clock(connection)
    rest = select(_p.name, _p.pleas, _p.rest_until - now).where(_p.rest_until > now)
    return [Plea(row[0], row[1], float(row[2])) for row in connection.execute(rest)]


def _clock(connection: Connection) -> ColumnElement[float]:
    """Give the seconds since 1970, by the clock that all processes share."""
    if connection.dialect.name == "postgresql":
        # The transaction's, not the statement's: one value within it, and reservations are a transaction each.
        return func.extract("epoch", func.now()).cast(Float)
    return literal(time.time(), Float)


def _insert(connection: Connection) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(paces)
