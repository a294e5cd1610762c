"""A seat: a connection to the database that one thread keeps, opened anew after it broke.

A pool's checkout costs a round trip; whoever writes all the time keeps what they have. On PostgreSQL a quick seat is
for single statements that stand alone: each is its own transaction, in one round trip, by a plan that is made once.
"""

from __future__ import annotations

import time
from contextlib import nullcontext, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from sqlalchemy.exc import InterfaceError, OperationalError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Engine

    from mailer.delivery.turnstile import Turnstile

T = TypeVar("T")
_PLANS_LAST: Final = 5.0  # seconds
QUICK: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Else the server weighs at each call whether a plan for just these rows would do better, which takes longer.
        "plan_cache_mode": "force_generic_plan",
        # All is found by keys: a table that is not known yet must not be read for being taken for small.
        "enable_seqscan": "off",
        "enable_hashjoin": "off",
        "enable_mergejoin": "off",
    }
)
"""What a quick seat asks of PostgreSQL's planner."""


class Seat:
    """Belongs to one thread."""

    def __init__(self, engine: Engine, turnstile: Turnstile | None = None, *, quick: bool = False) -> None:
        self._engine = engine
        self._turnstile = turnstile
        self._quick = quick
        self._connection: Connection | None = None
        self._planned = time.monotonic()

    def _plan_anew(self, connection: Connection) -> None:
        """Let go of plans that were made while a table was smaller: nobody else tells that it has grown."""
        now = time.monotonic()
        if now - self._planned > _PLANS_LAST:
            self._planned = now
            connection.exec_driver_sql("DISCARD PLANS")

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, or for a quick seat statement by statement, and give what it returns."""
        if self._connection is None:
            self._connection = self._quickly() if self._quick else self._engine.connect()
        turn = nullcontext() if self._turnstile is None else self._turnstile.turn()
        try:
            with turn, self._connection.begin():
                if self._quick:
                    self._plan_anew(self._connection)
                return work(self._connection)
        except (OperationalError, InterfaceError):
            self.close()
            raise

    def _quickly(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # what is set here must not meet another user of the pool
        for name, value in QUICK.items():
            connection.exec_driver_sql(f"SET {name} = {value}")
        connection.commit()
        return connection

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OperationalError, InterfaceError):
                connection.close()


def seats(engine: Engine, turnstile: Turnstile | None = None) -> tuple[Seat, Seat]:
    """Give a seat for moves and one for all else; on SQLite they are one, since a file has one writer."""
    seat = Seat(engine, turnstile)
    return (Seat(engine, quick=True), seat) if engine.dialect.name == "postgresql" else (seat, seat)
