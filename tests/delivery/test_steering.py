"""Amending and cancelling: they reach everybody who still waits, also who is in hand or not planned yet."""

from __future__ import annotations

import asyncio
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mailer.database import reading, writing
from mailer.delivery import ledger, mailing, sending, steering
from mailer.delivery.audience import Planner
from mailer.delivery.segments import plain
from mailer.delivery.states import DeliveryState as S
from mailer.issue.provenance import Provenance
from mailer.smtp.relay import parse_relay
from subscribers import audience
from tests.delivery.conftest import NOON, World, edition
from tests.delivery.office import KEYS, Office
from tests.loopback.server import Script, running

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.delivery.engine import Engine
    from mailer.delivery.mailing import Mailing

ORIGIN = Provenance(None, committed=False, repository=False)


def found(world: World) -> Mailing:
    """Give the mailing as it stands."""
    with reading(world.engine) as c:
        return mailing.get(c, world.mailing_id)


def amended(world: World) -> steering.Amended:
    """Bring a corrected edition to those who wait."""
    return steering.amend(world.engine, found(world), edition(subject="Corrected"), ORIGIN, NOON, "ann")


@pytest.mark.parametrize("how", ["laid back", "dead"])
def test_an_amendment_reaches_who_was_in_hand_and_is_claimed_anew(world: World, how: str) -> None:
    """Their process laid them back, or died and is accounted for: they get the corrected issue like the others."""
    world.join("ann@one.example", "bob@two.example", "cid@three.example")
    world.extend()
    held = world.claim(limit=2)
    steering.pause(world.engine, found(world), NOON, "ann")
    assert amended(world) == (1, 2)
    with writing(world.engine) as c:
        if how == "dead":
            ledger.take_back(c, 1, lambda _: {}, NOON)
        else:
            ledger.give_back(c, 1, held)
    steering.resume(world.engine, found(world), NOON, "ann")
    newest = found(world).edition_id
    assert [claim.edition_id for claim in world.claim(epoch=2)] == [newest] * 3
    assert newest != held[0].edition_id


def test_an_amendment_of_a_mailing_that_runs_reaches_what_its_process_holds(
    tmp_path: Path, engine: Database
) -> None:
    """What waits in a process is claimed anew within two seconds: only who was sent to by then has the old one."""
    office = Office(tmp_path, engine, 400)
    told: list[tuple[int, steering.Amended]] = []

    async def amend_soon(engine: Engine) -> None:
        while engine.work.tally.total < 20:  # noqa: ASYNC110 - the tally is a plain count, nothing to await
            await asyncio.sleep(0.001)
        done = await asyncio.to_thread(amended, office.world)
        told.append((engine.work.tally.total, done))

    with running(Script()) as server:
        relays = [parse_relay(server.url("connections=2&per_second=50"))]
        ground = sending.Ground(office.settings, KEYS, engine, relays)
        watch = lambda engine: asyncio.get_running_loop().create_task(amend_soon(engine))  # noqa: E731
        result = asyncio.run(sending.deliver(ground, office.world.mailing_id, watch=watch))
        old = [b"Subject: Corrected" not in one.content for one in server.accepted]
    ((before, done),) = told
    assert result.sums[S.ACCEPTED] == 400
    assert done.in_hand > 200
    assert sum(old) <= before + 150  # two seconds, and a busy machine


def test_of_a_cancelled_mailing_nobody_is_planned(world: World) -> None:
    """Its audience was not wholly planned: whoever plans it looks, and nobody waits for good."""
    world.join("ann@one.example", "bob@two.example")
    with writing(world.engine) as c:
        readers = audience(world.list_id, NOON)
        mailing.extend(c, world.mailing_id, readers, list_id=world.list_id, now=NOON)
    steering.cancel(world.engine, found(world), NOON, "ann")
    world.plan()
    assert world.counts().planned == 0


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_who_is_planned_while_a_mailing_is_cancelled_is_skipped(world: World) -> None:
    """Another process has planned them and not committed: the cancellation waits for it, and passes by nobody."""
    world.join("ann@one.example", "bob@two.example")
    with writing(world.engine) as c:
        readers = audience(world.list_id, NOON)
        mailing.extend(c, world.mailing_id, readers, list_id=world.list_id, now=NOON)
    one = found(world)
    with writing(world.engine) as c:
        Planner(world.mailing_id, plain).step(c, NOON)
        cancelling = Thread(target=steering.cancel, args=(world.engine, one, NOON, "ann"))
        cancelling.start()
        cancelling.join(0.5)
    cancelling.join()
    assert world.counts().skipped == {"cancelled": 2}
