"""What segments mean: SQLite, PostgreSQL and an evaluator in plain Python that was written from docs/segments.md."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

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
    Both,
    Compare,
    Comparison,
    Contains,
    Either,
    Field,
    Joined,
    Known,
    Listed,
    Node,
    Not,
    Received,
    Tagged,
    Today,
    Unit,
)
from subscribers.segment.wording import segment_text
from subscribers.status import SubscriptionState
from subscribers.tables import addresses, lists, subscriptions, tags
from subscribers.tables import subscribers as people_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import ColumnElement, Connection, Engine

NOW = datetime(2026, 7, 14, 22, 30, tzinfo=UTC)  # already the 15th in Berlin
ZONE = "Europe/Berlin"
SPANS = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}

# --- people and segments that meet often: few names, few values, all of them odd

TEXT_POOL = [
    "", "7", "007", "7.0", "-0.5", "1e5", "-", ".5", "7.", "1.2.3", "\u0667", "9999999999999999", "12345678901234567",
    "abc", "Abc", "ABC", "a", "é", "e\u0301", "ß", "ẞ", "\uffff", "😀", "漢字", '["x"]', '{"b":1}', "true", "null",
    "2026-01-01", "2026-07-15", "2026-07-14T05:00", "2026-1-1", "2026-07-14x", "%", "_", "*", "'", '"', "\\", "--", ";",
    " 7", "Z", "z"
]  # fmt: skip
TEXTS = st.sampled_from(TEXT_POOL)
NUMBER_POOL = [
    0, 7, 7.0, -0.5, 0.1, 0.1 + 0.2, 0.3, 1e15, 10**15, 10**20, 1e308, -1e308, 2**53 + 1, 2**63, 5e-324,
]  # fmt: skip
NUMBERS = st.sampled_from(NUMBER_POOL)
SCALARS = st.one_of(TEXTS, TEXTS, NUMBERS, st.booleans(), st.none())
NAMES = st.sampled_from(["a", "b", "tag", "straße", "😀", "0", "x y", "and"])
OBJECTS = st.dictionaries(NAMES, SCALARS, max_size=3)
VALUES = st.one_of(
    SCALARS, SCALARS, st.lists(st.one_of(SCALARS, st.lists(SCALARS, max_size=1)), max_size=3), OBJECTS
)
DAYS = st.sampled_from(
    [date(2026, 7, 13), date(2026, 7, 14), date(2026, 7, 15), date(2026, 1, 1), date(1, 1, 1)]
)


@dataclass
class Someone:
    """A person as the evaluator knows them."""

    id: int
    name: str
    email: str
    language: str | None
    time_zone: str | None
    attributes: dict[str, Any]
    joined: datetime
    tags: set[str]
    other: tuple[str, datetime] | None  # state on the list `beta`, and since when
    had: set[int] = field(default_factory=set)  # issues


@st.composite
def someones(draw: st.DrawFn) -> list[Someone]:
    count = draw(st.integers(1, 6))
    moments = st.sampled_from(
        [NOW - timedelta(hours=h) for h in (0, 1, 22, 24, 25, 24 * 7, 24 * 90, 24 * 91)]
    )
    return [
        Someone(
            number,
            draw(TEXTS),
            f"{draw(st.sampled_from(['ann', 'Bo', 'é']))}{number}@{draw(st.sampled_from(['a.example', 'b.example']))}",
            draw(st.sampled_from([None, "de", "pt-BR", "en"])),
            draw(st.sampled_from([None, "Europe/Berlin"])),
            draw(st.dictionaries(NAMES, VALUES, max_size=4)),
            draw(moments),
            draw(st.sets(st.sampled_from(["beta", "Beta", "é"]))),
            draw(st.none() | st.tuples(st.sampled_from(list(SubscriptionState)), moments)),
            draw(st.sets(st.sampled_from([70, 71]))),
        )
        for number in range(1, count + 1)
    ]


ATTRIBUTES = st.lists(NAMES, min_size=1, max_size=2).map(lambda path: Attribute(tuple(path)))
LITERALS = TEXTS.map(lambda text: text.replace("e\u0301", "é"))  # a segment's own text is NFC
FIGURE_POOL = [Decimal(text) for text in ("0", "7", "-0.5", "0.1", "0.3", "5", "100000000000000")]
FIGURES = st.sampled_from(FIGURE_POOL)
PLAIN = st.one_of(LITERALS, LITERALS, FIGURES, st.booleans())
AGES = st.builds(Ago, st.integers(0, 100), st.sampled_from([Unit.HOUR, Unit.DAY, Unit.WEEK]))
ORDERS = st.sampled_from([Comparison.LESS, Comparison.MOST, Comparison.MORE, Comparison.LEAST])
HOWS = st.sampled_from(list(Comparison))
JOINS = st.sampled_from([Joined(), Joined("main"), Joined("beta"), Joined("nowhere")])
FIELDS = st.just(Field.NAME)
PARTS = LITERALS.filter(bool)
TODAYS = st.builds(Today, st.integers(0, 1))
LEAVES = st.one_of(
    st.builds(Compare, ATTRIBUTES, HOWS, LITERALS | FIGURES | DAYS | TODAYS),
    st.builds(Compare, ATTRIBUTES, st.sampled_from([Comparison.EQUAL, Comparison.OTHER]), st.booleans()),
    st.builds(Compare, ATTRIBUTES, ORDERS, AGES),
    st.builds(Compare, FIELDS, HOWS, LITERALS),
    st.builds(Compare, st.just(Field.LANGUAGE), HOWS, st.sampled_from(["de", "pt-BR"])),
    st.builds(Compare, st.just(Field.TIME_ZONE), HOWS, st.just("Europe/Berlin")),
    st.builds(Compare, st.just(Field.DOMAIN), HOWS, st.sampled_from(["a.example", "B.EXAMPLE"])),
    st.builds(Compare, JOINS, HOWS, DAYS | TODAYS),
    st.builds(Compare, JOINS, ORDERS, AGES),
    st.builds(Among, ATTRIBUTES, st.lists(PLAIN, min_size=1, max_size=4).map(tuple)),
    st.builds(Among, FIELDS, st.lists(LITERALS, min_size=1, max_size=3).map(tuple)),
    st.builds(Contains, ATTRIBUTES, PARTS | FIGURES | st.booleans()),
    st.builds(Contains, FIELDS, PARTS),
    st.builds(Contains, st.just(Field.EMAIL), st.sampled_from(["ANN", "@a.ex", "é"])),
    st.builds(Begins, ATTRIBUTES | FIELDS, PARTS, st.booleans()),
    st.builds(Known, ATTRIBUTES | JOINS | st.sampled_from(list(Field))),
    st.builds(Tagged, st.sampled_from(["beta", "Beta", "é", "%"])),
    st.builds(
        Listed, st.sampled_from(["main", "beta", "nowhere"]), st.sampled_from([None, *SubscriptionState])
    ),
    st.builds(Received, st.sampled_from([70, 71])),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.builds(Not, below),
        st.builds(Both, st.lists(below, min_size=2, max_size=3).map(tuple)),
        st.builds(Either, st.lists(below, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)

# --- the meaning, in plain Python

_MISSING: Any = object()


def holds(node: Node, one: Someone) -> bool:  # noqa: C901, PLR0911 - one for each kind
    """Say whether someone is selected."""
    match node:
        case Both(parts):
            return all(holds(part, one) for part in parts)
        case Either(parts):
            return any(holds(part, one) for part in parts)
        case Not(part):
            return not holds(part, one)
        case Compare(subject, how, value):
            return compared(value_of(subject, one), how, value)
        case Among(subject, values):
            return any(compared(value_of(subject, one), Comparison.EQUAL, value) for value in values)
        case Contains(subject, value):
            return contained(value_of(subject, one), value.lower() if subject is Field.EMAIL else value)
        case Begins(subject, text, at_end):
            found = value_of(subject, one)
            return isinstance(found, str) and (found.endswith(text) if at_end else found.startswith(text))
        case Known(subject):
            return value_of(subject, one) is not _MISSING
        case Tagged(tag):
            return tag in one.tags
        case Listed(key, state):
            wanted = {state} if state else {SubscriptionState.ACTIVE, SubscriptionState.PAUSED}
            has = {"main": SubscriptionState.ACTIVE, "beta": one.other and one.other[0]}.get(key)
            return has in wanted
        case Received(issue):
            return issue in one.had
    raise AssertionError(node)


def value_of(subject: Any, one: Someone) -> Any:
    """Give a value, or _MISSING."""
    found: Any
    if isinstance(subject, Joined):
        found = one.joined if subject.list_key in {None, "main"} else None
        if subject.list_key == "beta" and one.other:
            found = one.other[1]
    elif isinstance(subject, Field):
        everything = {
            Field.NAME: one.name or None, Field.EMAIL: one.email.lower(), Field.LANGUAGE: one.language,
            Field.DOMAIN: one.email.partition("@")[2], Field.TIME_ZONE: one.time_zone,
        }  # fmt: skip
        found = everything[subject]
    else:
        found = one.attributes
        for name in subject.path:
            found = found.get(name) if isinstance(found, dict) else None
    return _MISSING if found is None else found


def compared(found: Any, how: Comparison, value: Any) -> bool:
    """Compare; what is missing, or of another kind, is nothing but unequal."""
    if found is _MISSING:
        return False
    if how is Comparison.OTHER:
        return not compared(found, Comparison.EQUAL, value)
    left, right = sides(found, value)
    if left is None:
        return False
    if isinstance(value, Ago):  # ages: less long ago is later
        return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[how]
    return {
        "=": left == right, "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right,
    }[how]  # fmt: skip


def sides(found: Any, value: Any) -> tuple[Any, Any]:  # noqa: PLR0911 - as above
    """Give both sides as they compare, the left one None where it is of another kind."""
    today = NOW.astimezone(ZoneInfo(ZONE)).date()
    if isinstance(value, Ago):
        ago = value.count * SPANS[value.unit]
        if isinstance(found, datetime):
            return NOW - found, ago
        day = day_of(found)
        then = (NOW - ago).astimezone(ZoneInfo(ZONE)).date()
        return (None, None) if day is None else (_Text(day), _Text(then.isoformat()))
    if isinstance(value, Today):
        value = today - timedelta(days=value.before)
    if isinstance(value, date):
        if isinstance(found, datetime):
            return found.astimezone(ZoneInfo(ZONE)).date(), value
        return day_of(found), value.isoformat()
    if isinstance(value, Decimal):
        return number_of(found), value
    if isinstance(value, bool):
        return (found, value) if isinstance(found, bool) else (None, None)
    return (
        (found, value.lower() if value == "B.EXAMPLE" else value) if isinstance(found, str) else (None, None)
    )


@dataclass(frozen=True)
class _Text:
    """A day whose age is compared: the later, the less."""

    day: str

    def __lt__(self, other: _Text) -> bool:
        return self.day > other.day

    def __le__(self, other: _Text) -> bool:
        return self.day >= other.day

    def __gt__(self, other: _Text) -> bool:
        return self.day < other.day

    def __ge__(self, other: _Text) -> bool:
        return self.day <= other.day


def day_of(found: Any) -> str | None:
    match = isinstance(found, str) and re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?=[T ]|\Z)", found)
    return match[0] if match else None


def number_of(found: Any) -> Decimal | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, (int, float)):
        return Decimal(str(found))
    if isinstance(found, str) and len(found) <= 16 and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", found):
        return Decimal(found)
    return None


def contained(found: Any, value: Any) -> bool:
    if isinstance(found, str):
        return isinstance(value, str) and value in found
    return isinstance(found, list) and any(
        compared(element, Comparison.EQUAL, value) for element in found if element is not None
    )


# --- the databases


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
