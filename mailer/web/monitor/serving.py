"""The second, local port: Starlette with two paths, served by uvicorn; started and stopped by the daemon.

Promises: nothing that can be read here names a reader; a scrape costs at most one look at the sums each half minute,
however often it is asked; a database that is away makes `/readyz` say 503 and `/metrics` say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request

    from mailer.delivery.ground import Ground

log = logging.getLogger(__name__)
AGAIN: Final = 30.0  # seconds until a port that is taken is asked for again
_GRACE: Final = 3
_SECONDS: Final = 5.0


def app(ground: Ground) -> Starlette:
    """Give the application."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest  # noqa: PLC0415
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.responses import JSONResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    from mailer.web.monitor.metrics import Sums  # noqa: PLC0415
    from mailer.web.monitor.readiness import ready  # noqa: PLC0415

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Sums(ground))

    async def metrics(_request: Request) -> Response:
        text = await asyncio.to_thread(generate_latest, registry)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def readyz(_request: Request) -> Response:
        try:
            problems = await asyncio.wait_for(asyncio.to_thread(ready, ground), _SECONDS)
        except TimeoutError:
            problems = ["the database does not answer"]
        told = {"ready": not problems, "newsletter": str(ground.settings.id), "problems": problems}
        return JSONResponse(told, 503 if problems else 200)

    return Starlette(routes=[Route("/metrics", metrics), Route("/readyz", readyz)])


async def run(
    ground: Ground,
    stopped: asyncio.Event,
    *,
    host: str | None = None,
    port: int | None = None,
    started: asyncio.Future[int] | None = None,
) -> None:
    """Serve until it is told to stop; `started` is told the port.

    While the port is taken it is asked for again and again: nobody's mail is to wait for a dial.
    """
    monitor = ground.settings.monitor
    place = host or monitor.host, monitor.port if port is None else port
    if place[1] == 0 and started is None:
        await stopped.wait()
    while not stopped.is_set():
        try:
            listening = socket.create_server(
                place, family=socket.AF_INET6 if ":" in place[0] else socket.AF_INET
            )
        except OSError as error:
            log.warning("no /metrics: nobody can listen at %s port %d: %s", *place, error.strerror)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), AGAIN)
            continue
        listening.setblocking(False)  # noqa: FBT003 - its only argument
        await _serve(app(ground), listening, stopped, started)


async def _serve(
    served: Starlette, listening: socket.socket, stopped: asyncio.Event, started: asyncio.Future[int] | None
) -> None:
    import uvicorn  # noqa: PLC0415

    from mailer.web.serving import Server  # noqa: PLC0415 - the one that leaves signals to the daemon

    config = uvicorn.Config(
        served,
        access_log=False,
        log_config=None,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        lifespan="off",
        limit_concurrency=50,
        timeout_graceful_shutdown=_GRACE,
    )
    server = Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    waiting = asyncio.create_task(stopped.wait())
    if started is not None:
        started.set_result(listening.getsockname()[1])
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    waiting.cancel()
    await serving
