"""The hour and the day of a relay hold for all processes together, and after each of them."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from mailer.database import reading, writing
from mailer.delivery import sending
from mailer.delivery.engine import End
from mailer.delivery.sharing import limits
from mailer.delivery.sharing.limits import Allowance, Drawn, draw
from mailer.delivery.tables import relay_counts
from mailer.smtp.relay import Relay, parse_relay
from tests.delivery.conftest import NOON
from tests.delivery.office import KEYS, Office
from tests.loopback.server import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.delivery.engine import Engine
    from tests.loopback.server import LoopbackServer

HOURLY = Relay(name="main", per_hour=50)


def drawn(database: Database, relay: Relay, now: datetime, wanted: int, rest: Drawn | None = None) -> Drawn:
    """Draw in a transaction of its own, as each process does."""
    with writing(database) as c:
        return draw(c, relay, now, wanted, rest)


def test_what_one_process_drew_another_does_not_get(engine: Database) -> None:
    """Two processes draw from one hour; the second gets what is left, and then hears how long to wait."""
    assert drawn(engine, HOURLY, NOON, 30).messages == 30
    assert drawn(engine, HOURLY, NOON, 30).messages == 20
    none = drawn(engine, HOURLY, NOON, 30)
    assert none.messages == 0
    assert 3600 <= none.wait <= 3600 + 120
    assert drawn(engine, HOURLY, NOON + timedelta(seconds=none.wait + 1), 30).messages == 30


def test_a_process_that_starts_later_the_same_day_knows(engine: Database) -> None:
    """The day is counted in the database: it is not forgotten with a process that died with its allowance."""
    relay = Relay(name="main", per_day=100)
    drawn(engine, relay, NOON, 80)
    later = NOON + timedelta(hours=20)
    assert drawn(engine, relay, later, 80).messages == 20
    assert drawn(engine, relay, later, 80).messages == 0
    assert drawn(engine, relay, NOON + timedelta(hours=24, minutes=2), 100).messages == 80


def test_the_smaller_of_hour_and_day_counts(engine: Database) -> None:
    """A relay may have both; another relay has its own."""
    relay = Relay(name="main", per_hour=10, per_day=15)
    assert drawn(engine, relay, NOON, 99).messages == 10
    assert drawn(engine, relay, NOON + timedelta(hours=2), 99).messages == 5
    assert drawn(engine, Relay(name="other", per_hour=10), NOON, 99).messages == 10


def test_what_was_not_used_goes_back(engine: Database) -> None:
    """At the end, and before each new drawing: only what was sent stays counted."""
    first = drawn(engine, HOURLY, NOON, 50)
    rest = first._replace(messages=45)
    assert drawn(engine, HOURLY, NOON + timedelta(minutes=1), 10, rest).messages == 10
    with writing(engine) as c:
        limits.give_back(c, HOURLY, Drawn(10, NOON + timedelta(minutes=1), 0.0))
        assert c.execute(select(func.sum(relay_counts.c.taken))).scalar() == 5


def test_letters_count_and_wait_for_nothing(engine: Database) -> None:
    """A letter beside the engine is counted even where the limit is reached; no limit, no row."""
    with writing(engine) as c:
        limits.count(c, HOURLY, NOON, 60)
        limits.count(c, Relay(name="free"), NOON)
        assert c.execute(select(relay_counts.c.relay)).scalars().all() == ["main"]
    assert drawn(engine, HOURLY, NOON, 1).messages == 0


def test_old_minutes_are_forgotten(engine: Database) -> None:
    """The table stays small: a day is all that is ever asked about."""
    for hours in range(0, 100, 5):
        drawn(engine, HOURLY, NOON + timedelta(hours=hours), 1)
    with reading(engine) as c:
        assert c.execute(select(func.count()).select_from(relay_counts)).scalar_one() <= 5


def test_a_clock_that_was_wrong_for_a_while_closes_no_relay(engine: Database) -> None:
    """What was counted a year ahead does not count against today."""
    drawn(engine, HOURLY, NOON + timedelta(days=365), 50)
    assert drawn(engine, HOURLY, NOON, 50).messages == 50


@pytest.mark.parametrize("seed", range(3))
def test_no_hour_ever_holds_more_than_its_limit(engine: Database, seed: int) -> None:
    """Three processes at random speeds, some of which die: in any 60 minutes at most 50 messages."""
    dice = random.Random(seed)  # noqa: S311 - it guards nothing
    now, sent = NOON, []
    processes = [Allowance() for _ in range(3)]
    for _ in range(250):
        now += timedelta(seconds=dice.choice([0, 1, 10, 45, 90]))
        at = (now - NOON).total_seconds()
        number = dice.randrange(3)
        process = processes[number]
        if process.due(at, limits.minute_of(now)):
            rest = process.lend(limits.minute_of(now))
            process.take(drawn(engine, HOURLY, now, process.wanted, rest), at)
        for _ in range(min(process.left, dice.randrange(6))):
            process.left -= 1
            sent.append(at)
        if dice.random() < 0.05:
            processes[number] = Allowance()  # it died with what it had drawn
    assert len(sent) > 50
    for start in sent:
        assert sum(start <= other < start + 3600 for other in sent) <= 50


def test_an_allowance_grows_with_the_rate_and_shrinks_with_it() -> None:
    """A fast relay draws a second's messages at a time, a slow one a few."""
    allowance, now = Allowance(), 0.0
    for _ in range(20):
        now += 0.1
        allowance.left = 0
        allowance.take(Drawn(allowance.wanted, NOON, 0.0), now)
    assert allowance.wanted >= 1000
    for _ in range(20):
        now += 10
        allowance.left = 0
        allowance.take(Drawn(allowance.wanted, NOON, 0.0), now)
    assert allowance.wanted < 10


