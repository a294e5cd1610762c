"""What segments mean: SQLite, PostgreSQL and an evaluator in plain Python that was written from docs/segments.md."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import exists, insert, select
from sqlalchemy.dialects import postgresql

import subscribers
from mailer.database import open_engine
from subscribers import audience, compile_segment, freeze_segment
from subscribers.segment.tree import (
    Ago,
    Among,
    Attribute,
    Begins,
    Compare,
    Comparison,
    Contains,
    Known,
    Node,
    Not,
    Received,
    Today,
    Unit,
)
from subscribers.segment.wording import segment_text
from subscribers.status import SubscriptionState
from subscribers.tables import addresses, lists, subscriptions, tags
from subscribers.tables import subscribers as people_table
from tests.subscribers.segment_evaluator import holds
from tests.subscribers.segment_texts import (
    FIGURE_POOL,
    NOW,
    NUMBER_POOL,
    TEXT_POOL,
    TREES,
    ZONE,
    Someone,
    someones,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Engine


class Ask:
    """Asks one database whom a segment selects."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def __call__(self, everybody: list[Someone], trees: list[Node]) -> list[set[int]]:
        with self.engine.connect() as connection:
            keep(connection, everybody)
            found = [selected(connection, everybody, tree) for tree in trees]
            connection.rollback()
        return found


def keep(connection: Connection, everybody: list[Someone]) -> None:
    """Write people, with the lists `main` (1) and `beta` (2)."""
    connection.execute(
        insert(lists), [{"id": i, "key": k, "created_at": NOW} for i, k in ((1, "main"), (2, "beta"))]
    )
    same = {"created_at": NOW, "updated_at": NOW}
    for one in everybody:
        person = {"id": one.id, "name": one.name, "language": one.language, "time_zone": one.time_zone}
        connection.execute(insert(people_table).values(**person, attributes=one.attributes, **same))
        mail = {"email": one.email, "normalized": one.email.lower(), "domain": one.email.partition("@")[2]}
        connection.execute(
            insert(addresses).values(subscriber_id=one.id, hash=one.id.to_bytes(16), changed_at=NOW, **mail)
        )
        on = [(1, SubscriptionState.ACTIVE, one.joined), *([(2, *one.other)] if one.other else [])]
        for list_id, state, joined in on:
            row = {
                "list_id": list_id,
                "subscriber_id": one.id,
                "state": state,
                "joined_at": joined,
                "changed_at": NOW,
            }
            connection.execute(insert(subscriptions).values(**row))
        for tag in one.tags:
            connection.execute(insert(tags).values(subscriber_id=one.id, tag=tag))


def _had(ids: list[int], person: ColumnElement[int]) -> ColumnElement[bool]:
    had = people_table.alias("had")
    return exists(select(had.c.id).where(had.c.id.in_(ids), had.c.id == person))


def selected(connection: Connection, everybody: list[Someone], tree: Node, **more: Any) -> set[int]:
    """Give the ids of those whom the tree selects, through its text, frozen and compiled."""
    text = freeze_segment(segment_text(tree), list_key="main", now=NOW, zone=ZONE)
    terms = {
        Received(issue, list_key="main"): partial(_had, [one.id for one in everybody if issue in one.had])
        for issue in (70, 71)
    }
    query = audience(1, NOW).where(compile_segment(text, terms, **more))
    return {row.subscriber_id for row in connection.execute(query)}


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    made = open_engine(f"sqlite:///{tmp_path_factory.mktemp('meaning') / 'people.db'}")
    subscribers.metadata.create_all(made)
    yield made
    made.dispose()


DECLARED = {"a": "text", "b": "number", "tag": "date", "a.b": "number"}


# Each example rolls back what it wrote, so that a database emptied once is empty for every one of them.
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]


@settings(suppress_health_check=QUIET, max_examples=150)
@given(everybody=someones(), trees=st.lists(TREES, min_size=1, max_size=8))
def test_both_databases_mean_what_is_written(lite, clean_postgres, everybody, trees):
    """Whatever people and segments there are: SQLite, PostgreSQL and plain Python select the same."""
    meant = [{one.id for one in everybody if holds(tree, one)} for tree in trees]
    for engine in (lite, clean_postgres):
        found = Ask(engine)(everybody, trees)
        for tree, wanted, got in zip(trees, meant, found, strict=True):
            assert got == wanted, (engine.dialect.name, segment_text(tree))


