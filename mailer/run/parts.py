"""The parts of the daemon: the table of their names, and what each of them starts.

What is started runs until it is told to stop. It is imported when it is started: a process that serves pages alone
never loads the engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping
    from typing import TypeAlias

    from mailer.delivery.ground import Ground

    Start: TypeAlias = Callable[[Ground, asyncio.Event, "Options"], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says to parts: where the pages are served, and whether the log is JSON."""

    host: str | None = None
    port: int | None = None
    json: bool = False


async def pages(ground: Ground, stopped: asyncio.Event, options: Options) -> None:
    """Serve readers, providers and the operators' API."""
    from mailer.web import serve  # noqa: PLC0415

    await serve(ground, stopped, host=options.host, port=options.port)


async def monitor(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    """Serve what monitoring asks, on a port of its own."""
    from mailer.web.monitor.serving import run  # noqa: PLC0415

    await run(ground, stopped)


async def mail(ground: Ground, stopped: asyncio.Event, options: Options) -> None:
    """Send what falls due, and letters as they come; with more processes beside this one where `workers` wants them."""
    from mailer.run.crew import manned  # noqa: PLC0415
    from mailer.run.delivering import GRACE, run  # noqa: PLC0415
    from mailer.run.order import Order  # noqa: PLC0415

    order = Order(ground.settings, json=options.json)
    async with manned(ground, order, ground.settings.workers - 1, patience=GRACE) as crew:
        crew.start(stopped)
        await run(ground, stopped)


async def hooks(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    """Tell the receivers of [[webhooks]] what happens."""
    from mailer.hooks.running import run  # noqa: PLC0415

    await run(ground, stopped)


async def schedules(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    """Begin mailings when they are due."""
    from mailer.schedule.part import run  # noqa: PLC0415

    await run(ground, stopped)


async def notices(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    """Tell the operator what went well, and what did not."""
    from mailer.schedule.notices import run  # noqa: PLC0415

    await run(ground, stopped)


async def feedback(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    """Hear what comes back: mailboxes, folders, the listener."""
    from mailer.feedback.part import run  # noqa: PLC0415

    await run(ground, stopped)


async def house(ground: Ground, stopped: asyncio.Event, _options: Options) -> None:
    """Keep house: what expires, what is kept, the day's backup."""
    from mailer.run.upkeep import run  # noqa: PLC0415

    await run(ground, stopped)


PARTS: Final[Mapping[str, tuple[Start, ...]]] = {
    "web": (pages, monitor),
    "delivery": (mail, hooks),
    "schedule": (schedules, notices),
    "feedback": (feedback,),
    "upkeep": (house,),
}
