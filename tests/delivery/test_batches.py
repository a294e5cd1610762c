"""Batches: cut with the plan, handed out by a real queue, cut anew where one is lost; the ledger stays the truth."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from mailer.database import writing
from mailer.delivery import batches, ledger
from mailer.delivery.batches import Batch
from mailer.delivery.handed import Handed

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.delivery.conftest import World


on_a_server = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


@given(st.integers(1, 10_000), st.integers(0, 50_000), st.integers(1, 50_000))
def test_batches_cover_a_range_once(first: int, width: int, readers: int) -> None:
    """Side by side without a gap, from the first id to the last, and about a thousand readers each."""
    made = list(batches.cut(7, first, first + width, readers))
    assert made[0].first == first
    assert made[-1].last == first + width
    assert all(one.last + 1 == after.first for one, after in pairwise(made))
    assert all(one.first <= one.last for one in made)
    assert len(made) == min(-(-readers // batches.SIZE), width + 1)


def jobs(engine: Engine) -> list[Batch]:
    """Give what stands in the queue."""
    words = "SELECT args->>'mailing', args->>'first', args->>'last' FROM mailer_queue.procrastinate_jobs ORDER BY id"
    with writing(engine) as c:
        return [Batch(*map(int, row)) for row in c.execute(text(words))]


@pytest.fixture
def queue(engine: Engine) -> Engine:
    """A database with a queue."""
    assert batches.kept(engine)
    batches.prepare(engine)
    batches.prepare(engine)  # again: nothing is to be done
    return engine


@on_a_server
def test_the_plan_and_its_batches_are_committed_together(queue: Engine, world: World) -> None:
    """What is planned has its batches once it is committed; a plan that is rolled back has none."""
    ids = world.join(*(f"r{n}@d.example" for n in range(5)))
    with writing(queue) as c:
        batches.defer(c, [Batch(world.mailing_id, 1, 9)])
        c.rollback()
    assert jobs(queue) == []
    world.extend()
    assert jobs(queue) == [Batch(world.mailing_id, 1, max(ids))]


def test_where_nobody_works_off_batches_none_are_made(engine: Engine, world: World) -> None:
    """Without a queue, and on SQLite, planning hands nothing to anybody, and all are planned."""
    world.join("a@d.example", "b@d.example")
    world.extend()
    with writing(engine) as c:
        assert not batches.there(c)
    assert world.counts().waiting == 2


@on_a_server
def test_a_lost_batch_is_cut_anew_once(queue: Engine, world: World) -> None:
    """Readers who are due and in nobody's batch get one; as long as it lives no second one is cut."""
    world.join(*(f"r{n}@d.example" for n in range(5)))
    world.extend()
    with writing(queue) as c:
        c.execute(text("SET LOCAL search_path TO mailer_queue"))
        c.execute(text("DELETE FROM procrastinate_jobs"))
    for _ in range(2):
        with writing(queue) as c:
            batches.sweep(c, [world.mailing_id], world.now)
        assert len(jobs(queue)) == 1


def test_claims_within_a_batch_are_of_it_alone_and_made_once(engine: Engine, world: World) -> None:
    """A batch that is handed out twice finds nobody waiting."""
    ids = world.join(*(f"r{n}@d.example" for n in range(6)))
    world.extend()
    with writing(engine) as c:
        found = ledger.claim(c, world.mailing_id, 1, world.now, 10, within=(ids[2], ids[4]))
        again = ledger.claim(c, world.mailing_id, 2, world.now, 10, within=(ids[2], ids[4]))
    assert sorted(claim.subscriber_id for claim in found) == ids[2:5]
    assert again == []


@on_a_server
def test_a_worker_gets_what_was_deferred(queue: Engine, world: World) -> None:
    """The queue's own worker hands each batch over once, and keeps nothing of it."""
    made = list(batches.cut(world.mailing_id, 1, 5_000, 5_000))
    got: list[Batch] = []

    async def until_all() -> None:
        done = asyncio.Event()

        async def handle(batch: Batch) -> None:
            got.append(batch)
            if len(got) == len(made):
                done.set()

        working = asyncio.create_task(batches.work(queue, handle, 2))
        await asyncio.wait_for(done.wait(), 60)
        await asyncio.sleep(0.5)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    with writing(queue) as c:
        batches.defer(c, made)
    asyncio.run(until_all())
    assert sorted(got) == made
    assert jobs(queue) == []


@on_a_server
def test_what_a_silent_worker_had_is_handed_out_anew_whatever_went_wrong_once(
    queue: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look that failed (the database was away, another was quicker) is not the last one."""
    monkeypatch.setattr(batches, "_STALLED", 0.3)
    with writing(queue) as c:
        batches.defer(c, [Batch(world.mailing_id, 1, 9)])

    async def until_handed_out() -> None:
        app = batches._app(queue.url)
        rescue = asyncio.create_task(batches._rescue(app))
        await asyncio.sleep(0.5)  # it has no connection yet, and fails
        async with app.open_async():
            silent = await app.job_manager.register_worker()
            assert await app.job_manager.fetch_job(queues=["deliver"], worker_id=silent)
            for _ in range(100):
                await asyncio.sleep(0.1)
                if status() == "todo":
                    break
            assert status() == "todo"
            rescue.cancel()
            await asyncio.gather(rescue, return_exceptions=True)

    def status() -> str:
        with writing(queue) as c:
            return str(c.scalar(text("SELECT status FROM mailer_queue.procrastinate_jobs")))

    asyncio.run(until_handed_out())


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 12)), max_size=12))
def test_where_batches_were_is_known_without_overlap(ranges: list[tuple[int, int]]) -> None:
    """Whatever came, however often: every reader of it is in one span, and nobody else is in any."""

    async def hand() -> list[Batch]:
        handed = Handed()
        for first, more in ranges:
            handed.hand(Batch(1, first, first + more))
        return handed.spans()

    spans = asyncio.run(hand())
    inside = [reader for span in spans for reader in range(span.first, span.last + 1)]
    assert inside == sorted({reader for first, more in ranges for reader in range(first, first + more + 1)})
    assert all(one.last + 1 < two.first for one, two in pairwise(spans))


def test_an_engine_that_ends_lets_go_of_its_batches() -> None:
    """Nobody waits for a batch of an engine that is over, handed before or after."""

    async def hand() -> None:
        handed = Handed()
        first, second = handed.hand(Batch(1, 1, 5)), handed.hand(Batch(1, 6, 9))
        assert handed.current == Batch(1, 1, 5)
        handed.exhausted()
        assert first.done()
        assert handed.current == Batch(1, 6, 9)
        handed.close()
        handed.exhausted()  # a claim that was under way comes to its end
        await asyncio.wait_for(asyncio.gather(second, handed.hand(Batch(1, 9, 9))), 30)

    asyncio.run(hand())
