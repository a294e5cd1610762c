"""The part that sends: what falls due (retries, held audiences, what a dead process left), and letters as they come.

Promises: looks every second; a mailing is sent by one engine of this process at a time, and several mailings side by
side; letters have a connection of their own. Once it is told to stop, it ends between two messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from sqlalchemy import select

from mailer.database import reading, writing
from mailer.delivery import batches, custody, dispatch, ledger, mailing
from mailer.delivery.custody import workers
from mailer.delivery.engine import End
from mailer.delivery.handed import Handed
from mailer.delivery.post import Post
from mailer.delivery.relays import relays_of
from mailer.delivery.sending import deliver, enlisted, own_name, sweep
from mailer.delivery.states import MailingState
from mailer.delivery.tables import audiences
from mailer.errors import MailerError

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.batches import Batch
    from mailer.delivery.engine import Engine
    from mailer.delivery.ground import Ground
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.recorder import Recorder

log = logging.getLogger(__name__)
_LOOK: Final = 1.0
_AT_ONCE: Final = (
    4  # batches in this process's hands: the next is there before the last is claimed to its end
)
GRACE: Final = 10.0  # seconds that a part may take to end


class Silent(MailerError):  # noqa: N818 - it is what happened, and the part begins anew
    """This process was silent for so long that another has settled its rows."""

    def __str__(self) -> str:
        """Say what happened."""
        return "this process was silent for over a minute; others took its work over"


def due(connection: Connection, now: datetime, known: Collection[int] = ()) -> list[Mailing]:
    """Give the running mailings that have something to send or to plan now; `known` are not looked at for that."""
    return [
        one
        for one in mailing.every(connection, MailingState.RUNNING)
        if one.id in known
        or ledger.anybody_due(connection, one.id, now)
        or _anybody_to_plan(connection, one.id, now)
    ]


def _anybody_to_plan(connection: Connection, mailing_id: int, now: datetime) -> bool:
    rest = select(audiences.c.id).where(
        audiences.c.mailing_id == mailing_id,
        audiences.c.done.is_(False),
        audiences.c.not_before.is_(None) | (audiences.c.not_before <= now),
    )
    return connection.execute(rest.limit(1)).first() is not None


async def run(ground: Ground, stopped: asyncio.Event, *, letters: bool = True) -> None:
    """Send until it is stopped; `letters` too, unless another process beside this one does."""
    await Delivering(ground, stopped, letters=letters).run()


class Delivering:
    """What one process sends. `ground` holds everything but the relays, which depend on the list."""

    def __init__(self, ground: Ground, stopped: asyncio.Event, *, letters: bool = True) -> None:
        self._ground = ground
        self._letters = letters
        self._stopped = stopped
        self._ending = False
        self._engines: list[Engine] = []
        self._sending: dict[int, asyncio.Task[None]] = {}
        self._handed: dict[int, Handed] | None = {} if batches.kept(ground.database) else None

    async def run(self) -> None:
        """Look for what is due, and send letters, until it is stopped."""
        await asyncio.to_thread(self._secure)
        async with enlisted(self._ground, "run") as (worker, recorder):
            post = await self._post(worker)
            posting = [asyncio.create_task(post.run())] if post is not None else []
            working = asyncio.create_task(self._work()) if self._handed is not None else None
            try:
                await self._look(worker, recorder)
            finally:
                self._end()
                if post is not None:
                    post.stop()
                if working is not None:
                    working.cancel()
                worked = asyncio.gather(*([working] if working else []), return_exceptions=True)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.gather(*posting, *self._sending.values(), worked), GRACE)

    def _end(self) -> None:
        """Let every engine stop, those that are only about to start too."""
        self._ending = True
        for engine in self._engines:
            engine.stop(End.STOPPED)

    def _watch(self, engine: Engine) -> None:
        self._engines.append(engine)
        if self._ending:
            engine.stop(End.STOPPED)

    async def _post(self, worker: workers.Worker) -> Post | None:
        if not self._letters:
            return None
        ground, hostname = self._ground, await asyncio.to_thread(own_name)
        return Post(ground.database, ground.relays, worker.epoch, hostname, ground.clock)

    async def _look(self, worker: workers.Worker, recorder: Recorder) -> None:
        beat = self._ground.clock()
        while not self._stopped.is_set():
            try:
                found = await asyncio.to_thread(self._due, frozenset(self._sending))
                if self._ground.clock() - beat >= workers.HEARTBEAT:
                    await asyncio.to_thread(self._sweep)
                    beat = self._ground.clock()
                    await self._alive(worker, recorder, beat)
            except Silent:
                raise
            except MailerError as problem:
                log.warning("trying again: %s", problem)  # the database is away for a moment
                found = []
            for one in found:
                self._begin(one)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), _LOOK)

    async def _alive(self, worker: workers.Worker, recorder: Recorder, now: datetime) -> None:
        if not await recorder.call(partial(workers.beat, worker=worker, now=now)):
            raise Silent

    def _begin(self, one: Mailing) -> None:
        """Start the engine of a mailing, unless it runs."""
        if one.id in self._sending:
            return
        if self._handed is not None:
            self._handed[one.id] = Handed()
        self._sending[one.id] = asyncio.create_task(self._send(one))

    async def _work(self) -> None:
        """Work off the batches of all workers; what goes wrong with the queue costs a moment, never a message."""
        task = asyncio.current_task()
        # Its worker may end without a word when it is cancelled, or with an error in place of the cancellation.
        while task is None or not task.cancelling():
            try:
                await asyncio.to_thread(batches.prepare, self._ground.database)
                await batches.work(self._ground.database, self._hand, _AT_ONCE)
            except Exception as problem:  # noqa: BLE001 - the queue's errors are of many kinds, and it is disposable
                log.warning("the queue of batches, trying again: %s", problem)
            await asyncio.sleep(_LOOK)

    async def _hand(self, batch: Batch) -> None:
        """Hand a batch to the engine of its mailing; nothing is to be done for one that does not run."""
        handed = self._handed
        if handed is None:
            raise AssertionError("batches are only worked off where they are kept")
        if batch.mailing_id not in self._sending:
            one = await asyncio.to_thread(self._running, batch.mailing_id)
            if one is None or self._stopped.is_set():
                return
            self._begin(one)
        await handed[batch.mailing_id].hand(batch)

    def _running(self, mailing_id: int) -> Mailing | None:
        with reading(self._ground.database) as connection:
            one = mailing.get(connection, mailing_id)
        return one if one.state is MailingState.RUNNING else None

    async def _send(self, one: Mailing) -> None:
        settings = self._ground.settings
        handed = self._handed[one.id] if self._handed is not None else None
        try:
            relays = relays_of(settings, settings.for_list(one.list_key))
            result = await deliver(
                replace(self._ground, relays=relays),
                one.id,
                watch=self._watch,
                kind="run",
                handed=handed,
            )
            log.info("%s: %s", one.name, result.problem or result.end)
        except MailerError as problem:
            log.error("%s: %s", one.name, problem)  # noqa: TRY400 - its words are for a person, no traceback
            if handed is not None:
                handed.close()
            await asyncio.sleep(30)
        finally:
            if handed is not None:
                handed.close()
            self._engines = [engine for engine in self._engines if engine.work.mailing_id != one.id]
            del self._sending[one.id]

    def _due(self, sending: Collection[int]) -> list[Mailing]:
        now = self._ground.clock()
        with writing(self._ground.database) as connection:
            found = due(connection, now, sending)
            if self._handed is not None and batches.there(connection):
                batches.sweep(connection, [one.id for one in found], now)
        return found

    def _secure(self) -> None:
        """See that the database is the one that we know, and lay back the letters of the dead."""
        caught_up = custody.secure(self._ground)
        if caught_up is not None:
            log.warning("%s", caught_up)
        self._sweep()

    def _sweep(self) -> None:
        """Account for the dead, and close what was over with them."""
        sweep(self._ground)
        with writing(self._ground.database) as connection:
            dispatch.close_all(connection, self._ground.clock(), frozenset(self._sending))
