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

from mailer.errors import Problem, UserError
from mailer.settings.web import PORT
from mailer.web.application import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.delivery.ground import Ground

HOST: Final = "127.0.0.1"
GRACE: Final = 8  # seconds for what is being answered
IDLE: Final = 15  # seconds that a connection may say nothing
MOST: Final = 1000  # connections
_BACKLOG: Final = 2048


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
