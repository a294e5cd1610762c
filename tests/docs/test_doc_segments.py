"""docs/segments.md against the program: every example is understood, and every word of the grammar is told."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime

import pytest

from subscribers import freeze_segment
from subscribers.segment.grammar import _WORDS
from subscribers.segment.reading import CONDITIONS, DEPTH, LENGTH, parse_segment
from subscribers.segment.tree import Field, Unit
from tests.docs.pages import ROOT, blocks, names, read, rows, sections

PAGE = read("segments.md")
SECTIONS = sections(PAGE)
TABLES = ("What can be asked", "Dates", "What the ledger knows")
EXAMPLES = [example for section in TABLES for row in rows(SECTIONS[section]) for example in names(row[0])]
NOW = datetime(2026, 7, 14, tzinfo=UTC)


@pytest.mark.parametrize("text", EXAMPLES)
def test_every_example_is_understood(text: str):
    """Each condition of the tables is one that the program reads."""
    parse_segment(text)


@pytest.mark.parametrize(
    "block", [*blocks(PAGE, "segments"), (ROOT / "examples/slack-water/segments.toml").read_text()]
)
def test_every_file_is_understood(block: str):
    """Each segments.toml of the page, and that of the example newsletter."""
    texts = tomllib.loads(block)
    assert texts
    for name, text in texts.items():
        freeze_segment(text, list_key="main", now=NOW, segments=texts, name=name)


def test_no_word_is_left_out():
    """Every word of the grammar, every field and every unit stands on the page."""
    told = set(PAGE.replace("`", " ").replace("(", " ").replace(",", " ").replace("-", " ").split())
    words = {
        *_WORDS,
        *Field,
        *(f"{unit}s" for unit in Unit),
        "ago",
        "true",
        "false",
        "today",
        "yesterday",
        "joined",
    }
    assert {word for word in words if word not in told and word.capitalize() not in told} <= {"issues"}


def test_the_limits_are_told():
    """The figures of the last section are the program's."""
    assert all(f"{limit:,} {what}" in SECTIONS["Limits"] for limit, what in (
        (LENGTH, "characters"), (CONDITIONS, "conditions"), (DEPTH, "levels"),
    ))  # fmt: skip
