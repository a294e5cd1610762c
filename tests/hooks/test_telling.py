"""Receivers are told: over real HTTP, signed, again and again if need be, whatever they do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook

from mailer import events
from mailer.database import reading, writing
from mailer.errors import UserError
from mailer.hooks import outbox, post, queue
from mailer.hooks.running import run
from subscribers import erase
from tests.hooks.happenings import enrol, happen, reader, rows, state, tell
from tests.hooks.receivers import Receiver, receiving
from tests.web.hooks.senders import WHSEC
from tests.web.hooks.standing import Clock, ground_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.delivery.ground import Ground

OLD_SECRET = "whsec_b25lIHRoYXQgd2FzIHVzZWQgYmVmb3JlIHRoaXM="


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def ground(engine: Engine, tmp_path: Path, receiver: Receiver) -> Ground:
    folder = tmp_path / "newsletter"
    folder.mkdir()
    (folder / "crm.secret").write_text(f"{WHSEC}\n{OLD_SECRET}\n")
    toml = f'[[webhooks]]\nname = "crm"\nurl = "{receiver.url}/hook?key=hidden"\nsecret_file = "crm.secret"\n'
    return ground_on(engine, folder, toml, Clock())


def test_a_receiver_is_told_who_it_is_about(ground: Ground, receiver: Receiver):
    """Type, time, and the reader as they are now, with the address: it is looked up when it is sent."""
    enrol(ground)
    someone = reader(ground)
    happen(ground, "reader.unsubscribed", someone, lists=["main"], how="one-click")
    tell(ground, lambda: [row.state for row in rows(ground)] == ["delivered"])
    (told,) = receiver.told
    assert told["type"] == "reader.unsubscribed"
    assert told["timestamp"].endswith("Z")
    assert told["data"]["subscriber"] == {
        "id": someone,
        "email": "ann@reader.example",
        "name": "Ann",
        "language": None,
    }
    assert (told["data"]["lists"], told["data"]["how"]) == (["main"], "one-click")
    assert told["data"]["newsletter"] == str(ground.settings.id)


def test_a_message_is_signed_as_standard_webhooks_says(ground: Ground, receiver: Receiver):
    """The library of the standard believes it, with the new secret and with the old one; nobody else's fits."""
    enrol(ground)
    happen(ground, "mailing.paused")
    tell(ground, lambda: bool(receiver.got))
    headers, body = receiver.got[0]
    for secret in (WHSEC, OLD_SECRET):
        assert Webhook(secret).verify(body, headers)["data"]["mailing"] == {"name": "72.main"}
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_bm90IHRoaXMgb25lLCBub3QgdGhpcyBvbmUhISE=").verify(body, headers)


def test_what_is_told_of_one_reader_comes_in_order(ground: Ground, receiver: Receiver):
    """Several readers are told of side by side; of each, what happened first is told first."""
    enrol(ground)
    people = [reader(ground, f"p{number}@reader.example") for number in range(4)]
    for kind in ("reader.confirmed", "reader.unsubscribed", "reader.came-back"):
        for person in people:
            happen(ground, kind, person)
    tell(ground, lambda: len(receiver.got) == 12)
    told = [(one["data"]["subscriber"]["id"], one["type"]) for one in receiver.told]
    for person in people:
        mine = [kind for who, kind in told if who == person]
        assert mine == ["reader.confirmed", "reader.unsubscribed", "reader.came-back"]


def test_what_becomes_of_a_schedule_is_told(ground: Ground, receiver: Receiver):
    """A send that came too late, with the schedule's name and the words of the event; only plain ones are passed on."""
    enrol(ground)
    happen(
        ground,
        "schedule.missed",
        "weekly",
        due="2026-07-14T09:00",
        late_seconds=7200,
        words=["a"],
        odd={"x": 1},
    )
    tell(ground, lambda: bool(receiver.got))
    (told,) = receiver.told
    assert told["type"] == "schedule.missed"
    assert told["data"]["schedule"] == "weekly"
    assert (told["data"]["late_seconds"], told["data"]["words"]) == (7200, ["a"])
    assert "odd" not in told["data"]


def test_whoever_was_erased_is_told_of_without_an_address(ground: Ground, receiver: Receiver):
    """Between the event and the post a person may be forgotten: no address waited anywhere."""
    enrol(ground)
    someone = reader(ground)
    happen(ground, "reader.bounced", someone, reason="userunknown")
    with writing(ground.database) as connection:
        erase(connection, someone, ground.clock())
    happen(ground, "reader.erased", someone)
    tell(ground, lambda: len(receiver.got) == 2)
    assert [one["data"]["subscriber"]["email"] for one in receiver.told] == [None, None]
    assert b"ann@" not in b"".join(body for _, body in receiver.got)


@pytest.mark.parametrize("act", [500, 404, 301, "redirect", "garbage", "hang", "huge_500", "never"])
def test_what_fails_is_told_again_under_the_same_id(
    ground: Ground, receiver: Receiver, act: object, monkeypatch
):
    """Errors, redirects, silence and nonsense: the event waits, and comes again under one id."""
    monkeypatch.setattr(post, "SECONDS", 1.0)
    receiver.acts = [500 if act == "huge_500" else act]
    enrol(ground)
    happen(ground, "mailing.paused")
    tell(ground, lambda: bool(rows(ground)) and rows(ground)[0].answer != "")
    (row,) = rows(ground)
    assert (row.state, row.attempts) == ("waiting", 1)
    assert row.due_at == ground.clock() + timedelta(seconds=5)
    ground.clock.pass_by(seconds=6)
    tell(ground, lambda: rows(ground)[0].state == "delivered")
    assert len(receiver.got) == 2
    assert len(set(receiver.ids)) == 1
    assert receiver.visited == [], "it followed a redirect"


