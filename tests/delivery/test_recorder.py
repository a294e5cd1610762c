"""The recorder: moves that come together are written together, and whoever must wait waits in the thread."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from mailer.database import writing
from mailer.delivery import ledger, recorder
from mailer.delivery.journal import Journal
from mailer.delivery.model import Settlement
from mailer.delivery.recorder import Recorder
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries
from mailer.delivery.turnstile import Turnstile
from mailer.delivery.writer import RecorderFailed, Writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from tests.delivery.conftest import World


class Away:
    """Work on a database that is away, and comes back when it is told to."""

    def __init__(self) -> None:
        self.tries = 0
        self.well = False

    def __call__(self, _connection: Connection) -> str:
        self.tries += 1
        if not self.well:
            raise OperationalError("SELECT 1", None, Exception("the server is gone"))
        return "done"


async def _waits(engine: Engine, folder: Path) -> None:
    with Journal(folder, 1) as journal:
        mine = Recorder(Writer(engine, journal, 1, lambda: datetime.now(UTC), patience=0.2))
        first, second, third = Away(), Away(), Away()
        with pytest.raises(RecorderFailed):
            await mine.call(first)
        with pytest.raises(RecorderFailed):
            await mine.call(second)
        assert (first.tries > 1, second.tries) == (True, 1)
        third.well = True
        assert await mine.call(third) == "done"
        fourth = Away()
        with pytest.raises(RecorderFailed):
            await mine.call(fourth)
        assert fourth.tries > 1
        await mine.close()


def test_its_patience_is_one_for_all_who_wait(engine: Engine, tmp_path: Path) -> None:
    """Whoever asks after it gave a database up is not patient anew; once the database was well, it is."""
    asyncio.run(_waits(engine, tmp_path))


@asynccontextmanager
async def recording(world: World, folder: Path, **options: object) -> AsyncIterator[Recorder]:
    """A recorder on this ledger, for the first epoch."""
    with Journal(folder, 1) as journal:
        mine = Recorder(Writer(world.engine, journal, 1, lambda: world.now, **options))  # type: ignore[arg-type]
        yield mine
        await mine.close()


def readers(world: World, count: int) -> None:
    """Plan so many readers."""
    world.join(*(f"reader{number}@one.example" for number in range(count)))
    world.extend()


def groups(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Give a list that grows by the number of fences of each group that is written."""
    sizes: list[int] = []
    before = ledger.advance

    def advance(
        connection: Connection,
        epoch: int,
        settlements: object,
        claims: list[object],
        *rest: object,
        **more: object,
    ) -> object:
        sizes.append(len(claims))
        return before(connection, epoch, settlements, claims, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "advance", advance)
    return sizes


