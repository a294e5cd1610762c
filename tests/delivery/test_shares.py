"""What all processes may do together: turns of a limit, connections of a relay, and pleas that one of them heard."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, insert, select

from mailer.database import writing
from mailer.delivery import ledger, sending
from mailer.delivery.custody import workers
from mailer.delivery.desk import Desk
from mailer.delivery.engine import End
from mailer.delivery.engine import Engine as AtWork
from mailer.delivery.gate import Gate
from mailer.delivery.shares import Shares
from mailer.delivery.sharing import Said, Sums, Turns, Want, leases, paces, tallies
from mailer.delivery.tables import leases as leases_table
from mailer.settings import Settings
from mailer.smtp.relay import parse_relay
from tests.delivery.conftest import NOON
from tests.delivery.office import KEYS, Office
from tests.loopback.server import Script, running

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.delivery.model import Claim

RELAY = parse_relay("smtp://127.0.0.1:1?connections=5", "main")


def test_blocks_of_two_processes_follow_one_another(engine: Engine) -> None:
    """Each reserves half a second of a limit of 100: the second one's turns begin where the first one's end."""
    with writing(engine) as c:
        first = paces.reserve(c, "relay:main", 100, 50)
        second = paces.reserve(c, "relay:main", 100, 50)
        other = paces.reserve(c, "domain:a.example", 100, 50)
    assert (first, other) == (0, 0)
    assert second == pytest.approx(0.5, abs=0.1)
    with writing(engine) as c:
        third = paces.reserve(c, "relay:main", 100, 50)
    assert -0.1 <= third <= 1.0


def test_a_plea_is_known_to_all_and_passes(engine: Engine) -> None:
    """Who rests is told with a running number, so that each plea is news once."""
    with writing(engine) as c:
        assert paces.resting(c) == []
        paces.plead(c, {"domain:a.example": 60.0, "relay:main": 0.0})
    with writing(engine) as c:
        paces.plead(c, {"domain:a.example": 30.0})
        (plea,) = paces.resting(c)
    assert (plea.name, plea.number) == ("domain:a.example", 2)
    assert 25 < plea.rest <= 30


@given(
    st.lists(st.tuples(st.integers(1, 6), st.booleans()), max_size=60), st.integers(min_value=1, max_value=9)
)
def test_leases_never_pass_what_the_relay_allows_and_end_up_fair(moves, total) -> None:
    """Workers come, look and go in any order; whoever stays and looks has a fair part in the end."""
    held: dict[int, int] = {}
    for epoch, stays in moves:
        if stays:
            held[epoch] = leases.share(held, epoch, total)
        else:
            held.pop(epoch, None)
        assert sum(held.values()) <= total
    for _ in range(3):
        for epoch in sorted(held):
            held[epoch] = leases.share(held, epoch, total)
    assert not held or (sum(held.values()) == total and max(held.values()) - min(held.values()) <= 1)


def look(engine: Engine, epoch: int, **want: object) -> int:
    """Let a worker ask for connections of a relay that allows five."""
    with writing(engine) as c:
        return leases.lease(c, epoch, [Want("relay:main", 5, **want)])[0]


def test_connections_are_divided_anew_when_one_comes_or_dies(engine: Engine) -> None:
    """Five connections: all for one; then three and two, once the first has looked again; then all again."""
    assert look(engine, 1) == 5
    assert look(engine, 2) == 0
    assert look(engine, 1) == 3
    assert look(engine, 2) == 2
    assert look(engine, 2, wanted=False) == 0
    assert look(engine, 1) == 5


def test_a_connection_that_is_still_open_is_nobody_elses(engine: Engine) -> None:
    """Who is to have three and has five open keeps five in the books until two are closed."""
    assert look(engine, 1) == 5
    assert look(engine, 2) == 0
    assert look(engine, 1, kept=5) == 3
    assert look(engine, 2) == 0
    assert look(engine, 1, kept=4) == 3
    assert look(engine, 2) == 1
    assert look(engine, 1, kept=3) == 3
    assert look(engine, 2, kept=1) == 2
    assert look(engine, 2, kept=1, wanted=False) == 0  # nothing to send, and one not closed yet
    assert look(engine, 1, kept=3) == 3
    assert look(engine, 2, wanted=False) == 0
    assert look(engine, 1, kept=3) == 5


def test_where_nothing_changes_nothing_is_written(engine: Engine) -> None:
    """A look that finds its share as it was writes no row."""
    look(engine, 1)
    written: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: written.append(given[2]))
    look(engine, 1, kept=2)
    assert [words for words in written if not words.startswith(("SELECT", "BEGIN"))] == []


def test_how_a_mailing_fares_elsewhere_is_known_until_it_is_resumed_or_the_worker_ends(
    engine: Engine,
) -> None:
    """Sums of the others of the same running; neither one's own, nor those of before a pause, nor of who ended."""
    with writing(engine) as c:
        tallies.tell(c, 7, 1, NOON, Sums(10, 2, 1))
        tallies.tell(c, 7, 2, NOON, Sums(5, 1, 0))
        tallies.tell(c, 7, 2, NOON, Sums(6, 2, 0))
        tallies.tell(c, 7, 3, NOON - timedelta(hours=1), Sums(500, 500, 0))
        tallies.tell(c, 8, 2, NOON, Sums(100, 0, 0))
        assert tallies.of_others(c, 7, 1, NOON) == Sums(6, 2, 0)
        assert tallies.of_others(c, 7, 9, NOON) == Sums(16, 4, 1)
        workers.retire(c, 2, NOON)
        assert tallies.of_others(c, 7, 1, NOON) == Sums()


