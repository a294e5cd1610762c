"""A machine went down in the middle of a mailing and is back: what its journals may say, and of which rows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from mailer import __version__
from mailer.database import writing
from mailer.delivery import custody, ledger, sending
from mailer.delivery.journal import Journal, Proof
from mailer.delivery.model import Settlement
from mailer.delivery.states import DeliveryState as S
from mailer.delivery.tables import workers as rows
from mailer.smtp.relay import parse_relay
from tests.delivery.office import KEYS, Office

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.delivery.ground import Ground


@pytest.fixture
def office(tmp_path: Path, engine: Engine) -> Office:
    """One reader who is planned."""
    made = Office(tmp_path, engine, 1)
    made.world.plan()
    return made


def ground_of(office: Office) -> Ground:
    """Give the ground of this machine."""
    world, relays = office.world, [parse_relay("smtp://127.0.0.1:1")]
    return sending.Ground(office.settings, KEYS, world.engine, relays, clock=lambda: world.now)


def left(office: Office, ground: Ground, state: S) -> None:
    """Let a worker of the machine before its reboot, epoch 1, settle the reader so, and vanish for a while."""
    world = office.world
    sending.recover(ground)
    begin(office, 1, "the machine before its reboot")
    (claim,) = world.claim(epoch=1)
    due = world.now + timedelta(minutes=15)
    told = Settlement(claim, state, world.now, due_at=due, reply="said")
    with Journal(ground.journals, 1) as journal:
        journal.write((), [claim])
        assert world.fence([claim], epoch=1)
        journal.write([told], ())
    with writing(world.engine) as c:
        ledger.settle(c, 1, [told])
    world.later(minutes=16)


def begin(office: Office, epoch: int, place: str) -> None:
    """Write the row of a worker of another place."""
    now = office.world.now
    row = {"epoch": epoch, "host": place, "pid": 1, "version": __version__, "kind": "run", "place": place}
    with writing(office.world.engine) as c:
        c.execute(insert(rows).values(**row, started_at=now, seen_at=now))


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_machine_that_is_back_takes_nothing_from_one_that_lives(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had deferred a reader, whom another machine is mailing: the row stays that one's, and there is one copy."""
    ground, world = ground_of(office), office.world
    left(office, ground, S.DEFERRED)
    begin(office, 2, "a machine that lives")
    claims = world.claim(epoch=2)
    assert world.fence(claims, epoch=2)
    monkeypatch.setattr("mailer.delivery.journal.boot", lambda: "another boot")
    sending.recover(ground)
    assert list(world.states().values()) == ["sending"]
    world.settle(claims, epoch=2)
    assert list(world.states().values()) == ["accepted"]


def test_of_two_starts_after_a_reboot_the_second_replays_nothing(office: Office) -> None:
    """The first accounted for the dead worker, and its doubt was decided; the second, late, leaves the row alone."""
    ground, world = ground_of(office), office.world
    left(office, ground, S.UNCERTAIN)
    sending.recover(ground)
    with writing(world.engine) as c:
        ledger.resend_uncertain(c, world.mailing_id, world.now)
    assert world.fence(world.claim(epoch=2), epoch=2)
    assert custody.replay(ground, 1, unended=True).uncertain == 0
    assert list(world.states().values()) == ["sending"]


def test_a_deferral_in_a_journal_lays_back_nobodys_row(office: Office) -> None:
    """What is in hand may be another worker's by now; a doubt that the journal itself had left is ended by it."""
    world = office.world
    (claim,) = world.claim(epoch=2)
    key = claim[:2]
    with writing(world.engine) as c:
        ledger.replay(c, {key: Proof(*key, S.DEFERRED, "")}, world.now)
    assert list(world.states().values()) == ["claimed"]
    for said, state in ((S.SENDING, "uncertain"), (S.DEFERRED, "deferred")):
        with writing(world.engine) as c:
            ledger.replay(c, {key: Proof(*key, said, "")}, world.now)
        assert list(world.states().values()) == [state]