def test_a_huge_answer_is_not_read(ground: Ground, receiver: Receiver):
    """A receiver that says 200 and pours out a terabyte has taken the event; what it says is left unread."""
    receiver.acts = ["huge"]
    enrol(ground)
    happen(ground, "mailing.paused")
    tell(ground, lambda: [row.state for row in rows(ground)] == ["delivered"])


def test_a_receiver_that_asks_for_time_gets_it(ground: Ground, receiver: Receiver):
    """Retry-After is heard."""
    receiver.acts = ["later"]
    enrol(ground)
    happen(ground, "mailing.paused")
    tell(ground, lambda: bool(rows(ground)) and rows(ground)[0].answer == "503")
    assert rows(ground)[0].due_at == ground.clock() + timedelta(hours=2)


def test_one_receiver_that_hangs_holds_up_no_other(engine: Engine, tmp_path: Path):
    """Each receiver has a line of its own."""
    folder = tmp_path / "newsletter"
    folder.mkdir()
    (folder / "s").write_text(WHSEC)
    with receiving() as slow, receiving() as quick:
        slow.always = "hang"
        toml = "".join(
            f'[[webhooks]]\nname = "{name}"\nurl = "{one.url}"\nsecret_file = "s"\n'
            for name, one in (("slow", slow), ("quick", quick))
        )
        ground = ground_on(engine, folder, toml, Clock())
        enrol(ground)
        for _ in range(30):
            happen(ground, "mailing.paused")
        tell(ground, lambda: len(quick.got) == 30)
        assert len(set(quick.ids)) == 30
        assert len(slow.got) <= 8
        slow.let_go.set()


def test_a_dead_receiver_rests_and_ends_and_the_operator_hears_of_it(ground: Ground, receiver: Receiver):
    """After days without an answer nothing more is told, an event says so, and nothing that happened is lost."""
    receiver.always = 500
    enrol(ground)
    happen(ground, "mailing.paused")
    tell(ground, lambda: state(ground).failures == 1)
    for _ in range(2):
        ground.clock.pass_by(days=2.6)
        before = len(receiver.got)
        tell(
            ground, lambda before=before: len(receiver.got) > before and state(ground).failures == before + 1
        )
    assert state(ground).ended_at is not None
    with reading(ground.database) as connection:
        told = events.latest(connection, "webhook.disabled", "crm")
    assert told is not None
    assert told.data["host"] == "127.0.0.1"
    assert "hidden" not in str(told.data)
    happen(ground, "mailing.resumed")
    count = len(receiver.got)
    ground.clock.pass_by(days=2)
    tell(ground, lambda: True)
    assert len(receiver.got) == count
    receiver.always = 200
    with writing(ground.database) as connection:
        assert queue.resume(connection, "crm", ground.clock(), "test")
        assert not queue.resume(connection, "nobody", ground.clock(), "test")
    tell(ground, lambda: {row.state for row in rows(ground)} == {"delivered"} and len(rows(ground)) == 2)
    assert [one["type"] for one in receiver.told[count:]] == ["mailing.paused", "mailing.resumed"]


def test_a_receiver_that_is_gone_is_told_nothing_more(ground: Ground, receiver: Receiver):
    """410 is heard at once; resumed from now on, it is spared what it missed."""
    receiver.acts = [410]
    enrol(ground)
    happen(ground, "mailing.paused")
    tell(ground, lambda: state(ground).ended_at is not None)
    assert state(ground).ended_why == "it said 410: gone"
    with writing(ground.database) as connection:
        queue.resume(connection, "crm", ground.clock(), "test", upto=outbox.newest(connection))
    happen(ground, "mailing.finished")
    tell(ground, lambda: len(receiver.got) == 2)
    assert receiver.told[1]["type"] == "mailing.finished"


def test_it_ends_when_it_is_told_to(ground: Ground, receiver: Receiver):
    """With posts in the air it ends within seconds; what was on its way is told again by the next process."""
    receiver.always = "hang"
    enrol(ground)
    happen(ground, "mailing.paused")

    async def main() -> None:
        stopped = asyncio.Event()
        part = asyncio.create_task(run(ground, stopped, look=0.02))
        await asyncio.to_thread(receiver.first.wait, 30)
        stopped.set()
        async with asyncio.timeout(20):
            await part

    asyncio.run(main())
    receiver.let_go.set()
    receiver.always = 200
    ground.clock.pass_by(minutes=6)
    tell(ground, lambda: rows(ground)[0].state == "delivered")
    assert len(set(receiver.ids)) == 1


def test_a_secret_that_cannot_sign_is_said_when_the_part_starts(ground: Ground):
    """A person must mend it, so the daemon ends with its name; the secret is not shown."""
    (ground.settings.folder / "crm.secret").write_text("not/base64/at all!")
    with pytest.raises(UserError, match=r"webhooks\.crm: the secret is none") as error:
        tell(ground, lambda: False)
    assert "all!" not in str(error.value)


def test_without_receivers_the_part_only_keeps_the_tables_small(ground: Ground):
    """No receiver, no post, and no error."""
    bare = replace(ground, settings=replace(ground.settings, webhooks=()))
    tell(bare, lambda: True)
    assert rows(ground) == []