def test_what_comes_together_is_written_together(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty connections hand in a move each in one turn of the loop: one group, and each has its grant."""
    readers(world, 20)
    claims, sizes = world.claim(), groups(monkeypatch)

    async def run() -> list[bool]:
        async with recording(world, tmp_path) as mine:
            mine.attend(20)
            return await asyncio.gather(*(mine.record([], claim) for claim in claims))

    assert asyncio.run(run()) == [True] * 20
    assert sizes == [20]


def test_a_move_that_comes_alone_is_not_left_waiting(world: World, tmp_path: Path) -> None:
    """One of twenty connections hands in a move and no other does: it has its grant, and then its outcome."""
    readers(world, 1)
    (claim,) = world.claim()

    async def run() -> None:
        async with recording(world, tmp_path) as mine:
            mine.attend(20)
            assert await asyncio.wait_for(mine.record([], claim), 30)
            assert world.counts()[DeliveryState.SENDING] == 1
            accepted = Settlement(claim, DeliveryState.ACCEPTED, world.now, reply="250 ok")
            assert not await asyncio.wait_for(mine.record([accepted], None), 30)

    asyncio.run(run())
    assert world.counts()[DeliveryState.ACCEPTED] == 1


def test_what_was_handed_in_is_written_before_the_end(world: World, tmp_path: Path) -> None:
    """It is closed while moves gather and a job waits: all of them are answered, and in the ledger."""
    readers(world, 3)
    claims = world.claim()

    async def run() -> list[bool]:
        async with recording(world, tmp_path) as mine:
            mine.attend(20)
            answers = [mine.record([], claim) for claim in claims]
            job = mine.call(lambda c: len(c.execute(select(deliveries)).all()))
        assert job.result() == 3
        return [answer.result() for answer in answers]

    assert asyncio.run(run()) == [True] * 3
    assert world.counts()[DeliveryState.SENDING] == 3


def test_who_left_is_laid_down_before_the_answer(world: World, tmp_path: Path) -> None:
    """Of a group of three one has left: the others are granted; when it is told no, its row is skipped already."""
    readers(world, 3)
    claims = world.claim()
    world.leave(claims[1].subscriber_id)

    async def run() -> list[bool]:
        async with recording(world, tmp_path) as mine:
            answers = [mine.record([], claim) for claim in claims]
            assert not await answers[1]
            assert world.counts()[DeliveryState.SKIPPED] == 1
            return await asyncio.gather(*answers)

    assert asyncio.run(run()) == [True, False, True]


def _held(world: World) -> tuple[threading.Event, threading.Thread]:
    """Hold the database's write lock in another thread until the event is set, or for half of SQLite's patience."""
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(world.engine):
            taken.set()
            release.wait(5)

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait(30)
    return release, thread


def test_the_loop_goes_on_while_another_holds_the_lock(world: World, tmp_path: Path) -> None:
    """Another process writes for a while: the moves and a brief job wait for it, and the loop does not."""
    if world.engine.dialect.name != "sqlite":
        return  # a server locks rows, not itself
    readers(world, 2)
    claims = world.claim(limit=1)

    async def run() -> tuple[bool, int]:
        async with recording(world, tmp_path) as mine:
            release, thread = _held(world)
            move = mine.record([], claims[0])
            job = mine.call(lambda c: len(ledger.claim(c, world.mailing_id, 1, world.now, 10)), brief=True)
            for _ in range(20):  # turns of a loop that waits for nothing
                await asyncio.sleep(0.005)
            assert thread.is_alive(), "the loop stood still until the lock was free"
            assert not move.done()
            assert not job.done()
            release.set()
            answers = await move, await job
            thread.join()
            return answers

    assert asyncio.run(run()) == (True, 1)
    assert world.counts()[DeliveryState.SENDING] == 1


def test_one_wait_for_a_lock_is_not_paid_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file has no pace of its own: after a wait for its lock, a move that comes alone is written as soon as ever."""
    if world.engine.dialect.name != "sqlite":
        return
    monkeypatch.setattr(recorder, "_TIMES", 10_000)
    monkeypatch.setattr(recorder, "_LONGEST", 3_600)
    readers(world, 2)
    claims = world.claim()

    async def run() -> list[bool]:
        async with recording(world, tmp_path) as mine:
            mine.attend(20)
            release, thread = _held(world)
            waiting = mine.record([], claims[0])
            await asyncio.sleep(0.05)
            release.set()
            answers = [await waiting, await asyncio.wait_for(mine.record([], claims[1]), 30)]
            thread.join()
            return answers

    assert asyncio.run(run()) == [True, True]


def test_whose_turn_it_is_goes_first(world: World, tmp_path: Path) -> None:
    """Another sender has its turn at the file: a move waits for the turn, and has its grant then."""
    if world.engine.dialect.name != "sqlite":
        return
    readers(world, 1)
    (claim,) = world.claim()
    other = Turnstile(tmp_path)

    async def run() -> bool:
        ours = Turnstile(tmp_path, patience=30)
        async with recording(world, tmp_path / "journal", turnstile=ours) as mine:
            with other.turn():
                move = mine.record([], claim)
                await asyncio.sleep(0.05)
                assert not move.done()
            answer = await move
        ours.close()
        return answer

    assert asyncio.run(run())
    other.close()


def test_what_cannot_be_written_at_all_is_told(world: World, tmp_path: Path) -> None:
    """A job that breaks a rule of the database fails for whoever asked, and the next one is done."""

    def wrong(connection: Connection) -> None:
        connection.execute(deliveries.insert().values(mailing_id=None))

    async def run() -> int:
        async with recording(world, tmp_path) as mine:
            for brief in (True, False):
                with pytest.raises(Exception, match=r"(?i)null"):
                    await mine.call(wrong, brief=brief)
            return await mine.call(lambda c: len(c.execute(select(deliveries)).all()), brief=True)

    assert asyncio.run(run()) == 0
