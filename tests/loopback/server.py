"""A loopback SMTP server that records what it accepts and can misbehave: `with running(Script(...)) as server:`.

It runs in a thread of its own, so that it serves synchronous and asynchronous clients alike; `python -m
tests.loopback` runs it as a process. `server.url()` is what MAILER_RELAY takes.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar

from tests.loopback.certificate import server_context
from tests.loopback.connection import Connection
from tests.loopback.record import Accepted, Recorder
from tests.loopback.script import Do, Rule, Script, octets

if TYPE_CHECKING:
    import ssl
    from collections.abc import Coroutine, Iterator
    from pathlib import Path

__all__ = ["Accepted", "Do", "LoopbackServer", "Recorder", "Rule", "Script", "running"]

T = TypeVar("T")


class LoopbackServer:
    """The server's state. Counters may be read from any thread; `follow` changes the script while it runs."""

    def __init__(
        self, script: Script | None = None, recorder: Recorder | None = None, name: str = "localhost"
    ) -> None:
        self.name = name
        self.recorder = recorder or Recorder()
        self.host = "127.0.0.1"
        self.port = 0
        self.connections: set[Connection] = set()
        self.peak = 0  # most connections at one time
        self.total = 0  # connections ever
        self.under_way: Counter[str] = Counter()  # messages now, by the recipient's domain
        self.busiest: Counter[str] = Counter()  # and the most at one time
        self.octets = 0
        self.buffer = memoryview(bytearray(256 * 1024))
        self.mail_parameters = ""  # of the last MAIL and RCPT
        self.rcpt_parameters = ""
        self.context: ssl.SSLContext | None = None
        self.certificate: Path | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listener: asyncio.Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._drops = 0
        self._empty = asyncio.Event()
        self._empty.set()
        self.follow(script or Script())

    @property
    def accepted(self) -> list[Accepted]:
        """What was accepted, in order, one for each recipient."""
        return self.recorder.accepted

    def url(self, options: str = "", credentials: str = "") -> str:
        """Give the URL of a relay that leads here, as MAILER_RELAY has it."""
        scheme = "smtps" if self.script.tls == "implicit" else "smtp"
        at = f"{credentials}@" if credentials else ""
        return f"{scheme}://{at}{self.host}:{self.port}{'?' if options else ''}{options}"

    def follow(self, script: Script) -> None:
        """Behave like this from now on; counts begin anew, open connections keep their own settings."""
        self._counts = [0] * len(script.rules)
        self.ruled = bool(script.rules)
        self.final_before, _, self.final_after = octets(script.final).partition(b"{id}")
        if not self.final_after:
            self.final_before, self.final_after = octets(script.final), b""
        self.script = script
        if script.tls != "off" and self.context is None:
            self.context, self.certificate = server_context(name=self.name)

    def rule(self, at: str, recipient: str) -> Rule | None:
        """Give the rule for this moment, counting the matches of each."""
        chosen = None
        for index, rule in enumerate(self.script.rules):
            if rule.at == at and rule.matches(recipient):
                self._counts[index] += 1
                if chosen is None and rule.covers(self._counts[index]):
                    chosen = rule
        return chosen

    def may_drop(self) -> bool:
        """Say whether one more connection is to be dropped at its octet."""
        self._drops += 1
        return self.script.drop_connections is None or self._drops <= self.script.drop_connections

    # What connections report

    def opened(self, connection: Connection) -> None:
        """Count a connection in."""
        self.connections.add(connection)
        self._empty.clear()
        self.total += 1
        self.peak = max(self.peak, len(self.connections))

    def closed(self, connection: Connection) -> None:
        """Count it out."""
        self.connections.discard(connection)
        if not self.connections:
            self._empty.set()

    def begun(self, address: str) -> None:
        """Count a message to an address in."""
        domain = address.rpartition("@")[2]
        self.under_way[domain] += 1
        self.busiest[domain] = max(self.busiest[domain], self.under_way[domain])

    def over(self, address: str) -> None:
        """Count it out."""
        self.under_way[address.rpartition("@")[2]] -= 1

    def background(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start a task that lives no longer than the server."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # Its life, inside a loop

    async def start(self, port: int = 0, host: str = "127.0.0.1") -> None:
        """Listen on a port; 0 takes a free one."""
        self.host = host
        context = self.context if self.script.tls == "implicit" else None
        self._loop = loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: Connection(self), self.host, port, ssl=context, backlog=1024
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._listener is not None:
            self._listener.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.drop_all()
        await self._empty.wait()
        self.recorder.close()

    def deafen(self) -> None:
        """Read nothing more from any open connection, from any thread; the kernel's buffers fill up."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop_reading)

    def tell(self, reply: str) -> None:
        """Say something unasked on every open connection, from any thread, and close them."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._say, octets(reply))

    def _say(self, reply: bytes) -> None:
        for connection in tuple(self.connections):
            if connection.transport is not None:
                connection.transport.write(reply)
                connection.transport.close()

    def _stop_reading(self) -> None:
        for connection in self.connections:
            if connection.transport is not None:
                connection.transport.pause_reading()

    def drop_all(self) -> None:
        """Drop every connection at once; call it in the server's own thread."""
        for connection in tuple(self.connections):
            if connection.transport is not None:
                connection.transport.abort()


def new_loop() -> asyncio.AbstractEventLoop:
    """Give the fastest loop there is."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


@contextlib.contextmanager
def running(
    script: Script | None = None,
    *,
    port: int = 0,
    file: Path | None = None,
    folder: Path | None = None,
    name: str = "localhost",
) -> Iterator[LoopbackServer]:
    """Run a server in a thread for as long as the block lasts; `name` is whom its certificate is for."""
    server = LoopbackServer(script, Recorder(file=file, folder=folder), name)
    loop = new_loop()
    thread = threading.Thread(target=loop.run_forever, name="loopback-smtp", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(port), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
