"""The crew: more processes that send beside this one, on the same machine; started, watched and ended here.

Promises: they end with this process, however it dies, for the pipe that they listen to ends with it. Whoever of them
dies is accounted for at once and replaced, later each time it dies young; one that only a person can mend is not.
Nothing of this is written anywhere: to the ledger a mate is a worker like any other.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import pickle
import signal
import subprocess
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import mailer
from mailer.delivery.ledger.recovery import Recovered
from mailer.delivery.sending import settle_dead
from mailer.errors import MailerError
from mailer.run.order import DIED, HOPELESS, OVER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mailer.delivery.ground import Ground
    from mailer.run.order import Order, Report

log = logging.getLogger(__name__)

_YOUNG: Final = 60.0  # seconds: who lived longer did not die of how it began
_FIRST_REST, _LONGEST_REST = 0.25, 60.0


def rest_after(deaths: int, most: int | None) -> float | None:
    """Give the seconds before the next one is started after so many young deaths in a row; None: no more. Pure."""
    if most is not None and deaths > most:
        return None
    return min(_FIRST_REST * 2.0 ** min(deaths - 1, 10), _LONGEST_REST)


class Mate:
    """One process of the crew."""

    def __init__(self, order: Order) -> None:
        self.sent = 0
        self.problem = ""
        self.recovered: list[Recovered] = []
        self._process = _started()
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        if self._stdin is None or self._stdout is None:
            raise AssertionError("it was started with pipes")
        with contextlib.suppress(OSError):  # it may be dead by now: its end says so
            pickle.dump(order, self._stdin)
            self._stdin.flush()

    def stop(self) -> None:
        """Let it stop between two messages."""
        if self._stdin is not None:
            with contextlib.suppress(OSError):
                self._stdin.close()

    def kill(self) -> None:
        """End it at once: what it had in hand is settled as a death."""
        self._process.kill()

    async def ended(self) -> int:
        """Hear its reports until it ends; give its exit code, negative for a signal."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        pipe, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self._stdout)
        async for line in reader:
            self._hear(json.loads(line))
        pipe.close()
        code = await asyncio.to_thread(self._process.wait)
        self.stop()
        return code

    def _hear(self, report: Report) -> None:
        self.sent = report.get("sent", self.sent)
        self.problem = report.get("problem", self.problem)
        self.recovered += [Recovered(*one) for one in report.get("recovered", ())]


def _started() -> subprocess.Popen[bytes]:
    """Start one with Ctrl-C blocked, until it has said that this does not concern it; in a thread, whose mask it is."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        ours = str(Path(mailer.__file__).resolve().parent.parent)
        path = os.pathsep.join(filter(None, (ours, os.environ.get("PYTHONPATH"))))
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "mailer.run.mate"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Crew:
    """`count` mates that carry out the same order, until they are stopped or nothing is left to do.

    `tell` hears in words what went wrong; `most` is how many young deaths in a row end a place for good.
    """

    def __init__(
        self, ground: Ground, order: Order, count: int, tell: Callable[[str], None], most: int | None
    ) -> None:
        self.recovered: list[Recovered] = []
        self._ground = ground
        self._order = order
        self.count = count
        self._tell = tell
        self._most = most
        self._mates: set[Mate] = set()
        self._past = 0
        self._stopped = asyncio.Event()
        self._places: list[asyncio.Task[None]] = []

    @property
    def sent(self) -> int:
        """How many messages of all of them are over."""
        return self._past + sum(mate.sent for mate in self._mates)

    def start(self, stopped: asyncio.Event | None = None) -> None:
        """Start them, once; they stop by themselves when `stopped` is set."""
        if self._places or self._stopped.is_set():
            return
        self._places = [asyncio.create_task(self._place()) for _ in range(self.count)]
        if stopped is not None and self._places:
            self._places.append(asyncio.create_task(self._heed(stopped)))

    def stop(self) -> None:
        """Let them all stop between two messages."""
        self._stopped.set()
        for mate in self._mates:
            mate.stop()

    async def ended(self, patience: float | None) -> None:
        """Wait until all of them have ended; who has not after `patience` seconds is killed. Raises what broke."""
        if not self._places:
            return
        try:
            await asyncio.wait(self._places, timeout=patience)
        finally:  # also where this process is to end at once
            for mate in self._mates:
                mate.kill()
        await asyncio.gather(*self._places)

    async def _heed(self, stopped: asyncio.Event) -> None:
        both = [asyncio.create_task(one.wait()) for one in (stopped, self._stopped)]
        _, rest = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for one in rest:
            one.cancel()
        self.stop()

    async def _place(self) -> None:
        """Keep one place filled."""
        deaths = 0
        while not self._stopped.is_set():
            began = time.monotonic()
            code, problem = await self._one()
            if code == OVER or self._stopped.is_set():
                return
            await self._account()
            deaths = 1 if time.monotonic() - began > _YOUNG else deaths + 1
            rest = None if code in HOPELESS and self._most is not None else rest_after(deaths, self._most)
            self._tell(words(code, problem, rest))
            if rest is None:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), rest)

    async def _one(self) -> tuple[int, str]:
        """Start one and hear it to its end."""
        try:
            mate = await asyncio.to_thread(Mate, self._order)
        except OSError as problem:  # no memory, or too many processes
            return DIED, f"cannot be started: {problem.strerror}"
        self._mates.add(mate)
        if self._stopped.is_set():
            mate.stop()
        try:
            return await mate.ended(), mate.problem
        finally:
            self._mates.discard(mate)
            self._past += mate.sent
            self.recovered += mate.recovered

    async def _account(self) -> None:
        """Account for the dead; a database that is away is waited for, since the others wait for their rows."""
        while not self._stopped.is_set():
            try:
                found = await asyncio.to_thread(settle_dead, self._ground)
            except MailerError as problem:
                self._tell(f"trying again: {problem}")
                await asyncio.sleep(1)
            else:
                log.info("accounted for: %s", found)
                self.recovered += found
                return


def words(code: int, problem: str, rest: float | None) -> str:
    """Say how a mate ended, and what becomes of its place. Pure."""
    death = f"killed by signal {-code}" if code < 0 else problem or f"exit {code}"
    after = "the others go on without it" if rest is None else f"another one starts in {rest:g} s"
    return f"a sending process died ({death}); {after}"


@asynccontextmanager
async def manned(
    ground: Ground,
    order: Order,
    count: int,
    tell: Callable[[str], None] = log.warning,
    *,
    most: int | None = None,
    patience: float | None = None,
) -> AsyncIterator[Crew]:
    """Give a crew that waits for `start`; when the block ends, it is stopped and has ended."""
    crew = Crew(ground, order, count, tell, most)
    try:
        yield crew
    finally:
        crew.stop()
        await crew.ended(patience)
