"""The recorder: the one thread of a process that writes to the ledger, many moves a transaction.

Every connection hands in what came of its last message and which message it would send next, and waits for the
grant. What waits together is written together: first the journal, then one transaction (house rule: the fence is
recorded before the first octet of a body). So a commit costs a share of a message, not a message.

`gather` is how long the thread lets moves come together after it was woken: half a millisecond takes a third off the
CPU of a message, and a fiftieth off the rate of twenty connections; with few connections there is little to gather.
For a server, to whom a statement is dear, they gather for as long as more come in.

Promises: an answer is given only after the commit. A database that is locked, gone or full is tried again for
`patience` seconds while the connections wait; then the recorder fails and nothing more is sent. Other work on the
ledger (claims, planning, heartbeats) runs on the same thread, so this process never waits for itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from functools import partial
from itertools import count
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from mailer.database import may_pass
from mailer.delivery import ledger
from mailer.delivery.seat import seats
from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import TypeAlias

    from sqlalchemy import Connection, Engine

    from mailer.delivery.journal import Journal
    from mailer.delivery.model import Claim, Settlement
    from mailer.delivery.turnstile import Turnstile

    Heard: TypeAlias = Callable[[Connection, Sequence[Settlement]], None]

log = logging.getLogger(__name__)
T = TypeVar("T")
_LONGEST = (
    0.001  # seconds more that moves gather for a server; 0.004 takes a third off the rate of one worker
)
_GROUP = 256  # moves in one transaction: well below 200 ms on a slow disk


class RecorderFailed(Exception):  # noqa: N818 - it is what happened, and stops the engine
    """The database could not be written for too long. What the journal holds is settled by the next start."""


@dataclass(slots=True)
class _Move:
    settlements: Sequence[Settlement]
    fence: Claim | None
    answer: asyncio.Future[bool]


@dataclass(slots=True)
class _Job:
    work: Callable[[Connection], object]
    answer: asyncio.Future[object]


class Recorder:
    """Start it inside the loop that awaits it; `close` writes what is left and ends the thread."""

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        epoch: int,
        clock: Callable[[], datetime],
        gather: float,
        patience: float = 300,
        heard: Heard | None = None,
        *,
        turnstile: Turnstile | None = None,
    ) -> None:
        self._journal = journal
        self._epoch = epoch
        self._clock = clock
        self._gather = gather
        self._longest = _LONGEST if gather and engine.dialect.name == "postgresql" else 0.0
        self._patience = patience
        self._ill: dict[str, float] = {}  # since when journal or database cannot be written
        self._heard = heard
        self._moves, self._jobs = seats(engine, turnstile)
        self._waiting: deque[_Move | _Job | None] = deque()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._awake = True
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def record(self, settlements: Sequence[Settlement], fence: Claim | None) -> asyncio.Future[bool]:
        """Settle, and fence the next claim: true once its body may leave, false if it must not."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._hand_in(_Move(settlements, fence, answer))
        return answer

    def call(self, work: Callable[[Connection], T]) -> asyncio.Future[T]:
        """Run `work` in a write transaction of its own and give what it returns."""
        answer: asyncio.Future[T] = self._loop.create_future()
        self._hand_in(_Job(work, answer))  # type: ignore[arg-type] # the desk holds answers of any type
        return answer

    async def close(self) -> None:
        """Write what was handed in, end the thread."""
        self._hand_in(None)
        await asyncio.to_thread(self._thread.join)

    def _hand_in(self, item: _Move | _Job | None) -> None:
        self._waiting.append(item)
        if (
            not self._awake
        ):  # waking a thread costs as much as making a message; while it works it looks by itself
            self._awake = True
            self._bell.put(None)

    def _run(self) -> None:
        last = False
        while not last:
            if not self._waiting:
                # In this order: what is handed in after the flag falls rings the bell, what came before is seen.
                self._awake = False
                if not self._waiting:
                    self._bell.get()
                    self._let_gather()
            moves, jobs, last = self._taken()
            if moves:
                self._answer([move.answer for move in moves], partial(self._write, moves))
            for job in jobs:
                self._answer([job.answer], partial(self._do, job))
        self._moves.close()
        self._jobs.close()

    def _let_gather(self) -> None:
        """Let moves come together: once on SQLite, on a server for as long as more come in."""
        time.sleep(self._gather)
        until = time.monotonic() + self._longest
        seen = 0
        while seen < len(self._waiting) and time.monotonic() < until:
            seen = len(self._waiting)
            time.sleep(self._gather)

    def _taken(self) -> tuple[list[_Move], list[_Job], bool]:
        """Take what waits, at most a group of moves; true if nothing comes after it."""
        moves: list[_Move] = []
        jobs: list[_Job] = []
        while self._waiting and len(moves) < _GROUP:
            item = self._waiting.popleft()
            if item is None:
                return moves, jobs, True
            if isinstance(item, _Move):
                moves.append(item)
            else:
                jobs.append(item)
        return moves, jobs, False

    def _do(self, job: _Job) -> list[object]:
        return [self._transact(job.work)]

    def _write(self, moves: list[_Move]) -> list[bool]:
        settlements = [settlement for move in moves for settlement in move.settlements]
        claims = [move.fence for move in moves if move.fence is not None]
        self._again("journal", lambda: self._journal.write(settlements, claims))
        granted = self._advanced(settlements, claims)
        if len(granted) == len(claims):  # nearly always, and a claim takes a while to be found in a set
            return [move.fence is not None for move in moves]
        denied = [claim for claim in claims if claim not in granted]
        if denied:
            self._transact(lambda c: ledger.turn_back(c, self._epoch, denied, self._clock()))
        return [move.fence in granted for move in moves]

    def _advanced(self, settlements: list[Settlement], claims: list[Claim]) -> set[Claim]:
        """Write one group; a repetition says so, for the answer to the first try may be what was lost."""
        refused = [one for one in settlements if one.state is DeliveryState.REFUSED]
        heard = self._heard if refused else None
        seat = self._jobs if heard is not None else self._moves
        tries = count()

        def advance(connection: Connection) -> set[Claim]:
            again, now = next(tries) > 0, self._clock()
            granted = ledger.advance(connection, self._epoch, settlements, claims, now, again=again)
            if heard is not None:
                heard(connection, refused)
            return granted

        return self._again("database", lambda: seat.transact(advance))

    def _transact(self, work: Callable[[Connection], T]) -> T:
        return self._again("database", lambda: self._jobs.transact(work))

    def _again(self, place: str, work: Callable[[], T]) -> T:
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

    def _answer(self, answers: list[asyncio.Future[T]], work: Callable[[], list[T]]) -> None:
        try:
            results = work()
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            self._loop.call_soon_threadsafe(_fail, answers, problem)
        else:
            self._loop.call_soon_threadsafe(_fulfil, answers, results)


def _fulfil(answers: list[asyncio.Future[T]], results: list[T]) -> None:
    for answer, result in zip(answers, results, strict=True):
        if not answer.done():
            answer.set_result(result)


def _fail(answers: list[asyncio.Future[T]], problem: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(problem)
