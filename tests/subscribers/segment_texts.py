"""People and segments that meet often, drawn: few names, few values, all of them odd."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

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
from subscribers.status import SubscriptionState

NOW = datetime(2026, 7, 14, 22, 30, tzinfo=UTC)  # already the 15th in Berlin


ZONE = "Europe/Berlin"


SPANS = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}


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
