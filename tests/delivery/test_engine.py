"""The engine against a real SMTP server that misbehaves: what each fault leaves in the ledger, on both databases."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from mailer.database import reading, writing
from mailer.delivery import ledger, mailing, sending
from mailer.delivery.batches import Batch
from mailer.delivery.engine import End
from mailer.delivery.states import MailingState
from mailer.delivery.supply import Supply
from mailer.smtp.relay import parse_relay
from tests.delivery.conftest import NOON
from tests.delivery.office import KEYS, Office, S
from tests.loopback.server import Do, Rule, Script, running

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.delivery.engine import Engine
    from mailer.delivery.model import Claim


def test_everybody_gets_it_once(tmp_path: Path, engine: Database) -> None:
    """Every reader gets the issue, by name, and the server's words stand in the ledger."""
    office = Office(tmp_path, engine, 200)
    with running() as server:
        result = office.send(server.url("connections=8"))
    assert (result.end, result.sums[S.ACCEPTED]) == (End.DONE, 200)
    assert sorted(one.recipient for one in server.accepted) == sorted(office.rows())
    assert len({one.message_id for one in server.accepted}) == 200
    row = office.rows()["reader0@d0.example"]
    assert row.reply.startswith("250 2.0.0 Ok: queued as")
    assert row.relay_id in row.reply
    with reading(office.world.engine) as c:
        assert mailing.get(c, office.world.mailing_id).state is MailingState.FINISHED


def test_run_again_it_sends_nothing(tmp_path: Path, engine: Database) -> None:
    """A second run finds nobody who waits."""
    office = Office(tmp_path, engine, 20)
    with running() as server:
        office.send(server.url())
        office.send(server.url())
        assert len(server.accepted) == 20


