"""Sending: one process takes a mailing through the engine, from enlisting to laying everything down again.

Promises: first the database is held against the witness; then the dead are accounted for, each worker whose process is
gone: proven by its journal, else uncertain, else given back. However this ends, the worker is retired only after its
rows are settled.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mailer.database import writing
from mailer.delivery import custody, dispatch, ledger
from mailer.delivery.audience import Planner
from mailer.delivery.custody import workers
from mailer.delivery.engine import End, Engine
from mailer.delivery.ground import Ground
from mailer.delivery.journal import Journal, outlived, read_journal
from mailer.delivery.letters import lay_back
from mailer.delivery.presses import Presses
from mailer.delivery.recorder import Recorder
from mailer.delivery.sharing import tallies
from mailer.delivery.turnstile import Turnstile
from mailer.delivery.work import Work
from mailer.delivery.writer import Writer
from mailer.errors import MailerError, Problem, TryLater

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Sequence

    from mailer.delivery.batches import Batch
    from mailer.delivery.handed import Handed
    from mailer.delivery.ledger.recovery import Recovered
    from mailer.delivery.model import Counts


__all__ = ["Ground", "Result", "deliver", "own_name", "recover"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, and the sums of the mailing then.

    None when the database is out of reach, and where batches are handed: nobody asks for them there.
    """

    end: End
    problem: str
    sums: Counts | None
    recovered: Sequence[Recovered] = ()
    daemon: bool = False


log = logging.getLogger(__name__)


def recover(ground: Ground) -> list[Recovered]:
    """Account for every worker that died. Raises PersonNeeded where the database does not know what went out."""
    custody.secure(ground)
    return settle_dead(ground)


def sweep(ground: Ground) -> None:
    """Account for the workers that died while this process lives, and log it; it has been secured when it began."""
    for done in settle_dead(ground):
        log.warning("a sending process died: %s", done)


def settle_dead(ground: Ground) -> list[Recovered]:
    """Account for the workers that died; the database is one that this process has secured."""
    with writing(ground.database) as connection:
        dead = workers.dead(connection, ground.locks, ground.clock())
    found = [_account(ground, epoch) for epoch in dead]
    return [one for one in found if one is not None]


def _account(ground: Ground, epoch: int, within: Iterable[Batch] | None = None) -> Recovered | None:
    """Settle all that a worker held, and close its epoch; None if another process has done so.

    Nothing else may still write for it. `within` is where all of it is, if that is known.
    """
    if ground.database.dialect.name == "sqlite" and not outlived(ground.journals, epoch):
        # The machine went down, and the newest commits perhaps with it: the journal may know more than the ledger.
        # A server forgets nothing, and went on meanwhile: what this journal left waiting others may be sending.
        custody.replay(ground, epoch, unended=True)
    with writing(ground.database) as connection:
        if not workers.seize(connection, epoch):
            return None
        prove = partial(read_journal, ground.journals, epoch)
        recovered = ledger.take_back(connection, epoch, prove, ground.clock(), within)
        lay_back(connection, epoch)
        workers.retire(connection, epoch, ground.clock())
    return recovered


async def deliver(
    ground: Ground,
    mailing_id: int,
    *,
    wait: bool = False,
    watch: Callable[[Engine], None] | None = None,
    kind: str = "send",
    handed: Handed | None = None,
) -> Result:
    """Send what is due of one mailing; with `handed`, what it is handed of it, and nothing else.

    `watch` is given the engine, to show its progress and to stop it.
    """
    recovered = recover(ground)
    async with enlisted(ground, kind, handed) as (worker, recorder):
        engine = Engine(await _work(ground, mailing_id, worker, recorder, wait=wait, handed=handed))
        if watch is not None:
            watch(engine)
        # A daemon does so for all its mailings.
        async with _sweeping(ground) if kind == "send" else nullcontext():
            end = await engine.run()
        if end in {End.NO_DATABASE, End.RETIRED}:
            return Result(end, engine.problem, None, recovered)
        if handed is None:
            sums = await recorder.call(
                lambda connection: dispatch.finish(connection, mailing_id, ground.clock())
            )
            daemon = await recorder.call(
                lambda connection: workers.daemon_alive(connection, ground.locks, ground.clock())
            )
            return Result(end, engine.problem, sums, recovered, daemon)
    await asyncio.to_thread(_close, ground, mailing_id)
    return Result(end, engine.problem, None, recovered)


