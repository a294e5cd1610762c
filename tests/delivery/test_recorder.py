"""The recorder: how long it waits for a database that is away."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import OperationalError

from mailer.delivery.journal import Journal
from mailer.delivery.recorder import Recorder, RecorderFailed

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine


class Away:
    """Work on a database that is away, and comes back when it is told to."""

    def __init__(self) -> None:
        self.tries = 0
        self.well = False

    def __call__(self, _connection: Connection) -> str:
        self.tries += 1
        if not self.well:
            raise OperationalError("SELECT 1", None, Exception("the server is gone"))
        return "done"


async def _waits(engine: Engine, folder: Path) -> None:
    with Journal(folder, 1) as journal:
        recorder = Recorder(engine, journal, 1, lambda: datetime.now(UTC), 0.0, patience=0.2)
        first, second, third = Away(), Away(), Away()
        with pytest.raises(RecorderFailed):
            await recorder.call(first)
        with pytest.raises(RecorderFailed):
            await recorder.call(second)
        assert (first.tries > 1, second.tries) == (True, 1)
        third.well = True
        assert await recorder.call(third) == "done"
        fourth = Away()
        with pytest.raises(RecorderFailed):
            await recorder.call(fourth)
        assert fourth.tries > 1
        await recorder.close()


def test_its_patience_is_one_for_all_who_wait(engine: Engine, tmp_path: Path) -> None:
    """Whoever asks after it gave a database up is not patient anew; once the database was well, it is."""
    asyncio.run(_waits(engine, tmp_path))
