"""Packing old mailings, on SQLite and PostgreSQL: how fast, what room it saves, and what questions cost then.

One mailing as a relay of Postfix's leaves it (addresses at the large providers and at 2,000 small ones, an id and a
reply each, one refusal in a hundred), and five years of weekly issues to one block of readers, of whom one is erased.
"""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from benchmarks.segments import database
from benchmarks.table import Options, Wanted, alone, figure, heading, print_table, progress
from mailer.database import reading, writing
from mailer.delivery import erasure, ledger
from mailer.delivery.ledger.packing import BLOCK
from mailer.delivery.tables import deliveries, mailings, packed_deliveries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

NOW = datetime(2026, 12, 20, tzinfo=UTC)
_YEARS = 5 * 52
_BIG = (
    ("gmail.com", 45),
    ("yahoo.com", 10),
    ("outlook.com", 10),
    ("hotmail.com", 8),
    ("icloud.com", 5),
    ("", 22),
)


def measure(options: Options) -> list[Wanted]:
    readers = options.people or (40_000 if options.quick else 1_000_000)
    wanted = []
    for kind in ("sqlite", "postgresql"):
        heading(f"Packing: {readers:,} deliveries, on {kind}")
        with database(kind) as engine:
            wanted += _measure(engine, kind, readers)
    return wanted


def _measure(engine: Engine, kind: str, readers: int) -> list[Wanted]:
    progress(f"{kind}: making {readers:,} deliveries")
    _mailing(engine, 1, readers)
    before, asked = _room(engine), _questions(engine)
    progress(f"{kind}: packing")
    times = _pack(engine, 1)
    after, told = _room(engine), _questions(engine)
    progress(f"{kind}: {_YEARS} mailings to a few")
    for number in range(2, 2 + _YEARS):
        _mailing(engine, number, BLOCK)
        _pack(engine, number)
    erased, _ = _timed(lambda: _erase(engine))
    with reading(engine) as connection:
        octets = func.sum(func.length(packed_deliveries.c.facts) + func.length(packed_deliveries.c.words))
        kept = connection.execute(select(octets).where(packed_deliveries.c.mailing_id == 1)).scalar_one()
    rows = [
        ("deliveries packed a second", f"{readers / sum(times):,.0f}"),
        ("the longest transaction", f"{max(times) * 1e3:.0f} ms"),
        ("octets a delivery: before", figure(before / readers)),
        ("after, with all that surrounds them", figure(after / readers)),
        ("of these compressed", figure(int(kept) / readers)),
    ]
    for name in asked:
        rows.append((f"{name}: before", f"{asked[name] * 1e3:,.1f} ms"))
        rows.append((f"{name}: after", f"{told[name] * 1e3:,.1f} ms"))
    print_table(
        ("packing", ""), [*rows, (f"erasing a reader of {_YEARS} packed mailings", f"{erased * 1e3:.0f} ms")]
    )
    return [
        Wanted(f"{kind}: packed room of unpacked", 100 * after / before, "<=", 25, "%"),
        Wanted(f"{kind}: the longest transaction of packing", max(times) * 1e3, "<=", 200, "ms"),
        Wanted(f"{kind}: erasing a reader of {_YEARS} packed mailings", erased * 1e3, "<=", 200, "ms"),
    ]


def _mailing(engine: Engine, number: int, readers: int) -> None:
    at = NOW - timedelta(days=100)
    row = {"id": number, "name": f"{number}.main", "list_key": "main", "number": number, "slug": f"i{number}"}
    row |= {"subject": "A letter", "state": "finished", "edition_id": 1, "created_at": at, "changed_at": at}
    rows = _rows(number, readers, at)
    with writing(engine) as connection:
        connection.execute(insert(mailings).values(**row))
        while page := [one for _, one in zip(range(20_000), rows, strict=False)]:
            connection.execute(insert(deliveries), page)
    if readers > BLOCK:
        _alone(engine, "ANALYZE")


def _rows(mailing_id: int, readers: int, at: datetime) -> Iterator[dict[str, Any]]:
    dice = random.Random(mailing_id)
    names, weights = zip(*_BIG, strict=True)
    for number in range(1, readers + 1):
        domain = dice.choices(names, weights)[0] or f"firm{dice.randrange(2000)}.example.net"
        address = f"{dice.choice('abcdefghijklm')}.{dice.randbytes(3).hex()}{dice.randrange(99)}@{domain}"
        at += timedelta(microseconds=dice.randrange(40, 400))
        relay_id, refused = dice.randbytes(6).hex().upper(), dice.random() < 0.01
        reply = f"550 5.1.1 <{address}>: no such user" if refused else f"250 2.0.0 Ok: queued as {relay_id}"
        yield {"mailing_id": mailing_id, "subscriber_id": number, "edition_id": mailing_id, "list_id": 1,
               "address_id": number, "address": address, "domain": domain, "due_at": at, "at": at, "epoch": mailing_id,
               "state": "refused" if refused else "accepted", "attempts": 1, "reply": reply,
               "relay_id": "" if refused else relay_id}  # fmt: skip


def _pack(engine: Engine, mailing_id: int) -> list[float]:
    """Pack it as the upkeep does, without its rests; give the seconds of each transaction."""
    times, after = [], 0
    while True:
        began = time.perf_counter()
        with writing(engine) as connection:
            step = ledger.shelve(connection, mailing_id, NOW, after)
        if step is None:
            return times
        after = step[1]
        times.append(time.perf_counter() - began)


def _room(engine: Engine) -> int:
    """Give the octets that deliveries take, packed and not; what is free to be used again is not counted."""
    if engine.dialect.name == "sqlite":
        _alone(engine, "PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, size = (
            _alone(engine, f"PRAGMA {name}") for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size
    _alone(engine, "VACUUM FULL deliveries")
    names = ("deliveries", "packed_deliveries")
    return sum(_alone(engine, f"SELECT pg_total_relation_size('{name}')") for name in names)


def _alone(engine: Engine, words: str) -> int:
    """Run a statement in no transaction; give the number that it answers, if it does."""
    connection = engine.raw_connection()
    driver: Any = connection.driver_connection
    try:
        if engine.dialect.name == "postgresql":
            driver.rollback()
            driver.autocommit = True
        found = driver.cursor()
        found.execute(words)
        return int(found.fetchone()[0]) if found.description else 0
    finally:
        if engine.dialect.name == "postgresql":
            driver.autocommit = False
        connection.close()


def _questions(engine: Engine) -> dict[str, float]:
    """Give the seconds that each question takes; the second time, as whoever asks again."""
    asked: dict[str, Callable[[Any], object]] = {
        "audit": lambda c: ledger.counts(c, 1),
        "audit --recipients": lambda c: sum(1 for _ in ledger.recipients(c, 1)),
        "one reader's delivery": lambda c: ledger.find(c, 1, 4321),
    }
    return {name: min(_ask(engine, question) for _ in range(2)) for name, question in asked.items()}


def _ask(engine: Engine, question: Callable[[Any], object]) -> float:
    with reading(engine) as connection:
        return _timed(lambda: question(connection))[0]


def _timed(work: Callable[[], object]) -> tuple[float, object]:
    began = time.perf_counter()
    result = work()
    return time.perf_counter() - began, result


def _erase(engine: Engine) -> None:
    with writing(engine) as connection:
        blanked = erasure.blank(connection, 7, NOW).deliveries
    if blanked != _YEARS + 1:
        raise RuntimeError(f"{blanked} deliveries were blanked of {_YEARS + 1}")


if __name__ == "__main__":
    alone(measure)
