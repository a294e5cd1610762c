"""A file that is imported again has nothing new to say: twice is once, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, text

import subscribers
from subscribers import tables
from subscribers.exchange import reading, run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sqlalchemy import Engine

HASH_KEY = b"k" * 32
HEAD = "email,name,country,tags,status,language,joined at\n"

_emails = st.sampled_from(
    ["ann@example.org", "ANN@Example.ORG", "bob@example.org", "jörg@bücher.example", "Jo\u0308rg@xn--bcher-kva.example",
     "known@example.org", "left@example.org", "blocked@example.org", "no address", ""]
)  # fmt: skip
_states = ["", "active", "unsubscribed", "bounced", "complained", "blocked", "pending", "paused", "what?"]
_rows = st.lists(
    st.tuples(
        _emails,
        st.sampled_from(["", "Ann", "Änna", "A\u0308nna", "=1"]),
        st.sampled_from(["", "AT", "DE"]),
        st.sampled_from(["", "beta", '"beta;x"']),
        st.sampled_from(_states),
        st.sampled_from(["", "de", "en"]),
        st.sampled_from(["", "2020-01-02"]),
    ),
    max_size=14,
)


def snapshot(engine: Engine) -> dict[str, Any]:
    """Everything that is held, but for the list of imports."""
    with engine.connect() as connection:
        return {
            table.name: connection.execute(select(table).order_by(*table.primary_key)).all()
            for table in subscribers.metadata.sorted_tables
            if table is not tables.imports
        }


def anew(engine: Engine, clock: Any) -> None:
    """Empty all tables; then one who is known, one who left, and one who is blocked."""
    everything = subscribers.metadata.sorted_tables
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text(f"TRUNCATE {', '.join(table.name for table in everything)}"))
        for table in reversed(everything):
            connection.execute(delete(table))
        subscribers.ensure_lists(connection, ["main", "beta"], clock(), brands={"beta": "acme"})
        common = {"hash_key": HASH_KEY, "basis": "mail", "list_key": "main"}
        subscribers.add(connection, email="known@example.org", name="Known", now=clock(), **common)
        left = subscribers.add(connection, email="left@example.org", now=clock(), **common)
        subscribers.unsubscribe(connection, left.id, "main", clock(), "page")
        subscribers.block(connection, "blocked@example.org", hash_key=HASH_KEY, now=clock())


def bring(engine: Engine, file: Path, clock: Any, **more: Any) -> subscribers.ImportResult:
    common = {"list_key": "main", "basis": "form", "hash_key": HASH_KEY, "rejects": file.parent / "rejects"}
    return subscribers.import_file(engine.begin, file, now=clock(), **common | more)


def written(folder: Path, rows: Sequence[Sequence[str]]) -> Path:
    file = folder / "people.csv"
    file.write_text(HEAD + "".join(",".join(row) + "\n" for row in rows), encoding="utf-8")
    return file


@given(_rows)
@example(
    [
        ("ann@example.org", "Ann", *[""] * 5),
        ("bob@example.org", *[""] * 6),
        ("ann@example.org", "B", *[""] * 5),
    ]
)
@example(
    [
        ("ann@example.org", *[""] * 6),
        ("bob@example.org", *[""] * 6),
        ("ann@example.org", "", "", "", "left", "", ""),
    ]
)
@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow],
)  # fmt: skip
def test_twice_is_once(engine, clock, tmp_path, rows):
    """Any file, with people twice in it who contradict themselves, bad rows and suppressions: again nothing changes.

    Every byte of every table stays, moments and the ids of imports included; and what was rejected is again.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BATCH", 2)
        patch.setattr(run, "SPAN", 0)
        anew(engine, clock)
        file = written(tmp_path, rows)
        first = bring(engine, file, clock)
        before = snapshot(engine)
        second = bring(engine, file, clock)
    assert snapshot(engine) == before
    assert (second.repeat_of, first.repeat_of) == (first.id, None)
    assert (second.added, second.joined, second.updated) == (0, 0, 0)
    assert (second.records, second.rejected) == (first.records, first.rejected)


def test_what_changed_since_stays(engine, clock, tmp_path):
    """A file imported again does not take back what people and the operator have changed since."""
    anew(engine, clock)
    file = written(tmp_path, [("ann@example.org", "Ann", "AT", "beta", *[""] * 3),
                              ("gone@example.org", "", "", "", "unsubscribed", "", "")])  # fmt: skip
    bring(engine, file, clock)
    with engine.begin() as connection:
        ann = subscribers.find(connection, "ann@example.org")
        subscribers.set_profile(connection, ann.id, clock(), name="Anna")
        gone = subscribers.address_hash("gone@example.org", HASH_KEY)
        subscribers.lift(connection, gone, now=clock(), why="they wrote to us")
    before = snapshot(engine)
    assert bring(engine, file, clock).refused == {"left": 1}
    assert snapshot(engine) == before


def test_undone_is_told_again(engine, clock, tmp_path):
    """What was taken back is brought again whole, however often the file was imported in between."""
    anew(engine, clock)
    file = written(tmp_path, [("ann@example.org", "Ann", *[""] * 5), ("known@example.org", "New", *[""] * 5),
                              ("gone@example.org", "", "", "", "unsubscribed", "", "")])  # fmt: skip
    first = bring(engine, file, clock)
    repeat = bring(engine, file, clock)
    subscribers.undo_import(engine.begin, first.id, clock())
    third = bring(engine, file, clock)
    assert (repeat.repeat_of, third.repeat_of) == (first.id, None)
    assert (third.added, third.updated) == (1, 1)
    with engine.connect() as connection:
        gone = subscribers.address_hash("gone@example.org", HASH_KEY)
        assert len(subscribers.list_suppressions(connection, hash_=gone)) == 1
    assert bring(engine, file, clock).repeat_of == third.id


def test_another_list_is_another_import(engine, clock, tmp_path):
    """The same file into another list is no repeat."""
    anew(engine, clock)
    file = written(tmp_path, [("ann@example.org", *[""] * 6)])
    bring(engine, file, clock)
    assert bring(engine, file, clock, list_key="beta").joined == 1


def test_dry_run_knows_a_repeat(engine, clock, tmp_path):
    """A dry run says that the file was imported before, and leaves no trace."""
    anew(engine, clock)
    file = written(tmp_path, [("ann@example.org", *[""] * 6)])
    first = bring(engine, file, clock)
    assert bring(engine, file, clock, dry_run=True).repeat_of == first.id
    with engine.connect() as connection:
        assert len(connection.execute(select(tables.imports)).all()) == 1
