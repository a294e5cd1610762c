"""Segments: text that a person reviews -> a condition that a database answers.

    text ──parse──► tree ──freeze──► tree that stands alone ──compile──► condition

parse (reading.py, grammar.py, building.py, advice.py) understands or points at the mistake; freeze (freezing.py)
puts other segments in and makes times instants; compile (condition.py, expressions.py) asks. What only the ledger
knows comes in as `terms`. docs/segments.md is the page for those who write them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from subscribers.segment.errors import SegmentError
from subscribers.segment.tree import Received

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from subscribers.segment.condition import Terms

__all__ = [
    "Received",
    "SegmentError",
    "compile_segment",
    "freeze_segment",
    "index_statements",
    "named_issues",
    "unheld_attributes",
]


def freeze_segment(
    text: str,
    *,
    list_key: str,
    now: datetime,
    zone: str = "UTC",
    segments: Mapping[str, str] | None = None,
    lists: Collection[str] | None = None,
    name: str = "",
) -> str:
    """Give the text standing alone: other segments put in, its list named, each moment an instant.

    `segments` are the texts that `segment "x"` names, `name` is this one's own among them; `lists` are those there are.
    Raises SegmentError, with a caret, for a text that is wrong, a segment or list that there is none of, and a circle.
    """
    from subscribers.segment.freezing import Frame, freeze  # noqa: PLC0415 - few commands need segments
    from subscribers.segment.wording import segment_text  # noqa: PLC0415

    return segment_text(freeze(text, Frame(list_key, now, zone, lists), segments or {}, name))


def compile_segment(
    text: str, terms: Terms, declared: Mapping[str, str] | None = None
) -> ColumnElement[bool]:
    """Give the condition of a frozen text, for `.where()` of a Select that `audience()` gave.

    `terms` gives for each Received of the text a function from a subscriber's id to the condition that they did.
    `declared`, the attributes with indexes as {"address.city": "text"}, is for counting a whole list; leave it out
    where a range of ids is asked for.
    Every value is a bound parameter. Raises SegmentError.
    """
    from subscribers.segment.condition import compiled  # noqa: PLC0415
    from subscribers.segment.reading import FROZEN_LENGTH, parse_segment  # noqa: PLC0415

    paths = {tuple(name.split(".")): kind for name, kind in (declared or {}).items()}
    return compiled(parse_segment(text, FROZEN_LENGTH), terms, paths)


def index_statements(connection: Connection, declared: Mapping[str, str]) -> list[str]:
    """Give the statements that make the indexes of declared attributes the ones there are.

    Each is to be run by itself; on PostgreSQL outside of a transaction (CONCURRENTLY).
    """
    from subscribers.segment.indexes import index_statements as statements  # noqa: PLC0415

    return statements(connection, declared)


def unheld_attributes(connection: Connection, text: str) -> tuple[str, ...]:
    """Give the attributes of a frozen text that none of the newest 10,000 people has; raises SegmentError."""
    from subscribers.segment.doubting import unheld  # noqa: PLC0415

    return unheld(connection, text)


def named_issues(text: str) -> tuple[Received, ...]:
    """Give what a frozen text asks of issues by their number or slug; raises SegmentError."""
    from subscribers.segment.doubting import named_issues as named  # noqa: PLC0415

    return named(text)
