from __future__ import annotations

import asyncio
import itertools
import socket
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.smtp.line import Line
from mailer.smtp.relay import Timeouts
from tests.smtp.conversing import run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.smtp.line import Answers

STEPS = ("final", "mail", "rcpt", "data")
GOOD = b"250 2.0.0 Ok: queued as 1\r\n250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go\r\n"


async def a_line(timeouts: Timeouts | None = None) -> tuple[Line, socket.socket]:
    """Give a line over a real socket, and the other end."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    return Line(transport, timeouts), theirs


async def answers(pieces: Sequence[bytes], steps: tuple[str, ...] = STEPS) -> tuple[Answers, Line]:
    """Give what a round hears out of these pieces, and the line afterwards."""
    line, theirs = await a_line()
    with theirs:
        task = asyncio.create_task(line.round((b"body\r\n", b".\r\n"), steps))
        await asyncio.sleep(0)
        for piece in pieces:
            line.data_received(piece)
        heard = await asyncio.wait_for(task, 30)
        state = line.lost, line.in_doubt
        line.lose("the test is over")
        await line.closed
        line.lost, line.in_doubt = state
    return heard, line


async def hears(pieces: Sequence[bytes], steps: tuple[str, ...] = STEPS) -> tuple[list[int], Line]:
    """Give the codes alone."""
    heard, line = await answers(pieces, steps)
    return [code for code, _ in heard], line


def cut(data: bytes, places: Sequence[int]) -> list[bytes]:
    """Cut octets at these places."""
    edges = [0, *sorted({place % (len(data) + 1) for place in places}), len(data)]
    return [data[start:end] for start, end in itertools.pairwise(edges)]


@settings(max_examples=40, deadline=None)
@given(place=st.integers(1, len(GOOD) - 1))
def test_what_comes_in_one_piece_is_heard_as_what_comes_in_two(place: int):
    """P03: four good answers at once are the same four answers, with the same octets."""
    assert run(answers([GOOD]))[0] == run(answers(cut(GOOD, [place])))[0]


REPLIES = st.lists(
    st.tuples(
        st.integers(200, 599).filter(lambda code: code != 421 and code // 100 != 3),
        st.lists(st.from_regex(rb"\A[ -~]{0,20}\Z"), min_size=1, max_size=3),
        st.sampled_from([b"\r\n", b"\n"]),
    ),
    min_size=4,
    max_size=4,
)


def written(code: int, lines: list[bytes], end: bytes) -> bytes:
    """Write a reply of several lines."""
    marks = [b"-"] * (len(lines) - 1) + [b" "]
    return b"".join(b"%d%s%s%s" % (code, mark, line, end) for mark, line in zip(marks, lines, strict=True))


@settings(max_examples=100, deadline=None)
@given(replies=REPLIES, places=st.lists(st.integers(0, 400), max_size=30))
def test_replies_are_counted_however_they_are_cut(
    replies: list[tuple[int, list[bytes], bytes]], places: list[int]
):
    """P03, S06: four replies of any number of lines, with CRLF or bare LF, in any pieces, are four answers."""
    data = b"".join(written(code, lines, end) for code, lines, end in replies)
    codes, line = run(hears(cut(data, places)))
    assert codes == [code for code, _, _ in replies]
    assert line.lost == ""


def test_replies_come_octet_by_octet():
    """The worst cut of all."""
    codes, line = run(hears([GOOD[i : i + 1] for i in range(len(GOOD))]))
    assert codes == [250, 250, 250, 354]
    assert not line.lost


@settings(max_examples=100, deadline=None)
@given(data=st.binary(max_size=200), places=st.lists(st.integers(0, 200), max_size=5))
def test_no_octets_break_the_line(data: bytes, places: list[int]):
    """Garbage ends it, or is still waited on, and the final dot is in doubt unless it was answered."""

    async def work() -> None:
        line, theirs = await a_line()
        with theirs:
            task = asyncio.create_task(line.round((b"body\r\n", b".\r\n"), STEPS))
            await asyncio.sleep(0)
            for piece in cut(data, places):
                line.data_received(piece)
            line.lose("the test is over")
            answers = await asyncio.wait_for(task, 30)
            assert line.in_doubt is (not answers)
            await line.closed

    run(work())


@pytest.mark.parametrize(
    "data",
    [
        b"250 a\r\n" * 5,
        GOOD + b"250 Ok\r\n",
        b"hello\r\n",
        b"250\tOk\r\n",
        b"2 50\r\n",
        b"600 no\r\n",
        b"\r\n",
    ],
)
def test_what_was_not_asked_for_ends_the_line(data: bytes):
    """One reply too many means that every later one would be put to the wrong command."""
    codes, line = run(hears([data]))
    assert line.lost
    assert len(codes) <= 4


def test_a_reply_without_an_end_is_not_kept():
    """Memory is bounded, by lines and by octets."""
    for endless in (b"250" + b"x" * 40_000, b"250 " + b"x" * 40_000, b"250-x\r\n" * 8000):
        _, line = run(hears([endless]))
        assert line.lost


def test_every_step_has_its_own_time():
    """S07: the answer to each command is waited for as long as is due to that command."""

    async def work(step: str) -> Line:
        waits = Timeouts(mail=9, rcpt=9, data=9, block=9, final=9)
        quick = {"mail": 0.05, "rcpt": 0.05, "data": 0.05, "final": 0.05}
        line, theirs = await a_line(
            Timeouts(**{**{name: getattr(waits, name) for name in quick}, step: quick[step]})
        )
        with theirs:
            task = asyncio.create_task(line.round((b"x",), STEPS))
            await asyncio.sleep(0)
            for reply in GOOD.splitlines(keepends=True)[: STEPS.index(step)]:
                line.data_received(reply)
            await asyncio.wait_for(task, 30)
            await line.closed
        return line

    for step in STEPS:
        line = run(work(step))
        assert line.lost == f"the server took too long for an answer to {step}"
        assert line.in_doubt is (step == "final")


def test_a_line_that_is_quiet_between_rounds_is_left_alone():
    """No timer runs while nothing is asked; the pool may keep a session."""

    async def work() -> str:
        line, theirs = await a_line(Timeouts(mail=0.05, rcpt=0.05, data=0.05, block=0.05, final=0.05))
        with theirs:
            for _ in range(2):
                task = asyncio.create_task(line.round((b"x",), STEPS))
                await asyncio.sleep(0)
                line.data_received(GOOD)
                await task
                await asyncio.sleep(0.15)
            lost = line.lost
            line.lose("the test is over")
            await line.closed
        return lost

    assert run(work()) == ""


def test_a_slow_line_that_moves_is_not_given_up():
    """S07: the time of a block is for a line that takes nothing, not for one that takes little."""
    big = b"x" * 3_000_000

    async def work() -> tuple[str, int]:
        line, theirs = await a_line(Timeouts(mail=1.5, rcpt=1.5, data=1.5, block=1.5, final=5))
        loop, taken = asyncio.get_running_loop(), 0
        with theirs:
            task = asyncio.create_task(line.round((big, b".\r\n"), ("final",)))
            while taken < len(big) + 3:
                await asyncio.sleep(0.1)
                taken += len(await loop.sock_recv(theirs, 150_000))
            line.data_received(b"250 Ok\r\n")
            await asyncio.wait_for(task, 30)
            lost = line.lost
            line.lose("the test is over")
            await line.closed
        return lost, taken

    assert run(work()) == ("", len(big) + 3)


def test_a_lost_line_stays_lost_for_its_first_reason():
    """What happened first is what is told."""

    async def work() -> Line:
        line, theirs = await a_line()
        with theirs:
            line.lose("first")
            line.lose("second")
            await line.closed
            assert await line.round((b"x",), ("mail",)) == ()
        return line

    assert run(work()).lost == "first"
