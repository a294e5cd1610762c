"""Looking a delivery up, blanking what it holds of a person, and the tripwire's second ear."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from mailer import events
from mailer.database import open_engine, reading, upgrade, writing
from mailer.delivery import erasure, ledger, mailing, tripwire
from mailer.delivery.letters import claim as claim_letters
from mailer.delivery.letters import write
from mailer.delivery.states import DeliveryState, MailingState
from mailer.delivery.tables import letters, mailings
from mailer.keys import Key, Keys
from mailer.message import Message
from mailer.message.identity import message_id, read_message_id
from mailer.settings import Tripwire
from subscribers import ensure_lists, erase
from tests.delivery.conftest import NOON, World, edition

if TYPE_CHECKING:
    from pathlib import Path

S = DeliveryState
KEYS = Keys((Key(3, b"k" * 32),))
WIRE = Tripwire(after=10, bounced_percent=10, complaint_percent=5)


def sent(world: World, people: int, reply: str = "250 ok") -> list[int]:
    """Let people join and be accepted; give their ids."""
    ids = world.join(*(f"p{number}@one.example" for number in range(people)))
    world.extend()
    claims = world.claim()
    world.fence(claims)
    world.settle(claims, relay_id="Q1")
    return ids


def test_a_delivery_is_found_by_its_message_id(world: World) -> None:
    """V04: what a bounce quotes of ours names the mailing and the reader, in any case and with any brackets."""
    [person] = sent(world, 1)
    told = message_id(KEYS, world.mailing_id, person, "news.example")
    token = told[1:].partition("@")[0]
    for text in (told, told[1:-1], token, token.upper(), f" {told}\n"):
        assert read_message_id(KEYS, text) == (person, world.mailing_id)
    with reading(world.engine) as c:
        place = ledger.find(c, world.mailing_id, person)
    assert place.accepted
    assert (place.address, place.relay_id, place.at) == ("p0@one.example", "Q1", world.now)


@given(st.text() | st.from_regex(r"<?[0-9a-f]{2,64}(@[a-z.]{1,9})?>?", fullmatch=True))
def test_any_other_text_names_nobody(text: str) -> None:
    """A Message-ID that we never made proves nothing."""
    assert read_message_id(KEYS, text) is None


def test_a_delivery_is_found_by_the_relays_id_and_the_reader(world: World) -> None:
    """Providers' events name both; an empty id names nothing, another's id not this one."""
    one, two = sent(world, 2)
    with reading(world.engine) as c:
        assert ledger.by_relay_id(c, "Q1", one).subscriber_id == one
        assert ledger.by_relay_id(c, "Q2", one) is None
        assert ledger.by_relay_id(c, "", one) is None
        assert ledger.newest(c, two).mailing_id == world.mailing_id
        assert ledger.newest(c, two, S.REFUSED) is None
        assert ledger.newest(c, two + 1) is None
        assert ledger.find(c, world.mailing_id + 1, one) is None


def test_late_proof_ends_a_doubt_and_nothing_else(world: World) -> None:
    """A bounce proves that the server had it: uncertain becomes accepted, any other state stays."""
    [person] = world.join("p@one.example")
    world.extend()
    claims = world.claim()
    world.fence(claims)
    world.settle(claims, S.UNCERTAIN)
    for expected in (True, False):
        with writing(world.engine) as c:
            assert ledger.late_proof(c, world.mailing_id, person, "bounced", world.now) is expected
            assert ledger.find(c, world.mailing_id, person).accepted


def test_a_refusal_keeps_its_codes_and_loses_the_address(world: World) -> None:
    """After erasure no row quotes the person; the sums are what they were."""
    gone, stays = world.join("gone@one.example", "stays@one.example")
    world.extend()
    claims = world.claim()
    for one in claims:
        world.fence([one])
        with writing(world.engine) as c:
            words = f"550 5.1.1 <{one.address}>: no such user"
            ledger.settle(c, 1, [ledger_settlement(one, S.REFUSED, world, words)])
    before = world.counts()
    with writing(world.engine) as c:
        assert erasure.blank(c, gone, world.now, "gone@one.example").deliveries == 1
    with reading(world.engine) as c:
        erased = ledger.find(c, world.mailing_id, gone)
        kept = ledger.find(c, world.mailing_id, stays)
    assert (erased.address, erased.reply, erased.state) == ("", "550 5.1.1", S.REFUSED)
    assert kept.reply == "550 5.1.1 <stays@one.example>: no such user"
    assert world.counts() == before


def ledger_settlement(one: object, state: DeliveryState, world: World, reply: str) -> object:
    """Give a settlement with a reply of its own."""
    from mailer.delivery.model import Settlement

    return Settlement(one, state, world.now, reply=reply)


def test_who_is_erased_while_they_wait_is_skipped(world: World) -> None:
    """Nothing is left that could still go out; whoever has the row in hand is granted no fence."""
    waits, held = world.join("waits@one.example", "held@one.example")
    world.extend()
    claims = world.claim(limit=1)
    with writing(world.engine) as c:
        for person in (waits, held):
            erasure.blank(c, person, world.now)
            erase(c, person, world.now)
    assert world.fence(claims) == set()
    sums = world.counts()
    assert sums.skipped == {"left": 2}


def test_an_answer_that_comes_after_erasure_brings_no_address_back(world: World) -> None:
    """The message was on its way: its outcome is recorded, its words are not."""
    [person] = world.join("gone@one.example")
    world.extend()
    claims = world.claim()
    world.fence(claims)
    with writing(world.engine) as c:
        erasure.blank(c, person, world.now)
        words = "550 5.1.1 <gone@one.example>: no such user"
        ledger.settle(c, 1, [ledger_settlement(claims[0], S.REFUSED, world, words)])
        place = ledger.find(c, world.mailing_id, person)
    assert (place.state, place.reply, place.address) == (S.REFUSED, "", "")


def test_letters_to_an_erased_person_are_never_sent(world: World) -> None:
    """By the person's id or by the address they signed up with; another's letter goes out."""
    [person] = world.join("gone@one.example")
    with writing(world.engine) as c:
        for key, address, whose in (
            ("a", "other@one.example", person),
            ("b", "gone@one.example", None),
            ("c", "stays@one.example", None),
        ):
            letter = Message("news@sender.example", address, b"Subject: hello\r\n\r\nhello\r\n", "<id>", "id")
            write(c, letter, purpose="confirm", key=key, now=world.now, subscriber_id=whose)
        assert erasure.blank(c, person, world.now, "gone@one.example").letters == 2
        assert [one.address for one in claim_letters(c, 1, world.now)] == ["stays@one.example"]
        kept = c.execute(select(letters.c.key).where(letters.c.content != b"")).scalars().all()
    assert kept == ["c"]


@pytest.mark.parametrize(
    ("reply", "codes"),
    [
        ("550 5.1.1 <a@b.example> unknown", "550 5.1.1"),
        ("554-5.7.1 blocked", "554-5.7.1"),
        ("451 a@b.example later", "451"),
        ("550a@b.example", ""),
        ("the line broke", ""),
        ("", ""),
    ],
)
def test_of_a_reply_only_the_codes_stay(reply: str, codes: str) -> None:
    """Words may quote an address; numbers cannot."""
    assert erasure.codes(reply) == codes


def test_bounces_pause_a_running_mailing(world: World) -> None:
    """When more than the limit of those accepted come back, the mailing pauses and an event says why, once."""
    sent(world, 20)
    with writing(world.engine) as c:
        hear = lambda bounced: tripwire.hear_notices(  # noqa: E731
            c, world.mailing_id, WIRE, world.now, bounced=bounced, complained=0, last="550 5.1.1 unknown"
        )
        assert hear(2) is None
        assert hear(3) == "tripwire: 3 of 20 bounced (limit 10 %); last: 550 5.1.1 unknown"
        assert hear(20) is None
        found = mailing.get(c, world.mailing_id)
        assert (found.state, found.reason.partition(";")[0]) == (
            MailingState.PAUSED,
            "tripwire: 3 of 20 bounced (limit 10 %)",
        )
        assert [one.kind for one in events.about(c, found.name)] == ["mailing.paused"]


def test_complaints_pause_too(world: World) -> None:
    """Two complaints of twenty are more than 5 %; one is not."""
    sent(world, 20)
    for complained, expected in ((1, False), (2, True)):
        with writing(world.engine) as c:
            told = tripwire.hear_notices(
                c, world.mailing_id, WIRE, world.now, bounced=0, complained=complained
            )
        assert (told is not None) is expected


def test_too_few_prove_nothing(world: World) -> None:
    """Before `after` were accepted no bounce pauses anything."""
    sent(world, 9)
    with writing(world.engine) as c:
        assert tripwire.hear_notices(c, world.mailing_id, WIRE, world.now, bounced=9, complained=9) is None


def test_what_a_person_resumed_in_spite_of_is_not_held_against_it_again(world: World) -> None:
    """After a resume only deliveries accepted since then count."""
    sent(world, 20)
    with writing(world.engine) as c:
        began = tripwire.since(c, world.mailing_id)
        tripwire.hear_notices(c, world.mailing_id, WIRE, world.now, bounced=20, complained=0)
        assert tripwire.since(c, world.mailing_id) is None
        world.later(minutes=5)
        mailing.move(c, world.mailing_id, MailingState.RUNNING, world.now)
        assert tripwire.since(c, world.mailing_id) == world.now > began
        assert tripwire.hear_notices(c, world.mailing_id, WIRE, world.now, bounced=20, complained=0) is None


def test_a_person_with_years_of_mailings_is_found_by_key(world: World) -> None:
    """No look-up reads through deliveries: the plan searches by primary key."""
    [person] = sent(world, 1)
    with writing(world.engine) as c:
        row = c.execute(select(mailings)).mappings().one()
        others = [
            {**row, "id": None, "name": f"{n}.main", "slug": f"s{n}", "number": n} for n in range(100, 110)
        ]
        for other in others:
            c.execute(insert(mailings).values({key: value for key, value in other.items() if key != "id"}))
    if world.engine.dialect.name != "sqlite":
        return
    from mailer.delivery.ledger import places

    with reading(world.engine) as c:
        words = str(places._of(person).compile(c.engine, compile_kwargs={"literal_binds": True}))
        plan = [row.detail for row in c.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}")]
    assert any("SEARCH deliveries USING PRIMARY KEY" in line for line in plan), plan


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("550 5.1.1 <ann@one.example>: no such user", "550 5.1.1 <…>: no such user"),
        ("550 5.1.1 mailbox Ann is full", "550 5.1.1 mailbox … is full"),
        ("550 5.7.1 annual limit; other@b.example", "550 5.7.1 annual limit; …"),
        ("", ""),
    ],
)
def test_a_reason_names_nobody(reply: str, told: str) -> None:
    """What a mailing says of its pause is shown, mailed and kept: a server's words without anybody's address."""
    assert tripwire.discreet(reply, "ann@one.example") == told


def test_after_erasure_the_file_of_the_database_does_not_hold_the_address(tmp_path: Path) -> None:
    """Not in the rows, not in freed pages, and not in what was written over while the message was sent."""
    database = open_engine(f"sqlite:///{tmp_path / 'test.db'}")
    upgrade(database)
    with writing(database) as c:
        list_id = ensure_lists(c, ["main"], NOON)["main"]
        opened = mailing.open_mailing(c, edition(), "main", NOON)
        mailing.freeze(c, opened.id, edition(), None, NOON, committed=False)
    world = World(database, list_id, opened.id)
    [gone, *_] = world.join("gone-for-good@one.example", "stays-with-us@one.example")
    world.extend()
    claims = world.claim()
    world.fence(claims)
    world.settle(claims, relay_id="Q" * 100)
    with writing(database) as c:
        body = b"Hello gone-for-good@one.example\r\n" * 500
        letter = Message("news@sender.example", "gone-for-good@one.example", body, "<id>", "id")
        write(c, letter, purpose="welcome", key="a", now=NOON, subscriber_id=gone)
    with writing(database) as c:
        erasure.blank(c, gone, NOON, "gone-for-good@one.example")
        erase(c, gone, NOON)
    database.dispose()  # the last one to close a database brings its log home
    octets = (tmp_path / "test.db").read_bytes()
    assert b"stays-with-us@one.example" in octets
    assert b"gone-for-good" not in octets
