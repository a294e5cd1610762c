"""People leave in files: with all that another tool needs, and harming nobody who opens them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import subscribers
from tests.subscribers.conftest import HASH_KEY, NOW, empty

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

_words = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), exclude_characters="\ufeff"), min_size=1, max_size=12
).map(str.strip).filter(bool)  # fmt: skip
_people = st.fixed_dictionaries({
    "name": st.one_of(st.just(""), _words),
    "status": st.sampled_from(["active", "paused", "active"]),
    "language": st.sampled_from([None, "de", "pt-BR"]),
    "tags": st.lists(_words, max_size=3, unique=True),
    "attributes": st.dictionaries(_words, _words, max_size=3),
    "joined at": st.sampled_from([None, "2020-02-03T04:05:06+00:00"]),
    "consent": st.sampled_from([None, "form 7"]),
    "consent network": st.sampled_from([None, "192.0.2.0/24"]),
})  # fmt: skip
_fuzz = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.differing_executors],
)  # fmt: skip


def fresh(engine: Engine) -> None:
    empty(engine)
    with engine.begin() as connection:
        subscribers.ensure_lists(connection, ["main", "beta"], NOW, brands={"beta": "acme"})


def bring(engine: Engine, file: Path) -> subscribers.ImportResult:
    return subscribers.import_file(
        engine.begin, file, list_key="main", basis="form", now=NOW, hash_key=HASH_KEY, rejects=file.parent
    )


def exported(engine: Engine, **choice: Any) -> list[dict[str, Any]]:
    with engine.begin() as connection:
        return list(subscribers.export_rows(connection, "main", **choice))


def as_csv(engine: Engine) -> str:
    stream = io.StringIO()
    with engine.begin() as connection:
        columns = subscribers.export_columns(connection, "main")
        subscribers.write_csv(stream, columns, subscribers.export_rows(connection, "main"))
    return stream.getvalue()


@given(st.lists(_people, min_size=1, max_size=4))
@example(
    [
        {
            "name": "=1+1",
            "status": "active",
            "tags": ["a,b", '["x"]'],
            "attributes": {"email": "@x", "'=": "'=1"},
        }
    ]
)
@_fuzz
def test_round_trip(with_lists: Engine, tmp_path: Path, people: list[dict[str, Any]]) -> None:
    """An export that is imported into an empty newsletter and exported again is the same, in both formats."""
    fresh(with_lists)
    objects = [{"email": f"p{n}@example.org", **each} for n, each in enumerate(people)]
    file = tmp_path / "first.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in objects))
    assert bring(with_lists, file).added == len(people)
    first, table = exported(with_lists), as_csv(with_lists)
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    for name, text in (
        ("again.jsonl", "".join(json.dumps(each) + "\n" for each in first)),
        ("again.csv", table),
    ):
        fresh(with_lists)
        file = tmp_path / name
        file.write_text(text, newline="", encoding="utf-8")
        result = bring(with_lists, file)
        assert (result.added, result.rejected) == (len(people), 0)
        assert exported(with_lists) == first


def test_what_it_tells(engine: Engine, clock: Any) -> None:
    """State on each list, what forbids mail, and by what right: the strictest word stands as the status."""
    with engine.begin() as connection:
        subscribers.ensure_lists(connection, ["main", "beta"], clock(), brands={"beta": "acme"})
        for name in ("ann", "bob", "cem", "dea"):
            for list_key in ("main", "beta") if name == "ann" else ("main",):
                subscribers.add(
                    connection, email=f"{name}@example.org", list_key=list_key, now=clock(), hash_key=HASH_KEY,
                    basis="asked",
                )  # fmt: skip
        ids = {name: subscribers.find(connection, f"{name}@example.org").id for name in ("ann", "cem")}
        subscribers.unsubscribe(connection, ids["ann"], "beta", clock(), "page")
        subscribers.block(connection, "bob@example.org", hash_key=HASH_KEY, now=clock())
        subscribers.complain(connection, ids["cem"], "main", clock(), "fbl")
    rows = {row["email"][:3]: row for row in exported(engine)}
    assert {name: row["status"] for name, row in rows.items()} == {
        "ann": "active", "bob": "blocked", "cem": "complained", "dea": "active",
    }  # fmt: skip
    assert rows["ann"]["all lists"] == "beta: unsubscribed, main: active"
    assert rows["bob"]["suppressed"] == "manual"
    assert rows["dea"]["consent"] == "added: asked"
    assert rows["dea"]["consent at"] == rows["dea"]["joined at"]
    assert len(exported(engine, state="unsubscribed")) == 1
    with pytest.raises(subscribers.SubscribersError, match="no state"):
        exported(engine, state="quux")
    only = select(subscribers.metadata.tables["addresses"].c.subscriber_id).where(
        subscribers.metadata.tables["addresses"].c.email.like("b%")
    )
    assert [row["email"] for row in exported(engine, only=only)] == ["bob@example.org"]
