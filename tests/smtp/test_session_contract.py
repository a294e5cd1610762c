from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from mailer.smtp.connect import open_session
from mailer.smtp.model import Envelope, Exchange, Session, SessionLost
from mailer.smtp.relay import parse_relay
from tests.loopback.script import PLAIN, Script
from tests.loopback.server import running
from tests.smtp.conversing import BODY, LOOPS, deliver, envelope, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

SCRIPTS = {
    "pipelined": Script(),
    "plain": Script(extensions=PLAIN),
    "no extensions": Script(extensions=()),
    "starttls": Script(tls="starttls"),
    "implicit tls": Script(tls="implicit"),
    "split replies": Script(split=True),
}
TLS = {"starttls": "starttls", "implicit": "implicit", "off": "off"}


class Place:
    """A relay, and a way to see what it took."""

    def __init__(self, url: str, taken: Callable[[], list[bytes]], loop: str) -> None:
        self.url = url
        self.taken = taken
        self.loop = loop

    async def open(self) -> Session:
        return await open_session(parse_relay(self.url), hostname="client.example.org")


@contextmanager
def a_server(script: Script, loop: str) -> Iterator[Place]:
    with running(script) as server:
        ca = f"&ca={server.certificate}" if server.certificate else ""
        url = server.url(f"tls={TLS[script.tls]}{ca}")
        yield Place(url, lambda: [one.content for one in server.accepted], loop)


@pytest.fixture(params=[*SCRIPTS, "folder"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=list(LOOPS))
def place(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if kind == "folder":
        folder = tmp_path / "out"
        yield Place(
            f"folder://{folder}",
            lambda: [file.read_bytes() for file in sorted(folder.glob("*.eml"))],
            request.param,
        )
    else:
        with a_server(SCRIPTS[kind], request.param) as found:
            yield found


def bodies(count: int) -> list[bytes]:
    return [BODY + f"Number {number}.\r\n".encode() for number in range(count)]


def test_every_message_arrives_once_octet_by_octet(place: Place):
    """Bodies go out unchanged and in order, each answered before the next one is ready."""

    async def work() -> list[Exchange]:
        session = await place.open()
        done = [await session.exchange(None, envelope())]
        texts = bodies(5)
        for body, following in zip(texts, [*texts[1:], None], strict=True):
            done.append(await session.exchange(body, envelope() if following else None))
        await session.quit()
        return done

    done = run(work(), place.loop)
    assert place.taken() == bodies(5)
    assert [one.ready for one in done] == [True] * 5 + [False]
    assert done[0].final is None
    assert all(one.final is not None and one.final.code == 250 for one in done[1:])
    assert all(one.refusal is None and one.refused_at == "" for one in done)


def test_a_large_message_arrives_whole(place: Place):
    """More than any buffer on the way, so that writing has to wait for the other side."""
    big = BODY + b"".join(b"%070d\r\n" % number for number in range(30_000))

    async def work() -> None:
        session = await place.open()
        assert (await session.exchange(None, envelope(body=big))).ready
        done = await session.exchange(big, envelope())
        assert done.final is not None
        assert done.final.positive
        assert done.ready
        session.abort()

    run(work(), place.loop)
    assert place.taken() == [big]


def test_a_body_that_is_announced_and_not_sent_is_not_delivered(place: Place):
    """abort() is the only way out of a ready session, and it leaves nothing behind (D of the kill-test)."""

    async def work() -> None:
        session = await place.open()
        assert (await session.exchange(None, envelope())).ready
        session.abort()

    run(work(), place.loop)
    assert place.taken() == []


def test_quitting_in_the_middle_sends_nothing(place: Place):
    """quit() on a session that is ready never ends a body."""

    async def work() -> None:
        session = await place.open()
        assert (await session.exchange(None, envelope())).ready
        await session.quit()
        await session.quit()

    run(work(), place.loop)
    assert place.taken() == []


def test_a_session_that_ended_says_so_and_is_in_no_doubt(place: Place):
    """After quit or abort an exchange raises, and nothing was sent."""

    async def work() -> SessionLost:
        session = await place.open()
        await session.quit()
        with pytest.raises(SessionLost) as raised:
            await session.exchange(None, envelope())
        return raised.value

    lost = run(work(), place.loop)
    assert not lost.in_doubt
    assert lost.final is None
    assert lost.why


def test_a_body_without_an_envelope_is_a_bug(place: Place):
    """And so is an envelope while a body is waited for: both would let messages run into each other."""

    async def work() -> None:
        session = await place.open()
        with pytest.raises(RuntimeError):
            await session.exchange(BODY, None)
        assert (await session.exchange(None, envelope())).ready
        with pytest.raises(RuntimeError):
            await session.exchange(None, envelope())
        session.abort()

    run(work(), place.loop)
    assert place.taken() == []


@pytest.mark.parametrize(
    "address",
    [
        "reader@example.net>\r\nRCPT TO:<other@example.net",
        "reader@example.net\nDATA",
        "reader@example.net\0",
        "<reader@example.net>",
        "reader",
        "",
        "a b@example.net",
        "reader@",
        "@example.net",
        "reader@example.net\u2028",
        "reader@example.net\udcff",
        f"{'x' * 250}@example.net",
    ],
)
def test_an_address_never_breaks_out_of_its_command(place: Place, address: str):
    """S04, S05: it is refused on this side, as a recipient and as a sender, and the session goes on."""

    async def work() -> None:
        session = await place.open()
        assert session.fits(envelope(address)) is not None
        done = await session.exchange(None, envelope(address))
        assert done.refused_at == "rcpt"
        assert done.refusal is not None
        assert done.refusal.code == 553
        if address:  # the empty one is the null sender, which is good
            done = await session.exchange(None, Envelope(address, "reader@example.net", 10))
            assert done.refused_at == "mail"
        done, final = await deliver(session, "reader@example.net")
        assert done.ready
        assert final.final is not None
        await session.quit()

    run(work(), place.loop)
    assert place.taken() == [BODY]


def test_a_misfit_behind_a_body_does_not_hold_the_body_up(place: Place):
    """The body before it is sent and answered; the misfit is refused in the same exchange."""

    async def work() -> Exchange:
        session = await place.open()
        await session.exchange(None, envelope())
        done = await session.exchange(BODY, envelope("not an address"))
        await session.quit()
        return done

    done = run(work(), place.loop)
    assert done.final is not None
    assert done.final.positive
    assert done.refusal is not None
    assert not done.ready
    assert place.taken() == [BODY]


def test_a_sender_may_be_empty(place: Place):
    """The null return path of RFC 5321, section 4.5.5, for mail that must not be answered."""

    async def work() -> bool:
        session = await place.open()
        done = await session.exchange(None, Envelope("", "reader@example.net", 10))
        session.abort()
        return done.ready

    assert run(work(), place.loop)


def test_nothing_to_do_is_nothing_done(place: Place):
    """An exchange of nothing gives nothing."""

    async def work() -> Exchange:
        session = await place.open()
        done = await session.exchange(None, None)
        await session.quit()
        return done

    assert run(work(), place.loop) == Exchange()
