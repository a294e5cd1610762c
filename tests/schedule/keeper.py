"""A process that keeps the schedules on a clock of its own: python -m tests.schedule.keeper FOLDER DATABASE BEGAN."""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mailer.database import open_engine
from mailer.schedule import part
from mailer.schedule.ticking import Scheduler
from tests.schedule.conftest import World
from tests.schedule.test_once import SPEED, START, Pile, quick


def main(folder: str, url: str, began: float) -> None:
    """Look ten times a second, until the process is killed."""
    world = object.__new__(World)
    world.folder, world.engine = Path(folder), open_engine(url)

    def clock() -> object:
        world.now = START + timedelta(seconds=(time.time() - began) * SPEED)
        return world.now

    clock()
    scheduler = Scheduler(replace(world.ground(), clock=clock), quick)
    scheduler.shelf = Pile(world)  # type: ignore[assignment]
    scheduler.dealer._shelf = scheduler.shelf
    asyncio.run(part._ticking(lambda: part._look(scheduler), asyncio.Event(), 0.1))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
