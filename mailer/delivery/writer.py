"""The writer: how a group of moves gets into journal and ledger, at once or with patience.

Promises: first the journal, then the ledger, in one transaction (house rule: the fence is recorded before the first
octet of a body). A database that is locked, gone or full is tried again for `patience` seconds; then it fails. A
repetition says so, for the answer to the first try may be what was lost.
"""

from __future__ import annotations

import logging
import time
from itertools import count
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from mailer.database import may_pass
from mailer.delivery import ledger
from mailer.delivery.seat import AloneSeat, AtOnceSeat, Seat
from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Iterable, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from sqlalchemy import Connection, Engine

    from mailer.delivery.journal import Journal
    from mailer.delivery.model import Claim, Settlement
    from mailer.delivery.turnstile import Turnstile

    Heard: TypeAlias = Callable[[Connection, Sequence[Settlement]], None]

log = logging.getLogger(__name__)
T = TypeVar("T")
_REFUSED = DeliveryState.REFUSED


class RecorderFailed(Exception):  # noqa: N818 - it is what happened, and stops the engine
    """The database could not be written for too long. What the journal holds is settled by the next start."""


class Move(NamedTuple):
    """What came of a connection's last messages, and the claim whose body it would send next."""

    settlements: Sequence[Settlement]
    fence: Claim | None
    answer: asyncio.Future[bool]


class Writer:
    """For one thread at a time."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        epoch: int,
        clock: Callable[[], datetime],
        patience: float = 300,
        heard: Heard | None = None,
        turnstile: Turnstile | None = None,
    ) -> None:
        self._journal = journal
        self._epoch = epoch
        self._clock = clock
        self._patience = patience
        self._heard = heard
        self._ill: dict[str, float] = {}  # since when journal or database cannot be written
        self._patient = Seat(engine, turnstile)
        server = engine.dialect.name == "postgresql"
        self._moves = AloneSeat(engine) if server else self._patient
        self._quick = None if server else AtOnceSeat(engine, turnstile)

    @property
    def quick(self) -> bool:
        """Whether something can be written at once: the database is a file."""
        return self._quick is not None

    def write_at_once(self, moves: Sequence[Move]) -> set[Claim] | None:
        """Write a group without waiting for anybody, and give what was granted; None: ask `write` to.

        What others must hear of is not for here: they take their time.
        """
        settlements, claims = _parts(moves)
        if self._quick is None or (self._heard is not None and _refused(settlements)):
            return None

        def advance(connection: Connection) -> set[Claim]:
            self._journal.write(settlements, claims)
            return ledger.advance(connection, self._epoch, settlements, claims, self._clock())

        try:
            return self._quick.transact_prepared(advance)
        except (OperationalError, InterfaceError, OSError):
            return None

    def do_at_once(self, work: Callable[[Connection], T]) -> tuple[T] | None:
        """Run `work` in a write transaction of its own without waiting for anybody; None: ask `do` to."""
        if self._quick is None:
            return None
        try:
            return (self._quick.transact(work),)
        except (OperationalError, InterfaceError, OSError):
            return None

    def write(self, moves: Sequence[Move], *, again: bool = False) -> list[bool]:
        """Write a group and give the answer to each move; `again` where it was tried before."""
        settlements, claims = _parts(moves)
        self._until_well("journal", lambda: self._journal.write(settlements, claims))
        return self.answers(moves, self._advanced(settlements, claims, int(again)))

    def answers(self, moves: Sequence[Move], granted: Collection[Claim]) -> list[bool]:
        """Give the answer to each move, once what was not granted is laid back."""
        denied = [move.fence for move in moves if move.fence is not None and move.fence not in granted]
        if denied:
            self.do(lambda c: ledger.turn_back(c, self._epoch, denied, self._clock()))
        return [move.fence is not None and move.fence in granted for move in moves]

    def _advanced(self, settlements: list[Settlement], claims: list[Claim], tried: int) -> set[Claim]:
        refused = _refused(settlements)
        heard = self._heard if refused else None
        seat = self._moves if heard is None else self._patient
        tries = count(tried)

        def advance(connection: Connection) -> set[Claim]:
            again, now = next(tries) > 0, self._clock()
            granted = ledger.advance(connection, self._epoch, settlements, claims, now, again=again)
            if heard is not None:
                heard(connection, refused)
            return granted

        return self._until_well("database", lambda: seat.transact(advance))

    def do(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a write transaction of its own and give what it returns."""
        return self._until_well("database", lambda: self._patient.transact(work))

    def _until_well(self, place: str, work: Callable[[], T]) -> T:
        """Do it until the database or the disk (`place`) lets it; the wait doubles up to two seconds.

        Patience is measured from when the place was last well: whoever comes after it ran out is not patient anew.
        """
        wait = 0.05
        while True:
            try:
                done = work()
            except (OperationalError, InterfaceError, OSError) as problem:
                if isinstance(problem, DBAPIError) and not may_pass(problem):
                    raise
                if time.monotonic() - self._ill.setdefault(place, time.monotonic()) > self._patience:
                    raise RecorderFailed(f"the ledger cannot be written: {problem}") from problem
                log.warning("the ledger cannot be written, trying again: %s", problem)
                time.sleep(wait)
                wait = min(wait * 2, 2.0)
            else:
                self._ill.pop(place, None)
                return done

    def close(self) -> None:
        """Let go of the connections."""
        for seat in (self._quick, self._moves, self._patient):
            if seat is not None:
                seat.close()


def _parts(moves: Iterable[Move]) -> tuple[list[Settlement], list[Claim]]:
    settlements = [settlement for move in moves for settlement in move.settlements]
    return settlements, [move.fence for move in moves if move.fence is not None]


def _refused(settlements: Iterable[Settlement]) -> list[Settlement]:
    return [one for one in settlements if one.state is _REFUSED]
