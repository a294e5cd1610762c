"""The part of `mailer run` that keeps the schedules: APScheduler ticks once a minute.

Nothing depends on its memory: its job store holds one job, "look", and nothing else. What is due is asked of rules,
clock and database at each look; APScheduler's own triggers are not used for it, since its CronTrigger fires 02:30 twice
on the autumn night.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Final

from mailer.errors import MailerError, UserError
from mailer.schedule.ticking import Scheduler

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.delivery.ground import Ground

log = logging.getLogger(__name__)
_EVERY: Final = 60  # seconds
_PATIENCE: Final = 8.0  # for a look that goes on when the part is to end


async def run(ground: Ground, stopped: asyncio.Event, *, seconds: float = _EVERY) -> None:
    """Look at the schedules until it is stopped. Raises UserError for rules that cannot be read."""
    scheduler = await asyncio.to_thread(Scheduler, ground)
    await _ticking(lambda: _look(scheduler), stopped, seconds)


def _look(scheduler: Scheduler) -> None:
    try:
        scheduler.tick()
    except UserError as problem:
        log.error("schedules: %s", problem)  # noqa: TRY400 - its words are for a person
    except MailerError as problem:
        log.warning("schedules: %s; trying again in a minute", problem)


async def _ticking(look: Callable[[], None], stopped: asyncio.Event, seconds: float) -> None:
    """Call `look` in a thread, now and then at each full minute, one call at a time."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler  # noqa: PLC0415 - only this part needs it
    from apscheduler.triggers.cron import CronTrigger  # noqa: PLC0415
    from apscheduler.triggers.interval import IntervalTrigger  # noqa: PLC0415

    logging.getLogger("apscheduler").setLevel(logging.ERROR)  # else it says each minute that it looks
    alone = asyncio.Lock()

    async def tick() -> None:
        if not alone.locked():
            async with alone:
                await asyncio.to_thread(look)

    clock = AsyncIOScheduler(timezone="UTC")
    whole = seconds == _EVERY
    trigger = (
        CronTrigger(second=0, timezone="UTC") if whole else IntervalTrigger(seconds=seconds, timezone="UTC")
    )
    clock.add_job(tick, trigger, max_instances=1, coalesce=True, misfire_grace_time=None)
    clock.start()
    try:
        await tick()
        await stopped.wait()
    finally:
        clock.shutdown(wait=False)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await alone.acquire()