def test_a_batch_is_claimed_whole(tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a thousand who were handed out together nobody is read twice: one claim takes them all."""
    office = Office(tmp_path, engine, 1_000)
    office.world.plan()
    ids = sorted(row.subscriber_id for row in office.rows().values())
    claimed: list[int] = []
    really = ledger.claim

    def claim(*words: Any, **more: Any) -> list[Claim]:
        found = really(*words, **more)
        claimed.append(len(found))
        return found

    monkeypatch.setattr(ledger, "claim", claim)
    with running() as server:
        office.send(server.url("connections=4"), batches=[Batch(office.world.mailing_id, ids[0], ids[-1])])
    assert claimed == [1_000]
    assert sorted(one.recipient for one in server.accepted) == sorted(office.rows())


def test_what_a_fault_left_of_a_batch_is_laid_back(
    tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that ends without putting down what it held leaves nobody claimed for good."""
    office = Office(tmp_path, engine, 300)
    office.world.plan()
    ids = sorted(row.subscriber_id for row in office.rows().values())

    async def end(_supply: Supply, *, lay: bool) -> None:
        assert lay

    monkeypatch.setattr(Supply, "end", end)
    with running() as server:
        halves = (ids[0], ids[149]), (ids[150], ids[-1])
        batches = [Batch(office.world.mailing_id, *half) for half in halves]
        office.send(server.url("connections=4"), stop_after=200, batches=batches)
    states = {row.state for row in office.rows().values()}
    assert states == {"accepted", "planned"}


def test_stopped_in_the_middle_it_goes_on(tmp_path: Path, engine: Database) -> None:
    """Ctrl-C ends it between two messages; the next run sends to the rest and to nobody twice."""
    office = Office(tmp_path, engine, 600)
    with running() as server:
        first = office.send(server.url("connections=4"), stop_after=50)
        assert first.end is End.STOPPED
        assert first.sums[S.CLAIMED] == first.sums[S.SENDING] == first.sums[S.UNCERTAIN] == 0
        assert 50 <= first.sums[S.ACCEPTED] < 600
        office.send(server.url("connections=4"))
        assert sorted(one.recipient for one in server.accepted) == sorted(office.rows())


FAULTS = {
    "refused at rcpt": (Rule("rcpt", "550 5.1.1 no such user"), S.REFUSED, 1),
    "deferred at rcpt": (Rule("rcpt", "450 4.2.1 try later"), S.DEFERRED, 1),
    "refused at the end": (Rule("final", "554 5.7.1 spam"), S.REFUSED, 1),
    "deferred at the end": (Rule("final", "451 4.3.0 try later"), S.DEFERRED, 1),
    "many lines": (Rule("rcpt", "550-5.1.1 no\n550 5.1.1 such user"), S.REFUSED, 1),
    "dropped before it was taken": (Rule("final", do=Do.DROP), S.UNCERTAIN, 1),
    "dropped after it was taken": (Rule("final", do=Do.ACCEPT_DROP), S.UNCERTAIN, 1),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_one_reader_is_that_readers_alone(tmp_path: Path, engine: Database, name: str) -> None:
    """Whatever happens to one message, the others arrive, and the ledger says what happened."""
    rule, state, attempts = FAULTS[name]
    script = Script(rules=(Rule(rule.at, rule.reply, rule.do, recipient="reader7@*"),))
    office = Office(tmp_path, engine, 40)
    with running(script) as server:
        office.send(server.url("connections=3"))
    rows = office.rows()
    assert rows["reader7@d3.example"].state == state
    assert rows["reader7@d3.example"].attempts == attempts
    others = {row.state for address, row in rows.items() if not address.startswith("reader7@")}
    assert others == {"accepted"}


def test_an_uncertain_delivery_is_never_sent_again_by_itself(tmp_path: Path, engine: Database) -> None:
    """S08: after a line that broke behind the final dot nobody is mailed twice, run as often as you like."""
    script = Script(rules=(Rule("final", do=Do.ACCEPT_DROP, recipient="reader3@*"),))
    office = Office(tmp_path, engine, 10)
    with running(script) as server:
        for _ in range(3):
            office.send(server.url())
        assert len(server.accepted) == 10


def test_a_server_that_closes_early_costs_only_connections(tmp_path: Path, engine: Database) -> None:
    """421 after every third message of a connection: all arrive, none twice."""
    office = Office(tmp_path, engine, 30)
    with running(Script(max_messages=3)) as server:
        result = office.send(server.url("connections=2"))
        assert len(server.accepted) == 30
        assert server.total >= 10
    assert result.sums[S.ACCEPTED] == 30


def test_a_pause_from_outside_is_in_force_at_once(tmp_path: Path, engine: Database) -> None:
    """When another process pauses the mailing, the engine stops, holds nothing and says who did it."""
    office = Office(tmp_path, engine, 400)

    async def pause_soon(engine: Engine) -> None:
        while engine.work.tally.total < 20:  # noqa: ASYNC110 - the tally is a plain count, nothing to await
            await asyncio.sleep(0.001)
        with writing(office.world.engine) as c:
            mailing.move(c, office.world.mailing_id, MailingState.PAUSED, NOON, "paused by a test")

    with running(Script(delay=0.002)) as server:
        ground = sending.Ground(
            office.settings, KEYS, office.world.engine, [parse_relay(server.url("connections=2"))]
        )
        watch = lambda engine: asyncio.get_running_loop().create_task(pause_soon(engine))  # noqa: E731
        result = asyncio.run(sending.deliver(ground, office.world.mailing_id, watch=watch))
    assert (result.end, result.problem) == (End.NOT_RUNNING, "paused by a test")
    assert result.sums[S.CLAIMED] == result.sums[S.SENDING] == 0
    assert result.sums.waiting > 0


def test_who_leaves_while_it_goes_out_gets_nothing(tmp_path: Path, engine: Database) -> None:
    """U15: an unsubscribe in the middle of a send takes effect on the claimed too."""
    office = Office(tmp_path, engine, 300)

    async def leave_soon(engine: Engine) -> None:
        while engine.work.tally.total < 10:  # noqa: ASYNC110 - the tally is a plain count, nothing to await
            await asyncio.sleep(0.001)
        for subscriber_id in range(200, 301):
            office.world.leave(subscriber_id)

    with running(Script(delay=0.005)) as server:
        ground = sending.Ground(
            office.settings, KEYS, office.world.engine, [parse_relay(server.url("connections=2"))]
        )
        watch = lambda engine: asyncio.get_running_loop().create_task(leave_soon(engine))  # noqa: E731
        result = asyncio.run(sending.deliver(ground, office.world.mailing_id, watch=watch))
        got = {one.recipient for one in server.accepted}
    left = {f"reader{n}@d{n % 4}.example" for n in range(199, 300)}
    assert result.sums.skipped["left"] >= 80
    assert {address for address, row in office.rows().items() if row.state == "skipped"} == left - got
    assert result.sums[S.ACCEPTED] + result.sums.skipped["left"] == 300


def test_no_relay_is_told_and_costs_nothing(
    tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no server there, the run gives up in its time; everybody still waits, with no try counted."""
    monkeypatch.setattr("mailer.delivery.engine._NO_RELAY", 0.2)
    office = Office(tmp_path, engine, 5)
    result = office.send("smtp://127.0.0.1:1?connections=2")
    assert result.end is End.NO_RELAY
    assert {(row.state, row.attempts) for row in office.rows().values()} == {("planned", 0)}


def test_wrong_credentials_stop_at_once(tmp_path: Path, engine: Database) -> None:
    """A relay that refuses our password is a person's matter: no minute of trying."""
    office = Office(tmp_path, engine, 5)
    with running(Script(users={"user": "right"}, auth_required=True)) as server:
        result = office.send(server.url("connections=2", credentials="user:wrong"))
    assert result.end is End.NO_RELAY
    assert "wrong" not in result.problem
    assert {row.state for row in office.rows().values()} == {"planned"}


def test_the_tripwire_pauses(tmp_path: Path, engine: Database) -> None:
    """When every second message is refused, the mailing pauses itself and says why."""
    office = Office(tmp_path, engine, 300, "[tripwire]\nafter = 50\nrefused_percent = 20\n")
    with running(Script(rules=(Rule("rcpt", "550 5.7.1 blocked", recipient="*@d[01].example"),))) as server:
        result = office.send(server.url("connections=2"))
    assert result.end is End.NOT_RUNNING
    assert "tripwire" in result.problem
    assert "550 5.7.1 blocked" in result.problem
    assert result.sums.waiting > 0


def test_a_slow_domain_does_not_hold_up_the_others(
    tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One domain asks for patience: its readers wait, all others have the issue in the first run."""
    monkeypatch.setattr("mailer.delivery.desk.LINGER", 1.5)
    office = Office(tmp_path, engine, 80, "[tripwire]\ndeferred_percent = 100\n")
    script = Script(rules=(Rule("rcpt", "421 4.7.0 too many messages, slow down", recipient="*@d1.example"),))
    with running(script) as server:
        office.send(server.url("connections=2&kind=direct"))
    rows = office.rows().values()
    assert {row.state for row in rows if "@d1." not in row.address} == {"accepted"}
    assert {row.state for row in rows if "@d1." in row.address} <= {"deferred", "planned"}


def test_a_server_that_hangs_up_on_one_reader_does_not_hold_up_the_others(
    tmp_path: Path, engine: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each hanging up counts as a try; after a few the reader is deferred like any other, and the rest have it."""
    monkeypatch.setattr("mailer.delivery.outcome._RELAY_PAUSE", timedelta(milliseconds=50))
    script = Script(rules=(Rule("rcpt", do=Do.DROP, recipient="reader2@*"),))
    office = Office(tmp_path, engine, 12)
    with running(script) as server:
        office.send(server.url("connections=1"))
    rows = office.rows()
    assert rows.pop("reader2@d2.example").state == "deferred"
    assert {row.state for row in rows.values()} == {"accepted"}
