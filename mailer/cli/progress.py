"""Progress of a send: a bar with rate and time left on a terminal, plain lines otherwise. Both on stderr."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from mailer.cli.output import note
from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from mailer.delivery.tripwire import Tally

_BAR_SECONDS: Final = 0.1
_LINE_SECONDS: Final = 10.0


@asynccontextmanager
async def shown(tally: Callable[[], Tally | None], total: int) -> AsyncIterator[None]:
    """Show how far `tally` has come on the way to `total`, until the block ends."""
    show = _bar if sys.stderr.isatty() else _lines
    task = asyncio.create_task(show(tally, total))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _bar(tally: Callable[[], Tally | None], total: int) -> None:
    from rich.console import Console  # noqa: PLC0415 - 60 ms that only a terminal needs
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"), TimeRemainingColumn(),
    )  # fmt: skip
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("sending", total=total, rate="")
        try:
            while True:
                done = _done(tally())
                rate = done / max(time.monotonic() - began, 0.001)
                progress.update(task, completed=done, total=max(total, done), rate=f"{rate:,.0f}/s")
                await asyncio.sleep(_BAR_SECONDS)
        finally:
            progress.update(task, completed=_done(tally()))


async def _lines(tally: Callable[[], Tally | None], total: int) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(_LINE_SECONDS)
        done, took = _done(tally()), time.monotonic() - began
        rate = done / took
        left = f", about {max(total - done, 0) / rate:,.0f} s left" if rate else ""
        note(f"{done:,} of {total:,} sent, {rate:,.0f}/s{left}")


def _done(tally: Tally | None) -> int:
    if tally is None:
        return 0
    return tally.total - tally.outcomes[DeliveryState.DEFERRED]
