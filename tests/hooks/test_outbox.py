"""Events become dispatches: none is passed over, none is queued twice, on both databases."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text

from mailer import events, tokens
from mailer.database import reading, writing
from mailer.errors import TryLater
from mailer.hooks import outbox, privacy, queue
from mailer.hooks.running import fan_out, upkeep
from mailer.hooks.tables import DispatchState, dispatches, receivers, reports
from tests.web.hooks.standing import Clock, ground_on

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.delivery.ground import Ground

ALL = '[[webhooks]]\nname = "crm"\nurl = "https://crm.example/h"\nsecret_file = "s"\n'
SOME = '[[webhooks]]\nname = "log"\nurl = "https://log.example/h"\nsecret_file = "s"\nevents = ["mailing.paused"]\n'


@pytest.fixture
def ground(engine: Engine, tmp_path: Path) -> Ground:
    made = ground_on(engine, tmp_path / "newsletter", ALL + SOME, Clock())
    enrol(made)
    return made


def enrol(ground: Ground, *names: str) -> None:
    with writing(ground.database) as connection:
        outbox.enrol(connection, names or ("crm", "log"), outbox.horizon(connection), ground.clock())


def happen(ground: Ground, *kinds: str) -> None:
    with writing(ground.database) as connection:
        for kind in kinds:
            events.record(connection, kind, "7", ground.clock(), "test")


def queued(ground: Ground, name: str) -> list[str]:
    with reading(ground.database) as connection:
        query = select(events.events.c.kind).join(dispatches, dispatches.c.event_id == events.events.c.id)
        return list(
            connection.scalars(query.where(dispatches.c.receiver == name).order_by(dispatches.c.event_id))
        )


def test_each_receiver_gets_what_it_wants(ground: Ground):
    """One hears of everything that is told, one of pauses alone; what is nobody's business is queued for nobody."""
    happen(ground, "reader.confirmed", "mailing.paused", "test.sent", "mailing.opened")
    assert fan_out(ground) == 3
    assert queued(ground, "crm") == ["reader.confirmed", "mailing.paused"]
    assert queued(ground, "log") == ["mailing.paused"]


def test_nothing_is_queued_twice(ground: Ground):
    """Asked again, it goes on behind what it has seen."""
    happen(ground, "reader.confirmed")
    assert (fan_out(ground), fan_out(ground)) == (1, 0)
    happen(ground, "reader.unsubscribed")
    assert fan_out(ground) == 1
    assert queued(ground, "crm") == ["reader.confirmed", "reader.unsubscribed"]


def test_a_crash_in_the_middle_queues_all_or_nothing(ground: Ground):
    """What is queued and how far was read are one transaction."""
    happen(ground, "reader.confirmed", "mailing.paused")
    with suppress(RuntimeError), writing(ground.database) as connection:
        upto = outbox.newest(connection)
        assert outbox.fan_out(connection, ground.settings.webhooks, upto, ground.clock()) == 3
        raise RuntimeError("the process died")
    assert queued(ground, "crm") == []
    assert fan_out(ground) == 3


def test_what_is_rolled_back_is_told_to_nobody(ground: Ground):
    """An event stands if what it tells of was committed."""
    with suppress(RuntimeError), writing(ground.database) as connection:
        events.record(connection, "reader.confirmed", "7", ground.clock(), "test")
        raise RuntimeError("the process died")
    happen(ground, "reader.unsubscribed")
    fan_out(ground)
    assert queued(ground, "crm") == ["reader.unsubscribed"]


def test_many_events_are_read_page_by_page(ground: Ground):
    """A mailing's thousand bounces do not make one long transaction."""
    happen(ground, *["reader.bounced"] * (outbox.PAGE + 20))
    assert (fan_out(ground), fan_out(ground), fan_out(ground)) == (outbox.PAGE, 20, 0)


def test_a_new_receiver_is_told_what_happens_from_now_on(ground: Ground):
    """Whoever is added is not flooded with the past; whoever is taken out is told nothing more."""
    happen(ground, "reader.confirmed")
    fan_out(ground)
    enrol(ground, "crm", "new")
    with reading(ground.database) as connection:
        upto = connection.scalar(select(receivers.c.read_upto).where(receivers.c.name == "new"))
        assert upto == outbox.newest(connection)
        assert connection.scalars(select(receivers.c.name).order_by(receivers.c.name)).all() == ["crm", "new"]
    enrol(ground, "new")
    with reading(ground.database) as connection:
        states = connection.scalars(select(dispatches.c.state).where(dispatches.c.receiver == "crm")).all()
    assert states == [DispatchState.ABANDONED]


