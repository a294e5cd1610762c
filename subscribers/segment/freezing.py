"""A segment made to stand alone: other segments put in, the list named, every moment an instant. Pure.

What is planned from is this text, kept with the audience: editing segments.toml, or time going on, changes nobody of
a mailing that began.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from subscribers.segment.errors import SegmentError
from subscribers.segment.reading import parse_segment, within_bounds
from subscribers.segment.tree import (
    Ago,
    Attribute,
    Both,
    Compare,
    Comparison,
    Either,
    Joined,
    Known,
    Leaf,
    Listed,
    Named,
    Node,
    Not,
    Received,
    Today,
    Unit,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_SPANS: Final = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}
_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_AGES: Final = {
    Comparison.LESS: Comparison.MORE,
    Comparison.MOST: Comparison.LEAST,
    Comparison.MORE: Comparison.LESS,
    Comparison.LEAST: Comparison.MOST,
}
"""Less long ago is later."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a segment is understood by: the list that is mailed, now, and the time zone that days are counted in."""

    list_key: str
    now: datetime
    zone: str = "UTC"
    lists: Collection[str] | None = None  # those there are, where that is known


def freeze(text: str, frame: Frame, segments: Mapping[str, str], name: str = "") -> Node:
    """Give the tree of `text` standing alone; `name` is its own among `segments`.

    Raises SegmentError for a text that is wrong, a segment that there is none of, and a circle of segments.
    """
    found = _put_in(parse_segment(text), text, Others(segments, frame.lists), (name,) if name else ())
    return within_bounds(mapped(found, lambda leaf: _fixed(leaf, frame)), text)


def mapped(node: Node, change: Callable[[Leaf], Node]) -> Node:
    """Give the tree with each condition changed."""
    if isinstance(node, Both):
        return Both(tuple(mapped(part, change) for part in node.parts))
    if isinstance(node, Either):
        return Either(tuple(mapped(part, change) for part in node.parts))
    return Not(mapped(node.part, change)) if isinstance(node, Not) else change(node)


@dataclass(frozen=True, slots=True)
class Others:
    """What a text may name."""

    segments: Mapping[str, str]
    lists: Collection[str] | None


def _put_in(node: Node, text: str, others: Others, around: tuple[str, ...]) -> Node:
    segments = others.segments

    def put(leaf: Leaf) -> Node:
        if not isinstance(leaf, Named):
            _require_list(leaf, text, others.lists)
            return leaf
        if leaf.name in around:
            circle = " → ".join((*around[around.index(leaf.name) :], leaf.name))
            raise SegmentError(f"goes in a circle: {circle}", text, *leaf.place)
        if leaf.name not in segments:
            raise SegmentError("there is no such segment", text, *leaf.place, _others(segments))
        inner = segments[leaf.name]
        return _put_in(_of(leaf, inner, text), inner, others, (*around, leaf.name))

    # A few segments that name each other twice would double with each: the bound holds on the way, too.
    return within_bounds(mapped(node, put), text)


def _require_list(leaf: Leaf, text: str, lists: Collection[str] | None) -> None:
    asked = leaf.subject if isinstance(leaf, (Compare, Known)) else leaf
    if lists is None or not isinstance(asked, (Joined, Listed, Received)):
        return
    if asked.list_key is not None and asked.list_key not in lists:
        raise SegmentError(
            "there is no such list", text, *asked.place, f"the lists are {', '.join(sorted(lists))}"
        )


def _of(leaf: Named, inner: str, text: str) -> Node:
    try:
        return parse_segment(inner)
    except SegmentError as error:
        raise SegmentError(f"that segment {error.message}", text, *leaf.place, error.advice) from None


def _others(segments: Mapping[str, str]) -> str:
    return f"there are {', '.join(sorted(segments)[:20])}" if segments else "segments.toml names none"


def _fixed(leaf: Leaf, frame: Frame) -> Node:
    """Give one condition without now, and with its list."""
    if isinstance(leaf, Received):
        before = leaf.before or (frame.now if leaf.last is not None else None)
        return replace(leaf, list_key=leaf.list_key or frame.list_key, before=before)
    if isinstance(leaf, Compare) and isinstance(leaf.subject, Joined):
        return _moment(leaf, frame)
    if isinstance(leaf, Compare) and isinstance(leaf.subject, Attribute):
        return _days(leaf, frame)
    return leaf


def _days(leaf: Compare, frame: Frame) -> Compare:
    """Attributes hold days: their age is counted in days of the list's time zone."""
    if isinstance(leaf.value, Ago):
        day = _before(frame.now, leaf.value, frame.zone).astimezone(ZoneInfo(frame.zone)).date()
        return replace(leaf, how=_AGES[leaf.how], value=day)
    if isinstance(leaf.value, Today):
        return replace(leaf, value=_today(leaf.value, frame))
    return leaf


def _moment(leaf: Compare, frame: Frame) -> Node:
    value = leaf.value
    if isinstance(value, Ago):
        return replace(leaf, how=_AGES[leaf.how], value=_before(frame.now, value, frame.zone))
    day = _today(value, frame) if isinstance(value, Today) else value
    if isinstance(day, datetime) or not isinstance(day, date):
        return leaf
    begins = _begin(day, frame.zone)
    ends = _begin(day + timedelta(days=1), frame.zone) if day < date.max else begins
    return _against_day(leaf, begins, ends)


def _against_day(leaf: Compare, begins: datetime, ends: datetime) -> Node:
    """Compare with all of a day: after it is after its end, on it is from its beginning until before its end."""
    since, until = (
        replace(leaf, how=Comparison.LEAST, value=begins),
        replace(leaf, how=Comparison.LESS, value=ends),
    )
    match leaf.how:
        case Comparison.LESS:
            return replace(leaf, value=begins)
        case Comparison.MOST:
            return until
        case Comparison.MORE:
            return replace(leaf, how=Comparison.LEAST, value=ends)
        case Comparison.LEAST:
            return since
        case Comparison.EQUAL:
            return Both((since, until))
        case Comparison.OTHER:
            return Both((Known(leaf.subject), Not(Both((since, until)))))


def _today(value: Today, frame: Frame) -> date:
    return frame.now.astimezone(ZoneInfo(frame.zone)).date() - timedelta(days=value.before)


def _begin(day: date, zone: str) -> datetime:
    try:
        return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    except OverflowError:
        return _FIRST


def _before(now: datetime, ago: Ago, zone: str) -> datetime:
    """Give the moment so long before now; never before the calendar begins."""
    try:
        if ago.unit in _SPANS:
            return now - ago.count * _SPANS[ago.unit]
        return _months_before(
            now.astimezone(ZoneInfo(zone)), ago.count * (12 if ago.unit is Unit.YEAR else 1)
        )
    except (OverflowError, ValueError):
        return _FIRST


def _months_before(local: datetime, months: int) -> datetime:
    """Give the same hour of the same day, or of the month's last day where there is no such day."""
    index = local.year * 12 + local.month - 1 - months
    year, month = divmod(index, 12)
    last = (date(year + month // 11, (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
    return local.replace(year=year, month=month + 1, day=min(local.day, last)).astimezone(UTC)
