"""The connection under a session: writes go out, replies are counted in, every wait ends.

Promises: replies are matched to steps by counting and by nothing else (P03, RFC 2920, section 3.1); one that
nobody asked for, or that is no reply, ends the connection; every step has its time (S07); once lost, a line
stays lost, and it knows whether the final dot of a body may have left. Never: decides what to say, or what a
reply means.

The hot path of the program: one future a round, no task, no stream, one timer a connection that is moved and
not remade.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from mailer.smtp.relay import Timeouts
from mailer.smtp.wire import CODES, MAX_REPLY, read_reply

if TYPE_CHECKING:
    from mailer.smtp.model import Reply

# When the transport says that it is full, and when that it has room again. LOW_WATER is more than any
# envelope, so that a line without room certainly still holds the final dot before it (see Line.lose).
HIGH_WATER = 16 * 1024
LOW_WATER = 4 * 1024

# What nearly always comes: the body was taken and so is the next envelope, each said on one line.
_ALL_WELL = re.compile(
    rb"((2[0-9]{2}) [^\n]*\n)((2[0-9]{2}) [^\n]*\n)((2[0-9]{2}) [^\n]*\n)((3[0-9]{2}) [^\n]*\n)"
).fullmatch
_GROUP = 4  # answers to a body and the envelope behind it

_MARKS = frozenset({b" ", b"-", b"\r", b"\n"})

Answers: TypeAlias = Sequence[tuple[int, bytes]]
"""Code and octets of each reply, in the order of the steps; fewer than steps where the line was lost."""


class Line(asyncio.BaseProtocol):
    """Takes over a transport that is connected and quiet. Steps: final, rset, mail, rcpt, data, dot, quit."""

    def __init__(self, transport: asyncio.Transport, timeouts: Timeouts | None = None) -> None:
        waits = timeouts or Timeouts()
        self.lost = ""  # why; empty while the line stands
        self.in_doubt = False  # a final dot may have left, and its answer did not come
        self.last_word: Reply | None = None  # the 421 that ended it
        self.at = ""  # the step whose answer was waited for when it ended
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._waits = {"final": waits.final, "mail": waits.mail, "rcpt": waits.rcpt, "data": waits.data}
        self._waits |= {"rset": waits.mail, "dot": waits.final, "quit": waits.mail}
        self._block = waits.block
        self._pulse = min(*self._waits.values(), waits.block)
        self._paused = False  # the transport is full,
        self._backlog = 0  # and held so many octets when it was last looked at
        self._dot_out = False
        self._waiter: asyncio.Future[None] | None = None
        self._steps: tuple[str, ...] = ()
        self._heard: list[tuple[int, bytes]] = []
        self._rest = b""  # the beginning of a reply
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
        transport.set_protocol(self)

    async def round(self, chunks: Sequence[bytes], steps: tuple[str, ...]) -> Answers:
        """Write, and give the answer to every step, or fewer where the line is lost; it then says why."""
        if self.lost:
            return ()
        waiter = self._waiter = self._loop.create_future()
        heard = self._heard = []
        self._steps = steps
        self._dot_out = steps[0] == "final"
        self._deadline = self._loop.time() + self._waits[steps[0]]
        if self._timer is None:
            self._timer = self._loop.call_later(self._pulse, self._tick)
        self._transport.writelines(chunks)
        try:
            await waiter
        except asyncio.CancelledError:
            self.lose("the exchange was cancelled")
            raise
        return heard

    def lose(self, why: str, last_word: Reply | None = None) -> None:
        """Drop the connection at once; whoever waits gets what was heard so far."""
        if self.lost:
            return
        self.lost, self.last_word = why, last_word
        count = len(self._heard)
        self.at = self._steps[count] if count < len(self._steps) else ""
        # A transport that is full holds at least LOW_WATER octets, the last ones written: the dot is among
        # them.
        self.in_doubt = self._dot_out and not self._paused
        self._transport.abort()
        if self._timer is not None:
            self._timer.cancel()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """Close in good order; `closed` is done once it has."""
        self._transport.close()

    # What the loop calls

    def data_received(self, data: bytes) -> None:
        """Count the replies in; a reply may come in any number of pieces, and many replies in one."""
        if self._dot_out and not self._rest and len(self._steps) == _GROUP and (well := _ALL_WELL(data)):
            self._all_well(*well.groups())
            return
        if self._rest:
            data = self._rest + data
        start = line = 0
        while (end := data.find(b"\n", line) + 1) > 0:
            code, mark = CODES.get(data[line : line + 3]), data[line + 3 : line + 4]
            line = end
            if code is None or mark not in _MARKS:
                self.lose("the server spoke nonsense")
                return
            if mark != b"-":
                self._hear(code, data[start:end])
                if self.lost:
                    return
                start = end
        self._rest = data[start:]
        if len(self._rest) > MAX_REPLY:
            self.lose("the server sent a reply without an end")

    def _all_well(self, *said: bytes) -> None:
        """Hear four answers at once, each with its code behind it: as counting would find them."""
        final, a, mail, b, rcpt, c, data, d = said
        self._dot_out = False
        self._heard += ((CODES[a], final), (CODES[b], mail), (CODES[c], rcpt), (CODES[d], data))
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _hear(self, code: int, raw: bytes) -> None:
        heard, steps = self._heard, self._steps
        count = len(heard)
        step = steps[count] if count < len(steps) else ""
        if code == 421:
            if step == "final":
                self._dot_out = False
            self.lose("the server closed the connection", read_reply(code, raw))
            if step == "final":
                heard.append((code, raw))
            return
        if not step or (step == "final" and 300 <= code < 400):
            self.lose(f"the server said {code} where nothing of the kind was asked")
            return
        heard.append((code, raw))
        if count == 0:
            self._dot_out = False
        if count + 1 < len(steps):
            self._deadline = self._loop.time() + self._waits[steps[count + 1]]
        elif self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def eof_received(self) -> None:
        """Give up at once: nobody reads what we would still write."""
        self.lose("the server closed the connection without a word")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, whoever made it."""
        self.lose(
            f"the connection broke: {exc}" if exc else "the server closed the connection without a word"
        )
        if not self.closed.done():
            self.closed.set_result(None)

    def pause_writing(self) -> None:
        """Note that the transport is full: from now on the line has the time of a block."""
        self._paused = True
        self._backlog = self._transport.get_write_buffer_size()
        self._deadline = self._loop.time() + self._block

    def resume_writing(self) -> None:
        """Note that it has room: from now on the answer is waited for."""
        self._paused = False
        if len(self._heard) < len(self._steps):
            self._deadline = self._loop.time() + self._waits[self._steps[len(self._heard)]]

    def _tick(self) -> None:
        """Look at the clock, at least once a pulse, so that no deadline comes before the next look."""
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        now = self._loop.time()
        if now >= self._deadline and self._paused and self._transport.get_write_buffer_size() < self._backlog:
            self.pause_writing()  # slow, but it moves
        if now >= self._deadline:
            what = (
                "to take the message" if self._paused else f"for an answer to {self._steps[len(self._heard)]}"
            )
            self.lose(f"the server took too long {what}")
            return
        self._timer = self._loop.call_later(min(self._deadline - now, self._pulse), self._tick)


class TlsLine(Line, asyncio.BufferedProtocol):
    """A line whose transport decrypts: it reads into a buffer of ours, and not into 256 KB made anew for each reply."""

    def __init__(self, transport: asyncio.Transport, timeouts: Timeouts | None = None) -> None:
        self._room = memoryview(bytearray(MAX_REPLY))
        super().__init__(transport, timeouts)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Lend the buffer; it is emptied at once by buffer_updated."""
        return self._room

    def buffer_updated(self, nbytes: int) -> None:
        """Count the replies in."""
        self.data_received(bytes(self._room[:nbytes]))
