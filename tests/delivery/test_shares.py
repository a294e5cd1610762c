"""What all processes may do together: turns of a limit, connections of a relay, and pleas that one of them heard."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.database import writing
from mailer.delivery import leases, paces
from mailer.delivery.desk import Desk
from mailer.delivery.gate import Gate
from mailer.delivery.shares import Said, Shares
from mailer.delivery.turns import Turns
from mailer.settings import Settings
from mailer.smtp.relay import parse_relay

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

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


def test_connections_are_divided_anew_when_one_comes_or_dies(engine: Engine) -> None:
    """Five connections: all for one; then three and two, once the first has looked again; then all again."""

    def look(epoch: int, *, wanted: bool = True) -> int:
        with writing(engine) as c:
            return leases.lease(c, RELAY, epoch, wanted=wanted)

    assert look(1) == 5
    assert look(2) == 0
    assert look(1) == 3
    assert look(2) == 2
    assert look(2, wanted=False) == 0
    assert look(1) == 5


def test_a_connection_is_others_only_once_it_is_closed(engine: Engine) -> None:
    """The first is to give up two of five: while it has them open nobody else may have them, then at once."""

    def look(epoch: int, kept: int, *, wanted: bool = True) -> int:
        with writing(engine) as c:
            return leases.lease(c, RELAY, epoch, wanted=wanted, kept=kept)

    assert look(1, 0) == 5
    assert look(2, 0) == 0
    assert look(1, 5) == 3
    assert look(2, 0) == 0
    assert look(1, 4) == 3
    assert look(2, 0) == 1
    assert look(1, 3) == 3
    assert look(2, 1) == 2
    assert look(2, 2, wanted=False) == 0
    assert look(1, 3) == 3
    assert look(2, 0, wanted=False) == 0
    assert look(1, 3) == 5


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
    shares.apply([gate], desk, Said([3], pleas))
    assert gate.lanes == 3
    assert gate.wait(now) == pytest.approx(9, abs=0.5)
    assert desk.resting(now) == []
    shares.apply([gate], desk, Said([3], [paces.Plea("relay:main", 1, 60.0)]))
    assert gate.wait(now) < 10  # the same plea again is no news


def test_what_another_process_heard_slows_this_one(tmp_path: Path) -> None:
    """A plea that stands in the database rests relay and domain here; told twice it counts once."""
    asyncio.run(_shares(tmp_path))
