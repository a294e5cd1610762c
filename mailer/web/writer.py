"""The one thread of this process that writes to the database for the pages.

SQLite lets one writer in at a time and makes the others poll; fifty threads that poll beside a sending process wait
most of a second, one thread that works a queue off does not. What waits together shares one transaction, each in a
savepoint of its own: one commit serves all of them, and what fails in one undoes that one alone.

Promises: what `do` gave back is committed. Never: lets one caller's error reach another.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from sqlalchemy.exc import OperationalError

from mailer.database import writing
from mailer.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection, Engine

T = TypeVar("T")
TOGETHER: Final = 64  # works in one transaction: some ten milliseconds
MOST_WAITING: Final = 20_000


class Work(NamedTuple):
    """One caller, and what it wants done."""

    do: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]

    def answer(self, value: Any, error: BaseException | None) -> None:
        """Give the caller what came of it; a loop that is closed hears nothing."""
        with contextlib.suppress(RuntimeError):
            self.loop.call_soon_threadsafe(self._settle, value, error)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if self.done.done():  # the caller has gone
            return
        if error is None:
            self.done.set_result(value)
        else:
            self.done.set_exception(error)


class Writer:
    """Takes works from any event loop. The thread is started by the first one and ended by `stop`."""

    def __init__(self, database: Engine) -> None:
        self._database = database
        self._waiting: queue.Queue[Work | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    async def do(self, work: Callable[[Connection], T]) -> T:
        """Give what the work gives, once it is committed; raises what it raises, or TryLater.

        A work is short and does nothing but SQL: it may be done again when the transaction it shared failed.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._start()
        try:
            self._waiting.put_nowait(Work(work, loop, done))
        except queue.Full:
            raise TryLater("too many writes are waiting") from None
        return await done

    def stop(self) -> None:
        """Do what waits, and end."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="web-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while (works := self._taken()) is not None:
            for one, value, error in self._outcomes(works):
                one.answer(value, error)

    def _taken(self) -> list[Work] | None:
        """Wait for a work, and take with it what waits already; None at the end."""
        first = self._waiting.get()
        if first is None:
            return None
        works = [first]
        with contextlib.suppress(queue.Empty):
            while len(works) < TOGETHER:
                other = self._waiting.get_nowait()
                if other is None:
                    self._waiting.put(None)  # for the next turn
                    break
                works.append(other)
        return works

    def _outcomes(self, works: Sequence[Work]) -> list[tuple[Work, Any, BaseException | None]]:
        try:
            return self._together(works)
        except TryLater as error:
            return [(one, None, error) for one in works]
        except Exception as error:  # noqa: BLE001 - whatever it is, its caller shall hear of it, and nobody else
            if len(works) == 1:
                return [(works[0], None, error)]
        return [outcome for one in works for outcome in self._outcomes([one])]

    def _together(self, works: Sequence[Work]) -> list[tuple[Work, Any, BaseException | None]]:
        with writing(self._database) as connection:
            if len(works) == 1:
                return [(works[0], works[0].do(connection), None)]
            return [(one, *_apart(connection, one)) for one in works]


def _apart(connection: Connection, work: Work) -> tuple[Any, BaseException | None]:
    """Do one work in a savepoint; give its value, or what it raised."""
    point = connection.begin_nested()
    try:
        value = work.do(connection)
    except OperationalError:  # the database itself is away: that is everybody's
        raise
    except Exception as error:  # noqa: BLE001 - as above
        point.rollback()
        return None, error
    point.commit()
    return value, None
