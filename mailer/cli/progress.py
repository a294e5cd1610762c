"""Progress of a send: a bar with rate and time left on a terminal, plain lines otherwise. Both on stderr."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Final

from mailer.cli.output import note

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_BAR_SECONDS: Final = 0.1
_LINE_SECONDS: Final = 10.0


@asynccontextmanager
async def shown(sent: Callable[[], int], total: int) -> AsyncIterator[None]:
    """Show how far `sent` has come on the way to `total`, until the block ends."""
    show = _bar if sys.stderr.isatty() else _lines
    task = asyncio.create_task(show(sent, total))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _bar(sent: Callable[[], int], total: int) -> None:
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
                done = sent()
                rate = done / max(time.monotonic() - began, 0.001)
                progress.update(task, completed=done, total=max(total, done), rate=f"{rate:,.0f}/s")
                await asyncio.sleep(_BAR_SECONDS)
        finally:
            progress.update(task, completed=sent())


async def _lines(sent: Callable[[], int], total: int) -> None:
    began = time.monotonic()
    while True:
        await asyncio.sleep(_LINE_SECONDS)
        done, took = sent(), time.monotonic() - began
        rate = done / took
        left = f", about {max(total - done, 0) / rate:,.0f} s left" if rate else ""
        note(f"{done:,} of {total:,} sent, {rate:,.0f}/s{left}")
