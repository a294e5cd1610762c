"""The pages as a part of the daemon: uvicorn on one socket, started and stopped by us.

No access log of uvicorn's is written, for paths hold tokens; mailer.web.guards writes one without them. Signals belong
to the daemon.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from mailer.errors import Problem, UserError
from mailer.settings.web import PORT
from mailer.web.application import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

    from mailer.delivery.ground import Ground

HOST: Final = "127.0.0.1"
GRACE: Final = 8  # seconds for what is being answered
IDLE: Final = 15  # seconds that a connection may say nothing
MOST: Final = 1000  # connections
_BACKLOG: Final = 2048


class Impatient(H11Protocol):
    """uvicorn's connection, which would wait for ever for the head of a request: it must be whole in IDLE seconds.

    Between two requests uvicorn's own patience holds, until the first octet of the next. A body is the guards' matter.
    """

    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait no longer for a head that is there, and from its first octet for the next."""
        super().data_received(data)
        if self._answering():
            self._wait_no_more()
        elif self._late is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete

    def _wait(self) -> None:
        self._late = self.loop.call_later(IDLE, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None


class Server(uvicorn.Server):
    """uvicorn without its own ideas about signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the daemon."""
        yield


async def serve(
    ground: Ground,
    stopped: asyncio.Event,
    *,
    host: str | None = None,
    port: int | None = None,
    started: asyncio.Future[int] | None = None,
) -> None:
    """Serve until it is told to stop; `started` is told the port."""
    listening = _listen(host or HOST, PORT if port is None else port)
    config = uvicorn.Config(
        create_app(ground),
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        lifespan="on",
        http=Impatient,
        limit_concurrency=MOST,
        backlog=_BACKLOG,
        timeout_keep_alive=IDLE,
        timeout_graceful_shutdown=GRACE,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    waiting = asyncio.create_task(stopped.wait())
    if started is not None:
        await _up(server, serving)
        started.set_result(listening.getsockname()[1])
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    waiting.cancel()
    await serving


async def _up(server: Server, serving: asyncio.Task[None]) -> None:
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)


def _listen(host: str, port: int) -> socket.socket:
    """Take the port; raises UserError that says who has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        said = f"nobody can listen at {host} port {port}: {error.strerror}"
        raise UserError(Problem(f"{said}; --port takes another", key="port")) from None
    made.listen(_BACKLOG)
    made.setblocking(False)  # noqa: FBT003 - its only argument
    return made
