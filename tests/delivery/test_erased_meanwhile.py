"""A person is erased while another process plans them or lays their row back: their address stays nowhere."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mailer import privacy
from mailer.database import reading, writing
from mailer.delivery import ledger, mailing
from mailer.delivery.audience import Planner
from mailer.delivery.ledger import claiming
from mailer.delivery.segments import plain
from mailer.delivery.tables import deliveries
from subscribers import audience

if TYPE_CHECKING:
    from tests.delivery.conftest import World

pytestmark = pytest.mark.parametrize("engine", ["postgresql"], indirect=True)


def erase(world: World, subscriber_id: int) -> None:
    """Forget a person, in a transaction of its own."""
    with writing(world.engine) as c:
        privacy.erase(c, subscriber_id, now=world.now, actor="ann")


def addresses(world: World) -> list[str]:
    """Give what the ledger holds."""
    with reading(world.engine) as c:
        return list(c.execute(select(deliveries.c.address)).scalars())


def test_who_is_erased_while_they_are_planned_leaves_no_address(world: World) -> None:
    """Their row is not committed yet: the erasure waits for it, blanks it, and nothing is sent."""
    [person] = world.join("ann@one.example")
    with writing(world.engine) as c:
        readers = audience(world.list_id, world.now)
        mailing.extend(c, world.mailing_id, readers, list_id=world.list_id, now=world.now)
    with writing(world.engine) as c:
        Planner(world.mailing_id, plain).step(c, world.now)
        erasing = Thread(target=erase, args=(world, person))
        erasing.start()
        erasing.join(0.5)
    erasing.join()
    assert addresses(world) == [""]
    assert world.claim() == []


def test_who_is_planned_while_they_are_erased_is_not(world: World) -> None:
    """Whoever plans waits for the erasure, and does not see the person any more."""
    [person] = world.join("ann@one.example")
    with writing(world.engine) as c:
        privacy.erase(c, person, now=world.now, actor="ann")
        planning = Thread(target=world.extend)
        planning.start()
        planning.join(0.5)
    planning.join()
    assert addresses(world) == []


def test_who_is_erased_while_their_row_is_laid_back_leaves_no_address(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker read their new address, and writes it behind the erasure: it stays blank, and is skipped in the end."""
    [person] = world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    turned_back = claiming._turned_back

    def read(*words: object) -> dict[str, object]:
        values = turned_back(*words)
        erase(world, person)
        return values

    monkeypatch.setattr(claiming, "_turned_back", read)
    with writing(world.engine) as c:
        ledger.turn_back(c, 1, claims, world.now)
    monkeypatch.undo()
    assert addresses(world) == [""]
    assert world.fence(world.claim()) == set()
    assert world.counts().skipped == {"left": 1}
