"""A send comes to its end, though another died beside it, or the answer to its own claim was lost."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import OperationalError

from mailer import __version__
from mailer.database import writing
from mailer.delivery import ledger, sending
from mailer.delivery.custody.place import place_of
from mailer.delivery.engine import End
from mailer.delivery.seat import Seat
from mailer.delivery.states import DeliveryState as S
from mailer.delivery.tables import workers
from mailer.smtp.relay import parse_relay
from tests.delivery.office import KEYS, Office
from tests.loopback.server import running

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection
    from sqlalchemy import Engine as Database

    from mailer.delivery.engine import Engine
    from mailer.delivery.ground import Ground


def delivered(office: Office, watch: Callable[[Ground, Engine], None] | None = None) -> sending.Result:
    """Send; one that would never end is stopped after a minute."""

    async def deliver(url: str) -> sending.Result:
        ground = sending.Ground(office.settings, KEYS, office.world.engine, [parse_relay(url)])

        def look(engine: Engine) -> None:
            asyncio.get_running_loop().call_later(60, engine.stop, End.STOPPED)
            if watch is not None:
                watch(ground, engine)

        return await sending.deliver(ground, office.world.mailing_id, watch=look)

    with running() as server:
        return asyncio.run(deliver(server.url("connections=4")))


def test_of_two_sends_the_one_that_lives_accounts_for_the_other(
    tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed with readers in hand, while the other is at work: these get it from the other, which then ends."""
    monkeypatch.setattr("mailer.delivery.custody.workers.HEARTBEAT", timedelta(seconds=1))
    office = Office(tmp_path, engine, 40)
    office.world.plan()

    def die_beside_it(ground: Ground, _: Engine) -> None:
        now, place = ground.clock(), place_of(ground.locks, shared=engine.dialect.name == "postgresql")
        row = {"epoch": 50, "host": socket.gethostname(), "pid": 1, "version": __version__, "kind": "send"}
        with writing(engine) as c:
            c.execute(insert(workers).values(**row, started_at=now, seen_at=now, place=place))
            assert len(ledger.claim(c, office.world.mailing_id, 50, now, 10)) == 10

    assert delivered(office, die_beside_it).sums[S.ACCEPTED] == 40


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_claim_whose_answer_was_lost_is_sent(
    tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server committed it, and the line broke: what was claimed is found again, and nobody is waited for."""
    office = Office(tmp_path, engine, 700)
    office.world.plan()
    transacted, lost = Seat._transacted, []

    def lose(self: Seat, connection: Connection, work: Callable[[Connection], object]) -> object:
        done = transacted(self, connection, work)
        if not lost and isinstance(done, list) and len(done) == 500:
            lost.append(done)
            raise OperationalError("COMMIT", {}, Exception("the server closed the connection"))
        return done

    monkeypatch.setattr(Seat, "_transacted", lose)
    assert delivered(office).sums[S.ACCEPTED] == 700
    assert lost