def _of_every_kind() -> list[Any]:
    scalars = [*TEXT_POOL, *NUMBER_POOL, True, False, None]
    return [
        *scalars,
        *([one] for one in scalars),
        [],
        {},
        {"b": 7},
        [["abc"]],
        ["a", 7, True],
        [7.0, None],
        [{"b": 1}],
    ]


def _every_question() -> list[Node]:
    one = Attribute(("a",))
    texts = [text for text in TEXT_POOL if text != "e\u0301"]
    values = [*texts, *FIGURE_POOL, date(2026, 1, 1), date(2026, 7, 14), Today(), Today(1)]
    nodes: list[Node] = [Compare(one, how, value) for how in Comparison for value in values]
    nodes += [
        Compare(one, how, value) for how in (Comparison.EQUAL, Comparison.OTHER) for value in (True, False)
    ]
    nodes += [Among(one, (value,)) for value in (*texts, *FIGURE_POOL, True, False)]
    nodes += [Contains(one, value) for value in (*filter(None, texts), *FIGURE_POOL, True, False)]
    nodes += [Begins(one, text, at_end) for text in texts if text for at_end in (True, False)]
    ages = [Compare(one, how, Ago(195, Unit.DAY)) for how in Comparison if how not in {"=", "!="}]
    return [
        *nodes,
        *ages,
        Known(one),
        Known(Attribute(("a", "b"))),
        Compare(Attribute(("a", "b")), Comparison.EQUAL, Decimal(7)),
    ]


@pytest.mark.parametrize("declared", [{}, {"a": "text"}, {"a": "number"}, {"a": "date"}], ids=str)
def test_every_operator_on_every_kind_of_value(lite, clean_postgres, declared):
    """Each operator with each literal, on each kind of value: the same on both, and as the documentation says."""
    common = {"name": "", "language": None, "time_zone": None, "joined": NOW, "tags": set(), "other": None}
    values = _of_every_kind()
    everybody = [
        Someone(number, email=f"p{number}@a.example", attributes={"a": value}, **common)
        for number, value in enumerate(values, 1)
    ]
    everybody.append(Someone(len(values) + 1, email="z@a.example", attributes={}, **common))
    for engine in (lite, clean_postgres):
        with engine.connect() as connection:
            keep(connection, everybody)
            for tree in _every_question():
                for asked in (tree, Not(tree)):
                    found = selected(connection, everybody, asked, declared=declared)
                    meant = {one.id for one in everybody if holds(asked, one)}
                    odd = [one.attributes for one in everybody if one.id in found ^ meant]
                    assert not odd, (engine.dialect.name, segment_text(asked))
            connection.rollback()


@pytest.mark.parametrize("written", ['name < "a"', 'domain >= "a"', 'a < "a"', "a < 2026-07-14"])
def test_postgresql_is_told_to_compare_by_code_points(written):
    """A database that sorts as people do (a, B, c) must not: each order names the collation of code points.

    The server of these tests sorts by them anyway, so the statement is what can be looked at.
    """
    condition = compile_segment(freeze_segment(written, list_key="main", now=NOW), {})
    asked = str(condition.compile(dialect=postgresql.dialect()))
    assert re.search(r' COLLATE "C"\) (<|>=) %', asked), asked


def test_only_a_list_contains_elements(lite, clean_postgres):
    """Neither an object with that among its values nor the value itself contains it: `contains` looks into lists."""
    common = {"name": "", "language": None, "time_zone": None, "joined": NOW, "tags": set(), "other": None}
    values = [[7, "x", True], {"b": 7, "c": "x", "d": True}, 7, True]
    everybody = [
        Someone(number, email=f"p{number}@a.example", attributes={"a": value}, **common)
        for number, value in enumerate(values, 1)
    ]
    asked: list[Node] = [Contains(Attribute(("a",)), value) for value in (Decimal(7), "x", True)]
    for engine in (lite, clean_postgres):
        assert Ask(engine)(everybody, asked) == [{1}, {1}, {1}], engine.dialect.name
