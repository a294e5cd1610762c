"""Sending: one process takes a mailing through the engine, from enlisting to laying everything down again.

Promises: first the dead are accounted for, each worker whose process is gone: proven by its journal, else uncertain,
else given back. However this ends, the worker is retired only after its rows are settled.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.database import writing
from mailer.delivery import dispatch, ledger, workers
from mailer.delivery.audience import Planner
from mailer.delivery.engine import End, Engine, Work
from mailer.delivery.journal import Journal, read_journal
from mailer.delivery.presses import Presses
from mailer.delivery.recorder import Recorder
from mailer.delivery.segments import Narrow, plain

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.delivery.ledger.recovery import Recovered
    from mailer.delivery.model import Counts
    from mailer.keys import Keys
    from mailer.message.dkim import Signer
    from mailer.settings import Settings
    from mailer.smtp.relay import Relay


@dataclass(frozen=True, slots=True)
class Ground:
    """What a process needs to send: the newsletter's settings, secrets, database and state folder."""

    settings: Settings
    keys: Keys
    database: Database
    relays: Sequence[Relay]
    signers: Sequence[Signer] = ()
    narrow: Narrow = plain
    clock: Callable[[], datetime] = dispatch.now_utc

    @property
    def journals(self) -> Path:
        """Where each worker's journal lies."""
        return self.settings.state / "journal"

    @property
    def locks(self) -> Path:
        """Where each worker's lock lies."""
        return self.settings.state / "workers"


@dataclass(frozen=True, slots=True)
class Result:
    """How a run ended, and the sums of the mailing then (None when the database is out of reach)."""

    end: End
    problem: str
    sums: Counts | None
    recovered: Sequence[Recovered] = ()
    daemon: bool = False


def recover(ground: Ground) -> list[Recovered]:
    """Account for every worker that died."""
    recovered = []
    with writing(ground.database) as connection:
        dead = workers.dead(connection, ground.locks, ground.clock())
    for epoch in dead:
        proofs = read_journal(ground.journals, epoch)
        with writing(ground.database) as connection:
            recovered.append(ledger.take_back(connection, epoch, proofs, ground.clock()))
            workers.retire(connection, epoch, ground.clock())
    return recovered


async def deliver(
    ground: Ground,
    mailing_id: int,
    *,
    wait: bool = False,
    watch: Callable[[Engine], None] | None = None,
    kind: str = "send",
) -> Result:
    """Send what is due of one mailing. `watch` is given the engine, to show its progress and to stop it."""
    recovered = recover(ground)
    async with _enlisted(ground, kind) as (worker, recorder):
        planner = Planner(mailing_id, ground.narrow)
        presses = Presses(ground.settings, ground.keys, ground.signers)
        hostname = await asyncio.to_thread(own_name)
        engine = Engine(
            Work(
                mailing_id,
                ground.settings,
                ground.relays,
                worker,
                recorder,
                presses,
                planner,
                ground.clock,
                hostname,
                wait,
            )
        )
        if watch is not None:
            watch(engine)
        end = await engine.run()
        if end is End.NO_DATABASE:
            return Result(end, engine.problem, None, recovered)
        sums = await recorder.call(lambda connection: dispatch.finish(connection, mailing_id, ground.clock()))
        daemon = await recorder.call(
            lambda connection: workers.daemon_alive(connection, ground.locks, ground.clock())
        )
        return Result(end, engine.problem, sums, recovered, daemon)


@asynccontextmanager
async def _enlisted(ground: Ground, kind: str) -> AsyncIterator[tuple[workers.Worker, Recorder]]:
    with writing(ground.database) as connection:
        worker = workers.enlist(connection, ground.locks, ground.clock(), kind)
    try:
        with Journal(ground.journals, worker.epoch) as journal:
            recorder = Recorder(ground.database, journal, worker.epoch, ground.clock)
            try:
                yield worker, recorder
            finally:
                await recorder.close()
            # Not in a finally: an epoch whose rows could not be settled must be found dead by the next start.
            await asyncio.to_thread(_retire, ground, worker)
    finally:
        workers.release(worker)


def _retire(ground: Ground, worker: workers.Worker) -> None:
    with writing(ground.database) as connection:
        # Nothing should be left in hand; if a fault left something, it is settled as a death would settle it.
        proofs = read_journal(ground.journals, worker.epoch)
        ledger.take_back(connection, worker.epoch, proofs, ground.clock())
        workers.retire(connection, worker.epoch, ground.clock())


def own_name() -> str:
    """Give our name for EHLO: a full host name, else the loopback's address literal (S09, RFC 5321 section 4.1.3)."""
    name = socket.getfqdn()
    return name if "." in name and not name.endswith(".arpa") else "[127.0.0.1]"