def test_a_worker_that_is_over_and_does_not_know_it_takes_no_share(tmp_path: Path, engine: Engine) -> None:
    """Others ended its epoch while it was cut off: at its next look it stops, and nothing stands in its name."""
    office = Office(tmp_path, engine, 300)

    async def cut_off(at_work: AtWork) -> None:
        while at_work.work.tally.total < 20:  # noqa: ASYNC110 - the tally is a plain count, nothing to await
            await asyncio.sleep(0.001)
        with writing(engine) as c:
            ledger.take_back(c, at_work.work.worker.epoch, lambda _: {}, office.world.now)
            workers.retire(c, at_work.work.worker.epoch, office.world.now)

    async def run(url: str) -> sending.Result:
        tasks: list[asyncio.Task[None]] = []
        ground = sending.Ground(office.settings, KEYS, engine, [parse_relay(url, "main")])
        return await sending.deliver(
            ground,
            office.world.mailing_id,
            watch=lambda one: tasks.append(asyncio.create_task(cut_off(one))),
        )

    with running(Script(delay=0.01)) as server:
        result = asyncio.run(run(server.url("connections=2")))
    assert result.end is End.RETIRED
    with writing(engine) as c:
        assert c.execute(select(leases_table)).all() == []


def both(office: Office, url: str) -> None:
    """Send a mailing by two engines at once, as two processes would."""
    ground = sending.Ground(office.settings, KEYS, office.world.engine, [parse_relay(url, "main")])

    async def run() -> None:
        async with asyncio.timeout(120):  # against hanging alone
            await asyncio.gather(*(sending.deliver(ground, office.world.mailing_id) for _ in range(2)))

    asyncio.run(run())


def test_two_processes_together_open_no_more_connections_than_the_relay_allows(
    tmp_path: Path, engine: Engine
) -> None:
    """Five for both, also while the one gives some up for the other."""
    office = Office(tmp_path, engine, 400)
    with running(Script(delay=0.01)) as server:
        both(office, server.url("connections=5"))
        assert (len(server.accepted), server.peak) == (400, 5)


def test_connections_that_others_have_are_not_asked_for_again_and_again(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of forty connections 38 are another worker's: they sleep, and only the two that work look for work."""
    office = Office(tmp_path, engine, 100)
    with writing(engine) as c:
        c.execute(insert(leases_table).values(name="relay:main", epoch=99, connections=38))
    take, looks = AtWork.take, Counter[int]()

    def counted(self: AtWork, gate: Gate, number: int) -> Claim | None:
        looks[number] += 1
        return take(self, gate, number)

    monkeypatch.setattr(AtWork, "take", counted)
    with running(Script(delay=0.01)) as server:
        office.send(server.url("connections=40"))
        assert (len(server.accepted), server.peak) == (100, 2)
    assert sum(looks[number] for number in range(2, 40)) <= 2 * 38


def test_two_processes_together_send_to_a_domain_over_no_more_connections_than_it_gets(
    tmp_path: Path, engine: Engine
) -> None:
    """Of four domains one gets two connections, whoever sends; the others are not held up, and everybody is reached."""
    office = Office(tmp_path, engine, 200, more='[domains."d1.example"]\nconnections = 2\n')
    with running(Script(delay=0.01)) as server:
        both(office, server.url("connections=12"))
        assert len(server.accepted) == 200
        assert server.busiest["d1.example"] == 2
        assert server.busiest["d2.example"] > 2


def test_a_gate_keeps_what_is_open_until_it_is_closed() -> None:
    """Five open, and two allowed: five are kept, then fewer as they close; the last to close frees them aloud."""
    freed: list[int] = []
    gate = Gate(RELAY, None, lambda: freed.append(gate.kept))
    gate.allow(5)
    for number in range(5):
        gate.enter(number)
    gate.allow(2)
    assert gate.kept == 5
    gate.leave(1)  # one of its own two, which it may open again
    gate.leave(4)
    gate.leave(2)
    assert (gate.kept, freed) == (3, [])
    gate.leave(3)
    assert (gate.kept, freed) == (2, [2])
    gate.leave(0)
    gate.allow(1)
    assert freed == [2, 1]


def test_turns_are_used_once_in_their_time_and_those_missed_are_lost() -> None:
    """A block of ten turns a tenth of a second apart: none before its time, none long after it."""
    bells: list[None] = []
    turns = Turns("relay:main", 10, lambda: bells.append(None))
    assert turns.wait(0) > 0
    assert turns.wanted
    turns.take(1.0, 10)
    assert turns.wait(0.5) == pytest.approx(0.5)
    assert turns.wait(1.0) == 0
    turns.spend()
    assert turns.wait(1.0) == pytest.approx(0.1)
    assert turns.wait(10.0) > 0  # all were missed
    assert turns.wanted
    assert len(bells) == 2


async def _shares(tmp_path: Path) -> None:
    settings = Settings.__new__(Settings)
    object.__setattr__(settings, "domains", {})
    shares = Shares(settings, [RELAY], None)  # type: ignore[arg-type]
    gate, desk = Gate(RELAY), Desk()
    now = asyncio.get_running_loop().time()
    pleas = [paces.Plea("relay:main", 1, 9.0), paces.Plea("domain:a.example", 4, 7.0)]
    shares.apply([gate], desk, Said([3], {}, pleas))
    assert gate.lanes == 3
    assert gate.wait(now) == pytest.approx(9, abs=0.5)
    assert desk.resting(now) == []
    shares.apply([gate], desk, Said([3], {}, [paces.Plea("relay:main", 1, 60.0)]))
    assert gate.wait(now) < 10  # the same plea again is no news


def test_what_another_process_heard_slows_this_one(tmp_path: Path) -> None:
    """A plea that stands in the database rests relay and domain here; told twice it counts once."""
    asyncio.run(_shares(tmp_path))
