"""The recorder: all that a process which sends writes to the ledger goes through here, many moves a transaction.

Every connection hands in what came of its last message and which message it would send next, and waits for the
grant. What came together is written together, so a commit costs a share of a message, not a message.

A group of moves takes SQLite less time than it takes to wake a thread, and two threads would fight for the
interpreter; so it is written in the loop, if it can be at once. Whatever may have to wait goes to the one thread: a
server, a lock that another process holds, a full disk, and all other work on the ledger (claims, planning, heartbeats).
What the loop writes and what the thread writes take turns, so this process never waits for itself.

Moves gather until three quarters of the connections have handed one in: the rest is under way meanwhile, so the far end
has something to do. For a server, to whom a statement is dear, they gather until all have. Whoever is missing is waited
for a moment, and for some times as long as the server took for the last group: the busier it is, the fewer it gets.

Promises: an answer is given only after the commit; a database that is away is waited for (writer.py).
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from mailer.delivery.writer import Move

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from sqlalchemy import Connection

    from mailer.delivery.model import Claim, Settlement
    from mailer.delivery.writer import Writer

    Task: TypeAlias = tuple[Sequence[asyncio.Future[Any]], Callable[[], Sequence[object]]]

T = TypeVar("T")


class _Job(NamedTuple):
    work: Callable[[Connection], object]
    answer: asyncio.Future[Any]
    brief: bool


_GATHER: Final = 0.002  # seconds
_TIMES: Final = 4  # as long as the server took: of two processes each then writes a tenth fewer groups
_LONGEST: Final = 0.02  # longer, and a slow disk would cost connections more than it saves
_FEW: Final = 8  # connections below which there is nothing to gather
_GROUP: Final = 256  # moves in one transaction: well below 200 ms on a slow disk


class Recorder:
    """Start it inside the loop that awaits it; `close` writes what is left and ends the thread."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connections = 0
        self._enough = 1  # moves that are begun at once
        self._gather = _GATHER
        self._asked = 0.0  # when the thread was given its task
        self._moves: deque[Move] = deque()
        self._jobs: deque[_Job] = deque()
        self._job_is_next = False
        self._working = False  # the thread has a task
        self._soon: asyncio.Handle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()
        self._emptied: asyncio.Future[None] | None = None
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def attend(self, change: int) -> None:
        """Hear that so many connections more, or fewer, hand in moves from now on."""
        self._connections += change
        if self._connections < _FEW:
            self._enough = 1
        else:
            self._enough = self._connections * 3 // 4 if self._writer.quick else self._connections

    def record(self, settlements: Sequence[Settlement], fence: Claim | None) -> asyncio.Future[bool]:
        """Settle, and fence the next claim: true once its body may leave, false if it must not."""
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._moves.append(Move(settlements, fence, answer))
        self._look()
        return answer

    def call(self, work: Callable[[Connection], T], *, brief: bool = False) -> asyncio.Future[T]:
        """Run `work` in a write transaction of its own and give what it returns.

        `brief`: it takes a few milliseconds, so the loop may do it; it may be begun anew if it failed.
        """
        answer: asyncio.Future[T] = self._loop.create_future()
        self._jobs.append(_Job(work, answer, brief))
        self._look()
        return answer

    async def close(self) -> None:
        """Write what was handed in, end the thread."""
        self._emptied = self._loop.create_future()
        self._look()
        await self._emptied
        self._tasks.put(None)
        await asyncio.to_thread(self._thread.join)
        self._writer.close()

    def _look(self) -> None:
        """See to it that what waits is begun: in this turn of the loop, or once enough has gathered."""
        if self._working or self._soon is not None:
            return
        if len(self._moves) >= self._enough or self._jobs or self._emptied is not None:
            # Behind whoever else hands a move in in this turn of the loop.
            self._soon = self._loop.call_soon(self._begin)
        elif self._moves and self._later is None:
            self._later = self._loop.call_later(self._gather, self._begin)

    def _begin(self) -> None:
        """Begin what is next: a group of moves, or after one of them a job."""
        self._rest()
        if self._working:
            return
        if self._moves and not (self._jobs and self._job_is_next):
            self._job_is_next = True
            self._write([self._moves.popleft() for _ in range(min(len(self._moves), _GROUP))])
        if self._jobs and not self._working:
            self._job_is_next = False
            self._do(self._jobs.popleft())
        self._look_again()

    def _rest(self) -> None:
        """Forget when this was to be called."""
        for handle in (self._soon, self._later):
            if handle is not None:
                handle.cancel()
        self._soon = self._later = None

    def _look_again(self) -> None:
        if self._moves or self._jobs:
            self._look()
        elif self._emptied is not None and not self._working and not self._emptied.done():
            self._emptied.set_result(None)

    def _write(self, moves: list[Move]) -> None:
        """Write a group here and now, or let the thread do it."""
        answers = [move.answer for move in moves]
        if not self._writer.quick:
            self._start(answers, partial(self._writer.write, moves))
            return
        try:
            granted = self._writer.write_at_once(moves)
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            _fail(answers, problem)
            return
        if granted is None:
            self._start(answers, partial(self._writer.write, moves, again=True))
        elif len(granted) == sum(move.fence is not None for move in moves):
            _fulfil(answers, [move.fence is not None for move in moves])
        else:
            self._start(answers, partial(self._writer.answers, moves, granted))

    def _do(self, job: _Job) -> None:
        """Do a job here and now, or let the thread do it."""
        try:
            done = self._writer.do_at_once(job.work) if job.brief else None
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            _fail([job.answer], problem)
            return
        if done is None:
            self._start([job.answer], lambda: [self._writer.do(job.work)])
        else:
            _fulfil([job.answer], done)

    def _start(self, answers: Sequence[asyncio.Future[Any]], work: Callable[[], Sequence[object]]) -> None:
        self._working = True
        self._asked = self._loop.time()
        self._tasks.put((answers, work))

    def _run(self) -> None:
        """Do one task after the other; the loop hands over the next when it has heard of the last."""
        while (task := self._tasks.get()) is not None:
            answers, work = task
            try:
                results = work()
            except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
                done = partial(_fail, answers, problem)
            else:
                done = partial(_fulfil, answers, results)
            self._loop.call_soon_threadsafe(self._done, done)

    def _done(self, tell: Callable[[], None]) -> None:
        self._working = False
        if self._job_is_next and not self._writer.quick:  # it was a group, and the server's own time
            self._gather = min(max(_GATHER, _TIMES * (self._loop.time() - self._asked)), _LONGEST)
        tell()
        self._look_again()


def _fulfil(answers: Sequence[asyncio.Future[Any]], results: Sequence[object]) -> None:
    for answer, result in zip(answers, results, strict=True):
        if not answer.done():
            answer.set_result(result)


def _fail(answers: Sequence[asyncio.Future[Any]], problem: Exception) -> None:
    for answer in answers:
        if not answer.done():
            answer.set_exception(problem)
