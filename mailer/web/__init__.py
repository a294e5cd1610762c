"""The pages for readers, and beside them the doors of providers and operators. No rule lives here.

Promises: GET and HEAD change nothing, whatever fetches them; leaving takes one POST; the answer to a sign-up does not
tell who is a reader. No cookie is set, no address and no token is logged. Works without JavaScript.

`create_app(ground)` gives the application, `app()` the same for another ASGI server, `serve` is the daemon's part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

    from fastapi import FastAPI

    from mailer.delivery.ground import Ground

__all__ = ["app", "create_app", "serve"]


def create_app(ground: Ground) -> FastAPI:
    """Give the application that serves this newsletter; its lifespan works off what readers asked for."""
    from mailer.web.application import create_app as create  # noqa: PLC0415 - FastAPI costs 300 ms

    return create(ground)


def app() -> FastAPI:
    """Give the application of the newsletter around the working folder: `uvicorn --factory mailer.web:app`."""
    from mailer.web.standing import ground_here  # noqa: PLC0415

    return create_app(ground_here())


async def serve(
    ground: Ground, stopped: asyncio.Event, *, host: str | None = None, port: int | None = None
) -> None:
    """Serve the pages until it is told to stop, then finish what is being answered.

    Without `host` and `port`: 127.0.0.1 and 8025. Raises UserError where the port is taken.
    """
    from mailer.web.serving import serve as run  # noqa: PLC0415

    await run(ground, stopped, host=host, port=port)
