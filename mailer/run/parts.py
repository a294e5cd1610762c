"""The parts of the daemon: the table of their names, and how each is started.

A part runs until it is told to stop. It is imported when it is started: a process that serves pages alone never loads
the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping

    from mailer.delivery.ground import Ground


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says to parts: where the pages are served."""

    host: str | None = None
    port: int | None = None


async def _delivery(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    from mailer.run.delivering import run  # noqa: PLC0415

    await run(ground, stopped)


PARTS: Final[Mapping[str, Callable[[Ground, asyncio.Event, Options], Awaitable[None]]]] = {
    "delivery": _delivery,
}