def until_refused(server: LoopbackServer, wanted: int) -> Callable[[Engine], None]:
    """Stop a process once so many went out, all it drew is spent, and its next drawing gave nothing."""

    async def look(engine: Engine) -> None:
        (allowance,) = [gate.allowance for gate in engine._gates if gate.allowance is not None]
        while len(server.accepted) < wanted or allowance.left > 0 or allowance.closed == 0.0:  # noqa: ASYNC110 - no event tells it
            await asyncio.sleep(0.01)
        engine.stop(End.STOPPED)

    looks: list[asyncio.Task[None]] = []  # a task that nobody holds may be collected
    return lambda engine: looks.append(asyncio.create_task(look(engine)))


def send(office: Office, server: LoopbackServer, limits: str, wanted: int, times: int = 1) -> sending.Result:
    """Send as so many processes at once, until the relay's limit holds each of them; give the first's result."""
    relays = [parse_relay(server.url(limits), "main")]
    ground = sending.Ground(office.settings, KEYS, office.world.engine, relays)

    async def all_of_them() -> sending.Result:
        watch, mailing_id = until_refused(server, wanted), office.world.mailing_id
        async with asyncio.timeout(120):  # against hanging alone
            runs = (sending.deliver(ground, mailing_id, watch=watch) for _ in range(times))
            return (await asyncio.gather(*runs))[0]

    return asyncio.run(all_of_them())


def test_a_second_send_of_the_same_hour_sends_nothing_more(tmp_path: Path, engine: Database) -> None:
    """Twenty messages an hour: the first process sends them and waits, the next one sends none."""
    office = Office(tmp_path, engine, 60)
    with running() as server:
        limits = "connections=3&per_hour=20&per_day=1000"
        first = send(office, server, limits, 20)
        assert (first.end, len(server.accepted)) == (End.STOPPED, 20)
        second = send(office, server, limits, 20)
        assert (second.end, len(server.accepted)) == (End.STOPPED, 20)
    assert second.sums.waiting == 40
    with reading(office.world.engine) as c:
        assert c.execute(select(func.sum(relay_counts.c.taken))).scalar() == 20


def test_two_at_once_share_the_hour(tmp_path: Path, engine: Database) -> None:
    """Two processes (here: two engines) of one mailing never send more than the hour allows together."""
    office = Office(tmp_path, engine, 80)
    with running() as server:
        send(office, server, "connections=3&per_hour=30", 30, times=2)
        assert len(server.accepted) == 30


def test_a_relay_without_such_limits_counts_nothing(tmp_path: Path, engine: Database) -> None:
    """Nothing is written for it."""
    office = Office(tmp_path, engine, 20)
    with running() as server:
        office.send(server.url("per_second=1000"))
        assert len(server.accepted) == 20
    with reading(office.world.engine) as c:
        assert c.execute(select(relay_counts)).first() is None
