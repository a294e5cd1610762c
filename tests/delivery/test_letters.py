"""Letters: written once, sent by a stream of their own, sent again when in doubt."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mailer.database import open_engine, reading, writing
from mailer.delivery.letters import claim, fence, lay_back, write
from mailer.delivery.post import Post
from mailer.delivery.tables import letters
from mailer.message import Message
from mailer.smtp.relay import parse_relay
from tests.loopback.server import Do, Rule, Script, running

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from mailer.smtp import Session

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


def message(address: str) -> Message:
    """Give a small message."""
    content = b"From: a@b.example\r\nTo: x\r\nMessage-ID: <1@b.example>\r\n\r\nhello\r\n"
    return Message("a@b.example", address, content, "<1@b.example>", "1")


def put(engine: Engine, *addresses: str) -> list[bool]:
    """Write letters, each with its address as its key."""
    with writing(engine) as c:
        return [write(c, message(one), purpose="confirm", key=one, now=NOW) for one in addresses]


def states(engine: Engine) -> dict[str, str]:
    """Give {address: state}."""
    with reading(engine) as c:
        return {row.address: row.state for row in c.execute(select(letters))}


def post(engine: Engine, url: str, clock: datetime = NOW, seconds: float = 1.0) -> None:
    """Let a post run for a moment."""

    async def run() -> None:
        one = Post(engine, [parse_relay(url)], 7, "mail.example.org", lambda: clock)
        asyncio.get_running_loop().call_later(seconds, one.stop)
        await one.run()

    asyncio.run(run())


def test_a_letter_is_written_once(engine: Engine) -> None:
    """The same key is the same letter, whoever writes it again."""
    assert put(engine, "ann@a.example") == [True]
    assert put(engine, "ann@a.example", "bob@a.example") == [False, True]


def test_a_database_that_was_away_ends_no_letters(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look that finds no database, or loses it with letters in hand, is not the last one: each arrives once."""
    monkeypatch.setattr("mailer.delivery.post._REST", 0.1)
    put(engine, "ann@a.example", "bob@a.example")
    away = open_engine("postgresql://127.0.0.1:1/nowhere")

    async def run(url: str) -> None:
        loop = asyncio.get_running_loop()
        one = Post(away, [parse_relay(url)], 7, "mail.example.org", lambda: NOW)
        loop.call_later(0.3, setattr, one, "_database", engine)
        session = one._session

        async def lost() -> Session | None:
            """Lose the database once, when the letters are in hand."""
            monkeypatch.setattr(one, "_session", session)
            monkeypatch.setattr(one, "_database", away)
            loop.call_later(0.3, setattr, one, "_database", engine)
            return await session()

        monkeypatch.setattr(one, "_session", lost)
        loop.call_later(2.5, one.stop)
        await one.run()

    with running() as server:
        asyncio.run(run(server.url()))
        assert sorted(one.recipient for one in server.accepted) == ["ann@a.example", "bob@a.example"]
    assert states(engine) == {"ann@a.example": "accepted", "bob@a.example": "accepted"}


def test_letters_go_out_and_say_what_came_of_them(engine: Engine) -> None:
    """Each is sent once; a refusal is the reader's, a deferral is tried again when due."""
    put(engine, "ann@a.example", "no@a.example", "later@a.example")
    rules = (
        Rule("rcpt", "550 5.1.1 no", recipient="no@*"),
        Rule("rcpt", "450 4.2.1 later", recipient="later@*"),
    )
    with running(Script(rules=rules)) as server:
        post(engine, server.url())
        assert [one.recipient for one in server.accepted] == ["ann@a.example"]
        assert states(engine) == {
            "ann@a.example": "accepted", "no@a.example": "refused", "later@a.example": "deferred",
        }  # fmt: skip
        server.follow(Script())
        post(engine, server.url(), NOW + timedelta(hours=1))
    assert states(engine)["later@a.example"] == "accepted"


def test_a_letter_in_doubt_is_sent_again(engine: Engine) -> None:
    """A line that breaks behind the final dot: a second confirmation harms nobody, a missing one does."""
    put(engine, "ann@a.example")
    with running(Script(rules=(Rule("final", do=Do.ACCEPT_DROP, times=1),))) as server:
        post(engine, server.url())
        assert len(server.accepted) == 2
        assert len({one.message_id for one in server.accepted}) == 1
    assert states(engine) == {"ann@a.example": "accepted"}


@pytest.mark.parametrize("reply", ["550 5.7.1 relaying denied", "450 4.4.5 monthly sending quota reached"])
def test_a_letter_that_a_relay_does_not_take_holds_up_no_other(engine: Engine, reply: str) -> None:
    """It is put off, the others arrive over the same connection, and the relay is not stormed."""
    put(engine, "ann@a.example", "bob@b.example", "cid@c.example")
    with running(Script(rules=(Rule("rcpt", reply, recipient="ann@*"),))) as server:
        post(engine, server.url(), seconds=2.0)
        assert [one.recipient for one in server.accepted] == ["bob@b.example", "cid@c.example"]
        assert server.total == 1
        server.follow(Script())
        post(engine, server.url(), NOW + timedelta(minutes=2))
    assert set(states(engine).values()) == {"accepted"}


def test_a_relay_that_takes_no_letter_is_asked_now_and_then(engine: Engine) -> None:
    """Its quota is used up: two letters are told so, the others wait for their turn without a connection each."""
    put(engine, *(f"p{n}@a.example" for n in range(30)))
    with running(Script(rules=(Rule("rcpt", "450 4.4.5 monthly sending quota reached"),))) as server:
        post(engine, server.url(), seconds=2.0)
        assert server.total == 1
    with reading(engine) as c:
        put_off = [row.due_at > NOW for row in c.execute(select(letters))]
    assert sum(put_off) == 2


def test_a_letter_at_which_a_relay_hangs_up_comes_to_an_end(engine: Engine) -> None:
    """Each time is a try: it is put off for longer and longer, and given up after days; the others arrive."""
    put(engine, "ann@a.example", "bob@b.example")
    with running(Script(rules=(Rule("rcpt", do=Do.DROP, recipient="ann@*"),))) as server:
        for day in range(9):
            post(engine, server.url(), NOW + timedelta(days=day), seconds=0.3)
        assert [one.recipient for one in server.accepted] == ["bob@b.example"]
    with reading(engine) as c:
        ann = c.execute(select(letters).where(letters.c.address == "ann@a.example")).one()
    assert ann.attempts == 9
    assert ann.due_at >= NOW + timedelta(days=8, hours=12)


def test_two_workers_share_letters(engine: Engine) -> None:
    """A letter belongs to one worker; a dead one's letters are laid back."""
    put(engine, "ann@a.example", "bob@a.example")
    with writing(engine) as c:
        held = claim(c, 1, NOW)
        assert len(held) == 2
        assert claim(c, 2, NOW) == []
        assert fence(c, held[0], 1, NOW)
        assert not fence(c, held[1], 2, NOW)
        assert lay_back(c, 1) == 2
        assert len(claim(c, 2, NOW)) == 2


def test_without_a_relay_letters_wait(engine: Engine) -> None:
    """No server there: nothing is lost, no try is counted."""
    put(engine, "ann@a.example")
    post(engine, "smtp://127.0.0.1:1", seconds=0.3)
    assert states(engine) == {"ann@a.example": "deferred"}
