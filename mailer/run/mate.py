"""A mate: one more process that sends beside the one that started it; `python -m mailer.run.mate`, by crew.py alone.

It gets its order through stdin and says through stdout, a JSON object a line, how far it is. It is a worker of its own
in every way: epoch, lock, journal, recorder. Promises: when stdin ends it stops between two messages, so the death of
the process that started it, however it came, leaves nobody behind who sends on. It loads nothing that compiles.
Never: asks anybody, or writes anything but the ledger, its journal and its log.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
import signal
import sys
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.delivery.engine import Engine
    from mailer.delivery.ground import Ground
    from mailer.run.order import Order, Report, Say

_TELL: Final = 0.25  # seconds between two reports
_LONGEST: Final = 1_000  # characters of a problem; a report is written whole or not at all


class Leave:
    """When a mate is to stop: told by the end of stdin, or by SIGTERM, which nobody who started it has sent."""

    def __init__(self) -> None:
        self.told = False
        self.over = asyncio.Event()
        self._stops: list[Callable[[], object]] = []
        loop = asyncio.get_running_loop()
        loop.add_reader(0, self._end_of_input)
        loop.add_signal_handler(signal.SIGTERM, self._go)

    def then(self, stop: Callable[[], object]) -> None:
        """Call `stop` when it is time, or now if it was before."""
        self._stops.append(stop)
        if self.over.is_set():
            stop()

    def _end_of_input(self) -> None:
        asyncio.get_running_loop().remove_reader(0)
        self.told = True
        self._go()

    def _go(self) -> None:
        self.over.set()
        for stop in self._stops:
            stop()


def main() -> int:
    """Carry out the order on stdin, and give the exit code."""
    # Ctrl-C on a terminal reaches all its processes: the one that was started by hand hears it, and ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    say = _reports()
    try:
        order: Order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started it, and nobody else
    except EOFError:
        return 0  # it is gone already
    return _ended(order, say)


def _ended(order: Order, say: Say) -> int:
    from mailer.errors import MailerError  # noqa: PLC0415 - signals first
    from mailer.run.order import BUG  # noqa: PLC0415

    try:
        return _carry_out(order, say)
    except MailerError as problem:
        say({"problem": str(problem)[:_LONGEST]})
        return problem.exit_code
    except Exception as problem:  # noqa: BLE001 - whatever is left is a bug, and is told as one
        if os.environ.get("MAILER_DEBUG") == "1":
            traceback.print_exception(problem)
        say({"problem": f"a bug in mailer: {type(problem).__name__}: {problem}"[:_LONGEST]})
        return BUG


def _reports() -> Say:
    """Give what reports; whatever else is written to stdout goes to stderr."""
    reports = os.dup(1)
    os.dup2(2, 1)
    os.set_blocking(reports, False)  # whoever does not read must not hold us up

    def say(report: Report) -> None:
        with suppress(OSError):
            os.write(reports, json.dumps(report).encode() + b"\n")

    return say


def _carry_out(order: Order, say: Say) -> int:
    import uvloop  # noqa: PLC0415

    from mailer.database import open_newsletter  # noqa: PLC0415
    from mailer.keys import load_keys  # noqa: PLC0415
    from mailer.logs import configure_logging  # noqa: PLC0415
    from mailer.run.ground import lay  # noqa: PLC0415

    settings = order.settings
    if order.json is not None:
        configure_logging(json=order.json)
    keys = load_keys(settings.secret_file, settings.secret)
    database = open_newsletter(settings.database, settings.id)
    ground = lay(settings, keys, database, settings.for_list(order.list_key) if order.list_key else None)
    gc.freeze()
    try:
        work = _due(ground) if order.mailing_id is None else _mailing(ground, order, order.mailing_id, say)
        return uvloop.run(work)
    finally:
        database.dispose()


async def _mailing(ground: Ground, order: Order, mailing_id: int, say: Say) -> int:
    """Send one mailing; 0 if that is over or was ended from outside, else what ended it may pass."""
    from mailer.delivery.engine import End  # noqa: PLC0415
    from mailer.delivery.sending import deliver  # noqa: PLC0415
    from mailer.run.order import DIED, OVER  # noqa: PLC0415

    leave = Leave()
    telling: list[asyncio.Task[None]] = []

    def watch(engine: Engine) -> None:
        telling.append(asyncio.create_task(_tell(engine, say)))
        leave.then(lambda: engine.stop(End.STOPPED))

    result = await deliver(ground, mailing_id, wait=order.wait, watch=watch)
    for task in telling:
        task.cancel()
    say({"recovered": [list(one) for one in result.recovered], "problem": result.problem[:_LONGEST]})
    died = {End.NO_DATABASE, End.RETIRED} | (set() if leave.told else {End.STOPPED})
    return DIED if result.end in died else OVER


async def _tell(engine: Engine, say: Say) -> None:
    """Say how many messages are over; once more at the end."""
    from mailer.run.order import sent  # noqa: PLC0415

    try:
        while True:
            await asyncio.sleep(_TELL)
            say({"sent": sent(engine)})
    finally:
        say({"sent": sent(engine)})


async def _due(ground: Ground) -> int:
    """Send whatever falls due until the end; letters are the other process's.

    What takes longer than a daemon may take to end is cut off, as the daemon does: nobody else may be there to do it.
    """
    from mailer.run.delivering import GRACE, run  # noqa: PLC0415
    from mailer.run.order import DIED, OVER  # noqa: PLC0415

    leave, loop = Leave(), asyncio.get_running_loop()
    leave.then(lambda: loop.call_later(GRACE + 1, os._exit, DIED))
    await run(ground, leave.over, letters=False)
    return OVER if leave.told else DIED


if __name__ == "__main__":
    sys.exit(main())
