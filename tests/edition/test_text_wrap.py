"""Lines of plain words are wrapped by a shorter way, and just as all others are."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailer.edition.text import wrap as wrapping
from mailer.edition.text.measure import Measure

WORDS = st.sampled_from(
    ["a", "word", "longerword", "x" * 30, "a-b", "\x01bold\x02", "-", "\u2013", "1.", "2)", "#", ">"]
)
WIDE = "\u3000"  # takes two columns, so that its line goes the long way


@given(st.lists(WORDS, min_size=1, max_size=40), st.sampled_from([10, 24, 40]))
def test_the_shorter_way_gives_the_same_lines(words, width):
    """What is narrow, and what is measured unit by unit, end up alike."""
    measure = Measure({})
    line = " ".join(words)
    assert measure.is_narrow(line)
    rows, row, used = [], "", 0
    for unit in wrapping._units(line, measure):
        if row and used + unit.width + 1 > width:
            rows.append(row + " ")
            row, used = "", 0
        used += unit.width + bool(row)
        row = f"{row} {unit.text}" if row else unit.text
    assert list(wrapping._fill_narrow(line, width)) == [*rows, row]


def test_what_is_wide_or_a_token_is_not_narrow():
    """A token takes the columns of a reader's value, an ideograph takes two."""
    measure = Measure({"mf0123": 16})
    assert not measure.is_narrow("a mf0123 b")
    assert not measure.is_narrow(WIDE)
    assert measure.is_narrow("“Größe” – a b")  # noqa: RUF001 - typographic marks
