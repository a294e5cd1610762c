"""The first few of a mailing are drawn by chance, from a small list and a large one alike."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from mailer.database import reading, writing
from mailer.delivery import audience as planning
from mailer.delivery import mailing
from mailer.delivery.audience import Planner
from mailer.delivery.segments import plain
from subscribers import audience

if TYPE_CHECKING:
    from tests.delivery.conftest import World


@pytest.mark.parametrize("few", [0, 20_000])
def test_as_many_as_wanted_are_drawn_and_only_readers(
    world: World, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Whether ids are guessed or all put in order: nobody twice, nobody who left; each has a chance."""
    monkeypatch.setattr(planning, "_FEW", few)
    monkeypatch.setattr(planning, "_GUESSES", 10)
    people = world.join(*(f"p{n}@one.example" for n in range(40)))
    for person in people[::4]:
        world.leave(person)
    readers, seen = set(people) - set(people[::4]), Counter[int]()
    with reading(world.engine) as c:
        for _ in range(150):
            drawn = planning.drawn(c, audience(world.list_id, world.now), 5, max(people))
            assert len(set(drawn)) == 5
            seen.update(drawn)
        everybody = planning.drawn(c, audience(world.list_id, world.now), 99, max(people))
    assert set(seen) == set(everybody) == readers
    assert max(seen.values()) < 4 * min(seen.values()) + 20


def test_the_planner_counts_what_it_planned(world: World) -> None:
    """On both databases: the number of rows that were added, none for those who had one."""
    world.join(*(f"p{n}@one.example" for n in range(7)))
    for expected in (7, 0):
        with writing(world.engine) as c:
            readers = audience(world.list_id, world.now)
            mailing.extend(c, world.mailing_id, readers, list_id=world.list_id, now=world.now)
            planner = Planner(world.mailing_id, plain)
            while planner.step(c, world.now):
                pass
        assert planner.planned == expected
