"""Planning a million deliveries on SQLite: how long it takes in all, and how long it ever holds up another writer."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from benchmarks import newsroom
from benchmarks.table import Options, Wanted, alone, heading, print_table, progress
from mailer.database import open_engine, writing
from mailer.delivery import mailing
from mailer.delivery.audience import Planner
from mailer.delivery.dispatch import now_utc
from mailer.delivery.segments import plain
from mailer.edition import Edition
from subscribers import audience, ensure_lists

if TYPE_CHECKING:
    from sqlalchemy import Engine


def measure(options: Options) -> list[Wanted]:
    readers = 100_000 if options.quick else 1_000_000
    heading(f"Planning: {readers:,} deliveries, on SQLite")
    with newsroom.newsroom(readers) as room:
        progress("planning")
        times = _plan(room)
        planned = room.ask("SELECT count(*) FROM deliveries WHERE state = 'planned'")[0]
    if planned != readers:
        raise RuntimeError(f"{planned:,} were planned of {readers:,}")
    rows = [("transactions", f"{len(times)}"), ("all of them", f"{sum(times):.2f} s")]
    print_table(("planning", ""), [*rows, ("the longest", f"{max(times) * 1e3:.0f} ms")])
    return [
        Wanted(f"planning {readers:,} deliveries", sum(times), "<=", 12 * readers / 1_000_000, "s"),
        Wanted("the longest write transaction of planning", max(times) * 1e3, "<=", 200, "ms"),
    ]


def _plan(room: newsroom.Newsroom) -> list[float]:
    """Open a mailing and plan it as `mailer send` does; give the seconds of each transaction."""
    engine = open_engine(f"sqlite:///{room.database}")
    planner = Planner(_open(engine), plain)
    times, more = [], True
    while more:
        began = time.perf_counter()
        with writing(engine) as connection:
            more = planner.step(connection, now_utc())
        times.append(time.perf_counter() - began)
    engine.dispose()
    return times


def _open(engine: Engine) -> int:
    now = now_utc()
    edition = Edition(file="072-long.md", number=72, slug="long", subject=("A letter",), preheader="", date=None,
                      language="en", direction="ltr", html=("<p>A letter</p>",), text=("A letter",))  # fmt: skip
    with writing(engine) as connection:
        list_id = ensure_lists(connection, {"main": ""}, now)["main"]
        opened = mailing.open_mailing(connection, edition, "main", now)
        mailing.freeze(connection, opened.id, edition, None, now, committed=False)
        mailing.extend(connection, opened.id, audience(list_id, now), list_id=list_id, now=now)
    return opened.id


if __name__ == "__main__":
    alone(measure)
