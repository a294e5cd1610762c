"""A seat: a connection to the database that one writer keeps, opened anew after it broke.

A pool's checkout costs a round trip; whoever writes all the time keeps what they have. Beside the seat for everything
there is a quick one for moves alone. On PostgreSQL it is for single statements that stand alone: each is its own
transaction, in one round trip, by a plan that is made once. On SQLite it waits for nobody: a transaction is over in
less time than it takes to wake a thread, or it is not begun.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from mailer.database import translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Connection, Engine

    from mailer.delivery.turnstile import Turnstile

T = TypeVar("T")
_PLANS_LAST: Final = 5.0  # seconds, at first
_LONGEST_PLANS: Final = 80.0
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

_AT_ONCE: Final = (
    "PRAGMA busy_timeout=0",
    # To bring a log into the file takes a disk's time: the patient seat does it, with the next heartbeat at the latest.
    "PRAGMA wal_autocheckpoint=0",
)


class Seat:
    """For one writer at a time. This one waits for a lock and for its turn."""

    def __init__(self, engine: Engine, turnstile: Turnstile | None = None) -> None:
        self._engine = engine
        self._turnstile = turnstile
        self._connection: Connection | None = None

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction and give what it returns."""
        with nullcontext() if self._turnstile is None else self._turnstile.turn():
            return self._run(self._transacted, work)

    def _run(
        self, how: Callable[[Connection, Callable[[Connection], T]], T], work: Callable[[Connection], T]
    ) -> T:
        """Run it on the connection, which is let go of if it may be broken."""
        try:
            if self._connection is None:
                self._connection = self._opened()
            return how(self._connection, work)
        except (OperationalError, InterfaceError):
            self.close()
            raise

    def _transacted(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        with connection.begin():
            return work(connection)

    def _opened(self) -> Connection:
        return self._engine.connect()

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OperationalError, InterfaceError):
                connection.close()


class AloneSeat(Seat):
    """PostgreSQL's quick seat: each statement is a transaction of its own."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._planned = time.monotonic()
        self._plans_last = _PLANS_LAST

    def _transacted(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        with connection.begin():
            self._plan_anew(connection)
            return work(connection)

    def _plan_anew(self, connection: Connection) -> None:
        """Let go of plans that were made while a table was smaller: nobody else tells that it has grown.

        Less and less often: what is large does not double within seconds.
        """
        now = time.monotonic()
        if now - self._planned > self._plans_last:
            self._planned, self._plans_last = now, min(2 * self._plans_last, _LONGEST_PLANS)
            connection.exec_driver_sql("DISCARD PLANS")

    def _opened(self) -> Connection:
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()  # what is set here must not meet another user of the pool
        for name, value in QUICK.items():
            connection.exec_driver_sql(f"SET {name} = {value}")
        connection.commit()
        return connection


class AtOnceSeat(Seat):
    """SQLite's quick seat: it waits for nobody. BlockingIOError says that another writes, and that nothing was done."""

    def transact(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in one transaction, or not at all."""
        with self._turn():
            return self._run(self._transacted, work)

    def transact_prepared(self, work: Callable[[Connection], T]) -> T:
        """Run work of prepared statements alone, in a transaction of the driver's, or not at all.

        What SQLAlchemy does around a transaction takes longer than what a few statements do in it.
        """
        with self._turn():
            return self._run(self._driven, work)

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turnstile is None else self._turnstile.at_once()

    def _transacted(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        try:
            transaction = connection.begin()
        except OperationalError as problem:
            raise _why(problem, problem.orig) from problem
        with transaction:
            return work(connection)

    def _driven(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        driver: Any = connection.connection.dbapi_connection
        try:
            driver.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as problem:
            raise _why(translated(problem), problem) from problem
        try:
            return self._committed(driver, lambda: work(connection))
        except sqlite3.Error as problem:
            raise translated(problem) from problem

    def _committed(self, driver: Any, work: Callable[[], T]) -> T:
        try:
            done = work()
            driver.execute("COMMIT")
        except BaseException:
            driver.rollback()
            raise
        return done

    def _opened(self) -> Connection:
        connection = self._engine.connect()
        connection.detach()
        driver: Any = connection.connection.dbapi_connection
        for words in _AT_ONCE:
            driver.execute(words)
        return connection


def _why(error: DBAPIError, found: object) -> Exception:
    """Give why a transaction was not begun: another has the lock, and the connection is well; or the error itself."""
    busy = isinstance(found, sqlite3.Error) and found.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
    return BlockingIOError("another process writes") if busy else error