@asynccontextmanager
async def _sweeping(ground: Ground) -> AsyncIterator[None]:
    """Account for others that die meanwhile: else their rows would be waited for, and nobody else may look."""
    task = asyncio.create_task(_sweep_again_and_again(ground))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _sweep_again_and_again(ground: Ground) -> None:
    while True:
        await asyncio.sleep(workers.HEARTBEAT.total_seconds())
        try:
            await asyncio.to_thread(sweep, ground)
        except MailerError as problem:
            log.warning("the dead are looked for again: %s", problem)


def _close(ground: Ground, mailing_id: int) -> None:
    """Close a mailing that is over, unless another worker is at it: to find that out costs a look at all its rows.

    Asked once this worker has ended: so of those that end together the last one finds nobody.
    """
    with writing(ground.database) as connection:
        if not tallies.anybody(connection, mailing_id):
            dispatch.close(connection, mailing_id, ground.clock())


async def _work(
    ground: Ground,
    mailing_id: int,
    worker: workers.Worker,
    recorder: Recorder,
    *,
    wait: bool,
    handed: Handed | None,
) -> Work:
    """Lay out what a run of this mailing needs, on this ground."""
    unsigned = frozenset[str]().union(*(relay.rewrites for relay in ground.relays))
    return Work(
        mailing_id=mailing_id,
        settings=ground.settings,
        relays=ground.relays,
        worker=worker,
        recorder=recorder,
        presses=Presses(ground.settings, ground.keys, ground.signers, unsigned),
        planner=Planner(mailing_id, ground.narrow),
        clock=ground.clock,
        hostname=await asyncio.to_thread(own_name),
        wait=wait,
        handed=handed,
    )


@asynccontextmanager
async def enlisted(
    ground: Ground, kind: str, handed: Handed | None = None
) -> AsyncIterator[tuple[workers.Worker, Recorder]]:
    """Give this process a worker with its lock, journal and recorder; account for its rows at the end.

    With `handed` it claims of those batches alone.
    """
    with writing(ground.database) as connection:
        worker = workers.enlist(connection, ground.locks, ground.clock(), kind)
        mark = workers.mark(connection, worker.epoch) or ""
    try:
        with _journal(ground, worker.epoch, mark) as journal:
            turnstile = Turnstile(ground.locks) if ground.database.dialect.name == "sqlite" else None
            writer = Writer(
                ground.database,
                journal,
                worker.epoch,
                ground.clock,
                heard=ground.heard,
                turnstile=turnstile,
            )
            recorder = Recorder(writer)
            syncing = asyncio.create_task(journal.keep_synced())
            try:
                yield worker, recorder
            finally:
                await recorder.close()
                if turnstile is not None:
                    turnstile.close()
                syncing.cancel()
                await asyncio.gather(syncing, return_exceptions=True)
            # Not in a finally: an epoch whose rows could not be settled must be found dead by the next start. Nothing
            # should be left in hand; if a fault left something, it is settled as a death would settle it.
            await asyncio.to_thread(
                _account, ground, worker.epoch, None if handed is None else handed.spans()
            )
    finally:
        workers.release(worker)


def _journal(ground: Ground, epoch: int, mark: str) -> Journal:
    """Begin the journal, and then let the witness know of the epoch: one that it knows has a journal."""
    try:
        journal = Journal(ground.journals, epoch, mark)
        try:
            custody.attest(ground)
        except BaseException:
            journal.close()
            raise
    except OSError as problem:
        message = f"the journal cannot be begun: {problem.strerror or problem}"
        raise TryLater(Problem(message, str(ground.journals))) from problem
    return journal


def own_name() -> str:
    """Give our name for EHLO: a full host name, else the loopback's address literal (S09, RFC 5321 section 4.1.3)."""
    name = socket.getfqdn()
    return name if "." in name and not name.endswith(".arpa") else "[127.0.0.1]"
