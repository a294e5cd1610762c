"""`mailer run`: starts the parts that it is asked for, starts one again that fell over, and stops them all.

Promises: SIGTERM or Ctrl-C ends every part within ten seconds; the fall of one part stops no other; what only a person
can mend (a UserError: a port that is taken, a relay that makes no sense) ends the daemon with that error.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
from typing import TYPE_CHECKING, Final, NoReturn

from mailer.errors import MailerError, UserError
from mailer.run import service
from mailer.run.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Collection

    from mailer.delivery.ground import Ground
    from mailer.run.parts import Options, Start

log = logging.getLogger(__name__)
GRACE: Final = 10.0
_LAST_WORDS: Final = 1.0  # seconds for what was cancelled
_FIRST_REST, _LONGEST_REST = 1.0, 60.0


async def run(ground: Ground, names: Collection[str], options: Options) -> None:
    """Run these parts until a signal comes; raises what a person must mend."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    starts = [start for name in names for start in PARTS[name]]
    tasks = [
        asyncio.create_task(_kept(start, ground, stopped, options), name=start.__name__) for start in starts
    ]
    tasks.append(asyncio.create_task(service.watch(stopped), name="watchdog"))
    service.ready()
    await stopped.wait()
    service.stopping()
    await _ended(tasks)


async def _kept(start: Start, ground: Ground, stopped: asyncio.Event, options: Options) -> None:
    """Keep one going; start it again, later each time, when it fell over."""
    name, rest = start.__name__, _FIRST_REST
    while not stopped.is_set():
        try:
            await start(ground, stopped, options)
        except UserError:
            stopped.set()
            raise
        except MailerError as problem:
            log.warning("%s: %s; trying again in %.0f s", name, problem, rest)
        except Exception:
            log.exception("%s fell over; it is started again in %.0f s", name, rest)
        else:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), rest)
        rest = min(rest * 2, _LONGEST_REST)


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    """Wait until every part has ended, and raise the first error; what takes too long is cut off."""
    _, late = await asyncio.wait(tasks, timeout=GRACE + 1)
    for task in late:
        log.warning("%s did not end in time", task.get_name())
        task.cancel()
    if late:
        await asyncio.wait(late, timeout=_LAST_WORDS)
    ended = [task for task in tasks if task.done() and not task.cancelled()]
    problem = next(filter(None, (task.exception() for task in ended)), None)
    if late:
        _cut_off(problem)
    if problem:
        raise problem


def _cut_off(problem: BaseException | None) -> NoReturn:
    """Leave without the threads, which none can end and for which Python would wait: all here may be killed."""
    if problem is not None:
        log.error("%s", problem)
    logging.shutdown()
    if problem is None:
        os._exit(0)
    os._exit(problem.exit_code if isinstance(problem, MailerError) else 70)
