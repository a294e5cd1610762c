"""The daemon and its queue of batches: what goes wrong with the queue never keeps the daemon from ending."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from mailer.database import open_engine
from mailer.delivery import batches
from mailer.run.delivering import Delivering

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine


class Ground:
    """As much of the ground as the queue needs."""

    def __init__(self, database: Engine) -> None:
        self.database = database


@pytest.mark.parametrize("raises", [True, False])
def test_a_queue_that_fails_while_it_is_ended_is_not_begun_anew(
    empty_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, raises: bool
) -> None:
    """A process that was cut off has to begin anew: its queue meets jobs that are gone, and says so when cancelled."""
    first = asyncio.Event()
    begun: list[asyncio.Event] = []

    async def work(*_: object) -> None:
        begun.append(first)
        first.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if raises:
                raise RuntimeError("Job was not found") from None

    async def end_it() -> None:
        delivering = Delivering(Ground(open_engine(empty_database("sqlite"))), asyncio.Event())  # type: ignore[arg-type]
        working = asyncio.create_task(delivering._work())
        await asyncio.wait_for(first.wait(), 30)
        working.cancel()
        await asyncio.wait({working}, timeout=10)
        assert working.done()

    monkeypatch.setattr(batches, "prepare", lambda _: None)
    monkeypatch.setattr(batches, "work", work)
    asyncio.run(end_it())
    assert len(begun) == 1