def test_an_event_that_is_committed_late_is_not_passed_over(postgres_url: str, tmp_path: Path):
    """On PostgreSQL a lower id may come to light after a higher one: the horizon waits for whoever is writing."""
    from mailer.database import open_engine, upgrade

    engine = open_engine(postgres_url)
    upgrade(engine)
    ground = ground_on(engine, tmp_path / "newsletter", ALL, Clock())
    enrol(ground, "crm")
    slow, found = engine.connect(), []
    slow.begin()
    events.record(slow, "reader.confirmed", "1", ground.clock(), "slow")  # the lower id, not committed yet
    happen(ground, "reader.unsubscribed")  # the higher one, committed
    waiting = threading.Thread(target=lambda: found.append(fan_out(ground)))
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive(), "it read on while somebody was writing"
    slow.commit()
    slow.close()
    waiting.join(30)
    assert found == [2]
    assert queued(ground, "crm") == ["reader.confirmed", "reader.unsubscribed"]
    engine.dispose()


def test_a_long_transaction_is_not_waited_for_without_end(postgres_url: str, tmp_path: Path):
    """Who waits for the lock holds up others who write events: after two seconds it gives way and comes back."""
    from mailer.database import open_engine, upgrade

    engine = open_engine(postgres_url)
    upgrade(engine)
    ground = ground_on(engine, tmp_path / "newsletter", ALL, Clock())
    enrol(ground, "crm")
    happen(ground, "reader.confirmed")
    with engine.connect() as slow:
        events.record(slow, "reader.confirmed", "1", ground.clock(), "slow")
        with pytest.raises(TryLater):
            fan_out(ground)
        slow.rollback()
    assert fan_out(ground) == 1
    engine.dispose()


def test_two_processes_claim_each_row_once(ground: Ground):
    """A claim is one conditional statement: what one has, the other does not get; a dead one's rows come back."""
    happen(ground, *["reader.confirmed"] * 20)
    fan_out(ground)
    now = ground.clock()
    with writing(ground.database) as connection:
        first = queue.claim(connection, "crm", now)
    with writing(ground.database) as connection:
        second = queue.claim(connection, "crm", now)
        assert queue.claim(connection, "crm", now) == []
    ids = [one.event.id for one in (*first, *second)]
    assert (len(first), len(ids), len(set(ids))) == (queue.BATCH, 20, 20)
    ground.clock.pass_by(minutes=6)
    with writing(ground.database) as connection:
        again = queue.claim(connection, "crm", ground.clock())
    assert {one.attempts for one in again} == {2}


def test_what_was_told_is_forgotten_after_two_weeks(ground: Ground):
    """What waits stays."""
    happen(ground, "mailing.paused")
    fan_out(ground)
    with writing(ground.database) as connection:
        connection.execute(
            text("UPDATE hook_dispatches SET state = 'delivered', at = due_at WHERE receiver = 'log'")
        )
    assert upkeep(ground) == 0
    ground.clock.pass_by(days=15)
    assert upkeep(ground) == 1
    assert (queued(ground, "crm"), queued(ground, "log")) == (["mailing.paused"], [])


def test_what_mentions_a_person_goes_with_them(ground: Ground):
    """Kept events of providers and remembered answers that mention an address are shown, and blanked on erasure."""
    with writing(ground.database) as connection:
        kept = '[{"event": "x", "who": "Ann@reader.example"}]'
        row = {"hook": "ses", "key": "k", "digest": b"d", "at": ground.clock(), "notices": 0, "unknown": 1}
        connection.execute(insert(reports).values(**row, kept=kept))
        answer = {"token_id": 1, "digest": b"d", "status": 201, "at": ground.clock()}
        connection.execute(
            insert(tokens.answers).values(**answer, key="a", body='{"email": "ann@reader.example"}')
        )
        connection.execute(
            insert(tokens.answers).values(**answer, key="b", body='{"email": "bob@reader.example"}')
        )
    with writing(ground.database) as connection:
        assert privacy.held(connection, 7, ["ann@reader.example"]) == {"reports": [kept]}
        privacy.erased(connection, 7, ["ann@reader.example"])
        assert privacy.held(connection, 7, ["ann@reader.example"]) == {"reports": []}
        assert connection.scalars(select(tokens.answers.c.key)).all() == ["b"]
        assert privacy.held(connection, 7, []) == {"reports": []}


def test_upkeep_goes_on_until_nothing_old_is_left(ground: Ground):
    """A provider that posts every event by itself does not fill the table: more than one batch goes in one turn."""
    rows = [
        {"hook": "ses", "key": str(number), "digest": b"d", "at": ground.clock(), "notices": 1, "unknown": 0}
        for number in range(1200)
    ]
    with writing(ground.database) as connection:
        connection.execute(insert(reports), rows)
    ground.clock.pass_by(days=31)
    assert upkeep(ground) == 1200
