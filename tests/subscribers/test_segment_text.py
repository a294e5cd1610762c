"""Segment text: what is understood, what is told of a mistake, and that nothing else ever happens."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from subscribers import Received, SegmentError, audience, compile_segment, freeze_segment
from subscribers.segment.grammar import _WORDS
from subscribers.segment.reading import CONDITIONS, DEPTH, LENGTH, VALUES, parse_segment
from subscribers.segment.tree import Attribute, Compare, Comparison, Not
from subscribers.segment.wording import segment_text
from tests.subscribers.segment_texts import TREES

NOW = datetime(2026, 7, 14, 22, 30, tzinfo=UTC)


def frozen(text: str, **more: object) -> str:
    return freeze_segment(text, **{"list_key": "main", "now": NOW, "zone": "Europe/Berlin", **more})


class Terms(dict[Received, object]):
    """Answers every question with nobody."""

    def __missing__(self, _key: Received) -> object:
        from sqlalchemy import false

        return lambda _person: false()


@given(TREES)
def test_a_tree_and_its_text_are_the_same(tree):
    """What is written of a tree is read as that tree, frozen ones included; addresses and domains in small letters."""
    read = parse_segment(segment_text(tree))
    assert parse_segment(segment_text(read)) == read
    assert segment_text(read) == segment_text(tree).replace("B.EXAMPLE", "b.example").replace("ANN", "ann")
    once = frozen(segment_text(tree))
    assert frozen(once) == once


_PIECES = st.sampled_from([
    *_WORDS, *(word.upper() for word in _WORDS), "country", "a.b", "joined", "email", '"x"', "'x'", '"', "'", "(", ")",
    ",", "=", "!=", "<", "<=", "==", "7", "-7.5", "2026-07-14", "2026-13-01", "2026-07-14T00:00:00Z", "today", "true",
    "days", "ago", "90", "99999999999999999999", "\\", "--", ";", "%s", ":x", "\x00", "\x1b[31m", "\n", "é", "😀",
    "\u202e", "{", "$", "DROP",
])  # fmt: skip
ANY = st.one_of(st.text(max_size=200), st.lists(_PIECES, max_size=30).map(" ".join))


@given(ANY)
def test_any_text_is_a_segment_or_a_mistake_with_its_place(text):
    """Whatever is written: a condition for both databases, or an error whose caret stands under the text."""
    try:
        condition = compile_segment(frozen(text, segments={"beta": 'tag "b"'}), Terms())
    except SegmentError as error:
        wrong = error
    else:
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            assert str(audience(1, NOW).where(condition).compile(dialect=dialect))
        return
    message, line, caret, *advice = str(wrong).split("\n")
    assert message
    assert set(caret) == {" ", "^"}
    assert len(advice) <= 1
    assert line.isprintable()
    assert 0 <= wrong.start <= wrong.end <= len(text)


@given(
    st.text(min_size=1, max_size=40).filter(str.isprintable),
    st.text(min_size=1, max_size=20).filter(str.isidentifier),
)
def test_no_word_of_a_segment_reaches_a_statement(value, name):
    """The statement is the same whatever is asked for: values and names of attributes are bound to it."""
    marked, named = f"zq{value}", f"zq{name}"
    quoted = '"' + marked.replace("\\", "\\\\").replace('"', '\\"') + '"'
    text = f'attribute "{named}" = {quoted} or tag {quoted} or name contains {quoted} or list {quoted}'
    condition = compile_segment(frozen(text), Terms())
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        assert "zq" not in str(audience(1, NOW).where(condition).compile(dialect=dialect))


@pytest.mark.parametrize(
    ("text", "caret", "told"),
    [
        ("country = DE", "DE", 'a text stands in quotes: "DE"'),
        ('country == "DE"', "==", "write one ="),
        ("a = 1 && b = 2", "&&", "write and"),
        ("a = 1 || b = 2", "||", "write or"),
        ('a <> "x"', "<>", "write !="),
        ("tag “beta”", "“", "write straight quotes"),
        ('tag "beta', '"', "this quote is never closed"),
        ('tga "beta"', "tga", "did you mean tag?"),
        ("recieved issue 5", "recieved", "did you mean received?"),
        ("received isue 5", "isue", "did you mean issue?"),
        ('country like "D"', "like", "write contains"),
        ("city is null", "null", "write is missing"),
        ('(tag "a"', "", "the closing parenthesis"),
        ('tag "a")', ")", "no parenthesis is open here"),
        ("name = 7", "7", "name is a text"),
        ('joined = "May"', '"May"', "write 2026-07-14"),
        ("joined = 90 days ago", "90 days ago", "nobody meets"),
        ("a = 2026-02-30", "2026-02-30", "no day of the calendar"),
        ('language = "klingon"', '"klingon"', "is no language"),
        ('email = "nobody"', '"nobody"', "is no address"),
        ("vip > true", "true", "with = or !="),
        ('a contains ""', '""', "would hold for everybody"),
        ("a = 1234567890123456", "1234567890123456", "write it in quotes"),
        ('segment "other"', '"other"', "there are beta, me"),
        ('list "weakly"', '"weakly"', "the lists are main, weekly"),
        ("received issue 5 of weakly", "weakly", "there is no such list"),
        ('segment "me"', '"me"', "goes in a circle: me → me"),
        ("segment beta", "beta", "goes in a circle: me → beta → me"),
    ],
)
def test_a_mistake_is_pointed_at(text, caret, told):
    """The caret stands under the word, and the words say what to write instead."""
    with pytest.raises(SegmentError) as caught:
        frozen(text, segments={"beta": "segment me", "me": text}, lists=("main", "weekly"), name="me")
    error = caught.value
    if "me → beta" not in told:
        assert text[error.start : error.end].strip() == caret
    assert told in str(error)


def test_the_caret_stands_below_wide_letters_and_in_its_line():
    """The place is shown in its own line; letters that take two columns are counted as two."""
    with pytest.raises(SegmentError) as caught:
        parse_segment('tag "漢字"\nand stadt = "漢字" und tag "x"')
    error = caught.value
    line, caret = error.pointed()
    assert (error.line, line.strip()) == (2, 'and stadt = "漢字" und tag "x"')
    assert caret.index("^") == len('    and stadt = "漢字" ') + 2


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3_900 + "a=1" + ")" * 3_900, "not " * 1_990 + "a=1", "a=1 and " * 990 + "a=1", "(" * 8_000,
        '"' * 8_000, "a." * 4_000, "a" * 8_001, "((a=1 or " * 800, "a in (" + "1," * 3_900 + "1)", "=" * 8_000,
        "\\" * 8_000, "é" * 8_000, "'\\" * 4_000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_no_text_takes_long(text):
    """Depth, length and repetition end in a tree or an error, without recursion."""
    began = time.monotonic()
    try:
        parse_segment(text)
    except SegmentError as error:
        told = str(error)
    else:
        told = ""
    assert len(told) < 1_000
    assert time.monotonic() - began < 20  # a guard against hanging, far above what it takes


def test_bounds():
    """As many conditions, levels and characters as are promised, and not one more."""
    assert parse_segment(" or ".join(["a = 1"] * CONDITIONS))
    for text in (" or ".join(["a = 1"] * (CONDITIONS + 1)), "not " * DEPTH + "a = 1", "a" * (LENGTH + 1)):
        with pytest.raises(SegmentError, match=r"more than|longer"):
            parse_segment(text)
    assert parse_segment("not " * (DEPTH - 1) + "a = 1")


def test_values_are_bounded():
    """Segments that together name more values than a database takes parameters are refused where they are checked."""
    most = LENGTH // 2 - 5
    texts = {f"s{n}": f"n in ({','.join('1' * most)})" for n in range(VALUES // most + 1)}
    with pytest.raises(SegmentError, match="more than 20,000 values"):
        frozen(" or ".join(f"segment {name}" for name in texts), segments=texts)
    texts.popitem()
    assert frozen(" or ".join(f"segment {name}" for name in texts), segments=texts)


def test_segments_that_double_are_bounded():
    """Thirty segments that each name the one before twice would be a thousand million conditions: they are refused."""
    texts = {"s0": "a = 1"} | {f"s{n}": f"segment s{n - 1} or segment s{n - 1}" for n in range(1, 31)}
    with pytest.raises(SegmentError, match="more than"):
        frozen(texts["s30"], segments=texts, name="s30")


def test_a_mistake_in_another_segment_is_told_where_it_is_named():
    """The caret stands under the name, the words say what is wrong with it."""
    with pytest.raises(SegmentError, match="that segment DE does not belong here") as caught:
        frozen("a = 1 and segment beta", segments={"beta": "country = DE"})
    assert caught.value.text[caught.value.start : caught.value.end] == "beta"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("joined < 90 days ago", "joined > 2026-04-15T22:30:00.000000Z"),
        ("joined within 90 days", "joined > 2026-04-15T22:30:00.000000Z"),
        ("joined after 90 days ago", "joined > 2026-04-15T22:30:00.000000Z"),
        ("joined > 90 days ago", "joined < 2026-04-15T22:30:00.000000Z"),
        ("joined before 90 days ago", "joined < 2026-04-15T22:30:00.000000Z"),
        ("joined <= 1 hour ago", "joined >= 2026-07-14T21:30:00.000000Z"),
        ("joined < 1 month ago", "joined > 2026-06-14T22:30:00.000000Z"),
        ("joined < 2026-07-14", "joined < 2026-07-13T22:00:00.000000Z"),
        ("joined after 2026-07-14", "joined >= 2026-07-14T22:00:00.000000Z"),
        ("joined <= 2026-01-14", "joined < 2026-01-14T23:00:00.000000Z"),
        ("joined >= today", "joined >= 2026-07-14T22:00:00.000000Z"),
        ("joined < 10000 years ago", "joined > 0001-01-02T00:00:00.000000Z"),
        ("renewal < 30 days ago", 'attribute "renewal" > 2026-06-15'),
        ("renewal = yesterday", 'attribute "renewal" = 2026-07-14'),
        ("received issue 71", 'received issue 71 of "main"'),
        (
            "received any of the last 5",
            'received any of the last 5 of "main" before 2026-07-14T22:30:00.000000Z',
        ),
        ('not segment "beta"', 'not (tag "b" or tag "c")'),
    ],
)
def test_frozen(text, meant):
    """What a segment means now: moments instead of words, its list, and other segments put in. Days are Berlin's."""
    assert frozen(text, segments={"beta": 'tag "b" or tag "c"'}) == meant


def test_months_follow_the_calendar():
    """A month before the 31st is the last day of a month that has fewer."""
    march = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert frozen("joined < 1 month ago", now=march, zone="UTC") == "joined > 2026-02-28T12:00:00.000000Z"
    assert frozen("joined < 13 months ago", now=march, zone="UTC") == "joined > 2025-02-28T12:00:00.000000Z"
    assert frozen("joined < 3 months ago", now=march, zone="UTC") == "joined > 2025-12-31T12:00:00.000000Z"


def test_names_may_be_words_of_the_grammar():
    """A word is special only where it may stand; `attribute` takes any name."""
    five = Compare(Attribute(("issue",)), Comparison.EQUAL, True)
    assert parse_segment("issue = true") == parse_segment('ATTRIBUTE "issue" = TRUE') == five
    assert parse_segment("NOT issue = true") == Not(five)
    assert parse_segment("straße.last.of = true").subject == Attribute(("straße", "last", "of"))
    assert parse_segment("android = true").subject == Attribute(("android",))
