"""Tree -> segment text: what parse_segment reads as the same tree. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from subscribers.segment.tree import (
    Ago,
    Among,
    Begins,
    Both,
    Compare,
    Contains,
    Either,
    Field,
    Joined,
    Known,
    Leaf,
    Listed,
    Moment,
    Named,
    Node,
    Not,
    Plain,
    Received,
    Subject,
    Tagged,
    Today,
)


def segment_text(node: Node) -> str:
    """Give the text of a tree."""
    if isinstance(node, (Both, Either)):
        word = " and " if isinstance(node, Both) else " or "
        return word.join(_inner(part) for part in node.parts)
    if isinstance(node, Not):
        return f"not {_inner(node.part)}"
    return _leaf(node)


def _inner(node: Node) -> str:
    return f"({segment_text(node)})" if isinstance(node, (Both, Either)) else segment_text(node)


def _leaf(leaf: Leaf) -> str:  # noqa: PLR0911 - one for each kind of condition
    match leaf:
        case Compare(subject, how, value):
            return f"{_subject(subject)} {how} {_value(value)}"
        case Among(subject, values):
            return f"{_subject(subject)} in ({', '.join(map(_value, values))})"
        case Contains(subject, value):
            return f"{_subject(subject)} contains {_value(value)}"
        case Begins(subject, text, at_end):
            return f"{_subject(subject)} {'ends' if at_end else 'starts'} with {quoted(text)}"
        case Known(subject):
            return f"{_subject(subject)} is known"
        case Tagged(tag):
            return f"tag {quoted(tag)}"
        case Listed(key, state):
            return f"list {quoted(key)}" + (f" is {state}" if state else "")
        case Named(name):
            return f"segment {quoted(name)}"
    return received_text(leaf)


def received_text(leaf: Received) -> str:
    """Give the words of a question to the ledger."""
    of = f" of {quoted(leaf.list_key)}" if leaf.list_key is not None else ""
    if leaf.issue is not None:
        which = quoted(leaf.issue) if isinstance(leaf.issue, str) else str(leaf.issue)
        return f"received issue {which}{of}"
    if leaf.last is None:
        return f"received anything{of}"
    before = f" before {_instant(leaf.before)}" if leaf.before else ""
    return f"received any of the last {leaf.last}{of}{before}"


def _subject(subject: Subject) -> str:
    if isinstance(subject, Field):
        return str(subject)
    if isinstance(subject, Joined):
        return "joined" + (f" list {quoted(subject.list_key)}" if subject.list_key is not None else "")
    # Always in quotes: a name may be one of the grammar's words.
    return "attribute " + ".".join(map(quoted, subject.path))


def _value(value: Plain | Moment) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Ago):
        return f"{value.count} {value.unit}{'' if value.count == 1 else 's'} ago"
    if isinstance(value, Today):
        return "yesterday" if value.before else "today"
    return _instant(value) if isinstance(value, datetime) else _day(value)


def _day(day: date) -> str:
    return day.isoformat()


def _instant(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0") if moment else ""


def quoted(text: str) -> str:
    r"""Give a text in double quotes, with \ before quotes and backslashes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
