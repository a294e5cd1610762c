"""The line to one client of the loopback server: what came, in one buffer; what is answered, in one write.

Here a line is dropped, stalled or slowed down on order; what is said on it stands in connection.py.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from tests.loopback.script import Do, Script, octets

if TYPE_CHECKING:
    from tests.loopback.server import LoopbackServer


class Line(asyncio.BufferedProtocol):
    """State of one client. `_out` gathers the replies of one read."""

    def __init__(self, server: LoopbackServer) -> None:
        self.server = server
        self.script: Script = server.script
        self.transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._out: list[bytes] = []
        self._in_body = False
        self._searched = 0
        self._stalled = False
        self._ending = False
        self._breaking = False  # whatever comes after STARTTLS is answered with nonsense
        self._received = 0
        self._messages = 0
        self._secure = False
        self._greeted = False
        self._user: str | None = None
        self._login: list[bytes] | None = None  # the answers of an AUTH dialogue so far
        self._writer: asyncio.Task[None] | None = None
        self._drop_at: int | None = None
        self._forget()

    def _forget(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []

    def _over(self) -> None:
        for address in self._recipients:
            self.server.over(address)
        self._forget()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet; after STARTTLS the same connection is made a second time and stays silent."""
        again = self.transport is not None
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are none by class
        self._secure = transport.get_extra_info("sslcontext") is not None
        if again:
            return
        self.server.opened(self)
        limit = self.script.max_connections
        if limit is not None and len(self.server.connections) > limit:
            self._end(b"421 4.7.0 localhost Error: too many connections\r\n")
        else:
            self._act("greeting", b"220 localhost ESMTP loopback\r\n")
        if self.script.drop_at is not None and self.server.may_drop():
            self._drop_at = self.script.drop_at
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget it all."""
        if self._writer is not None:
            self._writer.cancel()
        self._over()
        self.server.closed(self)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Lend the server's one buffer: it is emptied before anyone else is lent it, and TLS makes none per read."""
        return self.server.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take commands and bodies out of what came, and answer all of them at once."""
        data = self.server.buffer[:nbytes]
        self.server.octets += nbytes
        if self._breaking and self.transport is not None:
            self.transport.write(b"this is no handshake\r\n")
            return
        if self._deaf():
            return
        if self._drop_at is not None:
            data = data[: max(0, self._drop_at - self._received)]
        self._received += len(data)
        self._buffer += data
        position = 0
        while not self._deaf():
            end = self._body(position) if self._in_body else self._command(position)
            if end < 0:
                break
            position = end
        del self._buffer[:position]
        if self._drop_at is not None and self._received >= self._drop_at:
            self._ending = True
        self._flush()

    def _deaf(self) -> bool:
        return self._ending or self._stalled

    # What is said on it

    def _command(self, start: int) -> int:
        """Take the command that begins at `start`, and give where it ends; -1 while it has not come."""
        raise NotImplementedError

    def _body(self, start: int) -> int:
        """Take the body that begins at `start`, and give where it ends; -1 while it has not come."""
        raise NotImplementedError

    # What is answered

    def _act(self, at: str, usual: bytes, recipient: str = "") -> bool:
        """Answer as the script says, or as usual; say whether the answer was positive."""
        rule = self.server.rule(at, recipient or (self._recipients[0] if self._recipients else ""))
        if rule is None:
            self._out.append(usual)
            return usual[:1] in b"23"
        self._obey(rule.do, octets(rule.reply) if rule.reply else usual)
        return rule.do is Do.REPLY and (rule.reply[:1] in {"2", "3"} or not rule.reply)

    def _obey(self, do: Do, reply: bytes) -> None:
        if do in {Do.REPLY, Do.REPLY_DROP}:
            self._out.append(reply)
        self._stalled = do in {Do.STALL, Do.ACCEPT_STALL}
        self._ending = self._ending or do in {Do.DROP, Do.REPLY_DROP, Do.ACCEPT_DROP}

    def _end(self, reply: bytes) -> None:
        self._out.append(reply)
        self._ending = True

    def _flush(self) -> None:
        """Write what has gathered, at once or as slowly as the script wants, and close if this was the end."""
        transport, out = self.transport, b"".join(self._out)
        self._out.clear()
        if transport is None or transport.is_closing() or not (out or self._ending):
            return
        if not (self.script.delay or self.script.split):
            if out:
                transport.write(out)
            if self._ending:
                transport.close()
            return
        self._writer = self.server.background(self._write_slowly(self._writer, out, close=self._ending))

    async def _write_slowly(self, before: asyncio.Task[None] | None, out: bytes, *, close: bool) -> None:
        await asyncio.sleep(self.script.delay)
        if before is not None:
            await asyncio.wait([before])
        for piece in (out[i : i + 1] for i in range(len(out))) if self.script.split else (out,):
            if self.transport is None or self.transport.is_closing():
                return
            self.transport.write(piece)
            await asyncio.sleep(0)
        if close and self.transport is not None:
            self.transport.close()
