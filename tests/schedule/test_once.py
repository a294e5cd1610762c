"""A thousand due times, two schedulers that die and come back at random: a thousand mailings."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from mailer.issue.find import Found
from mailer.schedule import beginning, book
from mailer.schedule.ticking import Scheduler
from tests.commandline import ROOT
from tests.schedule.conftest import HEAD, World, quick

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mailer.schedule.plan import Plan

START = datetime(2026, 11, 23, 0, 30, tzinfo=UTC)
HOURLY = '[[schedule]]\nname = "hourly"\ncron = "0 * * * *"\nlate_hours = 168\ntime_zone = "UTC"\n'


class Killed(BaseException):
    """The process ended just here."""


class Pile:
    """A shelf on which an issue appears every hour, without a thousand files."""

    def __init__(self, world: World) -> None:
        self._world = world

    def issues(self, _list_key: str) -> Sequence[Found]:
        """Give the issues of the last days, one for each hour that has begun."""
        hours = int((self._world.now - START) / timedelta(hours=1) + 0.5)
        return [self._issue(number) for number in range(max(1, hours - 200), hours + 1)]

    def dated(self) -> list[Plan]:
        """Give none: no issue has an hour of its own."""
        return []

    def _issue(self, number: int) -> Found:
        date = START.replace(minute=0) + timedelta(hours=number)
        return Found(self._world.folder / f"issues/{number}.md", f"water-{number}", f"Water {number}", date)


class Fate:
    """Kills a scheduler at a random one of the moments that matter."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - it chooses moments
        self.kills = 0

    def wrap(self, work: Callable[..., object], *, odds: float) -> Callable[..., object]:
        """Give `work`, which now and then is not reached, or is the last thing that happens."""

        def fateful(*values: object, **named: object) -> object:
            if self.random.random() < odds:
                self._kill()
            done = work(*values, **named)
            if self.random.random() < odds:
                self._kill()
            return done

        return fateful

    def _kill(self) -> None:
        self.kills += 1
        raise Killed


def hourly(world: World) -> Scheduler:
    """Give a scheduler that has just been started."""
    scheduler = Scheduler(world.ground(), quick)
    pile = Pile(world)
    scheduler.shelf = pile  # type: ignore[assignment]
    scheduler.dealer._shelf = pile  # type: ignore[assignment]
    return scheduler


@pytest.mark.slow
def test_a_thousand_due_times_and_random_deaths_make_a_thousand_mailings(engine, tmp_path, monkeypatch):
    """Each due time its own issue, in one mailing: two schedulers at once, killed before, in and after each step."""
    fate = Fate(20261123)
    world = World(tmp_path, engine, now=START, toml=HEAD + HOURLY)
    world.sent(1)
    pair = [hourly(world), hourly(world)]
    for one in pair:
        one.tick()
    for module, name in ((beginning, "_claim"), (beginning, "_record"), (book, "note"), (book, "dealt_with")):
        monkeypatch.setattr(module, name, fate.wrap(getattr(module, name), odds=0.02))
    with ThreadPoolExecutor(2) as threads:
        for hour in range(1, 1001):
            world.now = START.replace(minute=0) + timedelta(hours=hour, seconds=fate.random.randrange(50))
            for place in list(threads.map(lambda place: looked(pair, place), (0, 1))):
                if place is not None:
                    pair[place] = hourly(world)
    monkeypatch.undo()
    while hourly(world).tick() or len(world.rows()) < 1000:
        world.now += timedelta(seconds=60)
    assert fate.kills > 50
    assert Counter(row.state for row in world.rows()) == {"started": 1000}
    assert sorted(world.mailings()) == sorted(f"water-{number}.main" for number in range(1, 1001))
    assert [row.mailing for row in world.rows()] == [f"water-{number}.main" for number in range(1, 1001)]


def looked(pair: list[Scheduler], place: int) -> int | None:
    """Let one of the two look; give its place if it died of that."""
    try:
        pair[place].tick()
    except Killed:
        return place
    return None


SPEED = 3600  # an hour a second
DUES = 25


@pytest.mark.slow
def test_two_processes_killed_at_random_begin_each_mailing_once(engine, tmp_path):
    """Real processes on one database, an hour a second: SIGKILL at any moment, and started again."""
    world = World(tmp_path, engine, now=START, toml=HEAD + HOURLY)
    world.sent(1)
    hourly(world).tick()  # the schedule is known since before the clock runs
    fate, began = random.Random(7), time.time()  # noqa: S311 - as above
    url = engine.url.render_as_string(hide_password=False)
    processes = [start(world.folder, url, began) for _ in range(2)]
    try:
        while time.time() < began + DUES + 4:
            time.sleep(fate.uniform(0.3, 1.5))
            place = fate.randrange(2)
            processes[place].send_signal(signal.SIGKILL)
            processes[place].wait(10)
            processes[place] = start(world.folder, url, began)
        deadline = time.monotonic() + 60
        while len(world.rows()) < DUES and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        for process in processes:
            process.kill()
            process.wait(10)
    started = Counter(row.mailing for row in world.rows() if row.state == "started")
    assert len(started) >= DUES
    assert set(started.values()) == {1}
    assert Counter(world.mailings()) == started
    assert {row.state for row in world.rows()} == {"started"}


def start(folder: Path, url: str, began: float) -> subprocess.Popen[bytes]:
    """Start a scheduler of its own process, whose clock runs an hour a second."""
    words = [sys.executable, "-m", "tests.schedule.keeper", str(folder), url, str(began)]
    return subprocess.Popen(words, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
