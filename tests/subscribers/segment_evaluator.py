"""What a segment means, in plain Python: written from docs/segments.md, not from the program."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from subscribers.segment.tree import (
    Ago,
    Among,
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
)
from subscribers.status import SubscriptionState
from tests.subscribers.segment_texts import NOW, SPANS, ZONE, Someone

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
