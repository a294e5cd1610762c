"""A month of looking: memory stays flat, and the APScheduler part ticks and ends."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from datetime import timedelta
from itertools import pairwise

import pytest

from mailer.errors import UserError
from mailer.run.upkeep import keep_house
from mailer.schedule import notices, part
from tests.schedule.conftest import HEAD, MONDAY, TUESDAY, World

HOUR = timedelta(hours=1)
FLAT = 300_000  # octets that a week may add: the heads of its issues, and what the allocator keeps


@pytest.mark.slow
def test_memory_is_flat_over_a_month(world: World):
    """Every hour a look, a letter and the upkeep, every day an issue: the fourth week holds what the second did."""
    world.toml = HEAD + '[[schedule]]\nname = "daily"\nevery = "day 08:00"\n'
    world.write_toml()
    (world.folder / ".mailer" / "secret.key").write_text("0:" + "A" * 43 + "\n")
    (world.folder / ".mailer" / "secret.key").chmod(0o600)
    world.restart()
    world.tick()
    ground = world.ground()
    held = []
    try:
        for hour in range(28 * 24):
            if hour == 7 * 24:
                tracemalloc.start()  # it halves the speed, and the first week is not looked at
            world.now = MONDAY + hour * HOUR
            if hour % 24 == 0:
                world.issue(2 + hour // 24, f"{world.now + timedelta(hours=20):%Y-%m-%d}")
            world.tick()
            notices.tell(ground)
            keep_house(ground)
            if (hour + 1) % (7 * 24) == 0 and tracemalloc.is_tracing():
                gc.collect()
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert len(world.mailings()) == 28
    assert len(held) == 3
    assert all(later - earlier < FLAT for earlier, later in pairwise(held)), held


def test_the_part_looks_at_once_and_ends_when_it_is_told_to(world: World):
    """A daemon that starts a minute late does not wait for the next minute."""
    world.issue(2)
    world.now = TUESDAY
    world.quick = False

    async def live() -> None:
        stopped = asyncio.Event()
        task = asyncio.create_task(part.run(world.ground(), stopped))
        while not await asyncio.to_thread(world.mailings):  # noqa: ASYNC110 - a database has no event
            await asyncio.sleep(0.1)
        stopped.set()
        await asyncio.wait_for(task, 30)

    asyncio.run(asyncio.wait_for(live(), 60))
    assert world.mailings() == ["2.main"]


def test_the_part_goes_on_after_a_look_that_fell_over(world: World):
    """It looks again, and no two looks run at once."""
    looks = []

    def look() -> None:
        looks.append(1)
        if len(looks) == 2:
            raise RuntimeError("once")

    async def live() -> None:
        stopped = asyncio.Event()
        task = asyncio.create_task(part._ticking(look, stopped, 0.05))
        while len(looks) < 5:  # noqa: ASYNC110 - the list has no event
            await asyncio.sleep(0.02)
        stopped.set()
        await asyncio.wait_for(task, 30)

    asyncio.run(asyncio.wait_for(live(), 60))
    assert len(looks) >= 5


def test_a_rule_that_cannot_be_read_ends_the_daemon_with_words(world: World):
    """A person must mend it; trying again each minute would hide it."""
    world.toml = world.toml.replace("Tue 08:00", "Tuesdays")
    world.write_toml()
    with pytest.raises(UserError, match=r"schedule.0.every"):
        asyncio.run(part.run(world.ground(), asyncio.Event()))
