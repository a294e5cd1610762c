"""A segment as a tree of frozen values: what was written, understood and checked, and nothing of how it is asked.

Equal trees mean the same. The places of words are kept beside them for errors and take no part in comparing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from subscribers.status import SubscriptionState  # noqa: TC001 - dataclasses may be asked for their types


class Field(StrEnum):
    """What is known of everybody, beside attributes."""

    EMAIL = "email"
    DOMAIN = "domain"
    NAME = "name"
    LANGUAGE = "language"
    TIME_ZONE = "time_zone"


class Comparison(StrEnum):
    """How two values stand to each other."""

    EQUAL = "="
    OTHER = "!="
    LESS = "<"
    MOST = "<="
    MORE = ">"
    LEAST = ">="


class Unit(StrEnum):
    """Spans of time. Hours, days and weeks are exact; months and years follow the calendar."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Attribute:
    """What is kept of a person under a name, or a name within a name."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """When a person joined a list; None is the list that is mailed."""

    list_key: str | None = None
    place: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Ago:
    """A moment before now. Compared by age: `< 90 days ago` is less than 90 days old."""

    count: int
    unit: Unit


@dataclass(frozen=True, slots=True)
class Today:
    """The day of now, or so many days before it."""

    before: int = 0


Subject: TypeAlias = Field | Attribute | Joined
Plain: TypeAlias = str | Decimal | bool
# A date is a whole day in the list's time zone; a datetime is a moment in UTC.
Moment: TypeAlias = Ago | Today | date | datetime


@dataclass(frozen=True, slots=True)
class Compare:
    """A value against another."""

    subject: Subject
    how: Comparison
    value: Plain | Moment


@dataclass(frozen=True, slots=True)
class Among:
    """A value that is one of several."""

    subject: Field | Attribute
    values: tuple[Plain, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """A text that holds another, or a list in an attribute that has an element."""

    subject: Field | Attribute
    value: Plain


@dataclass(frozen=True, slots=True)
class Begins:
    """A text that begins with another, or ends with it."""

    subject: Field | Attribute
    text: str
    at_end: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """Something that is known at all."""

    subject: Subject


@dataclass(frozen=True, slots=True)
class Tagged:
    """A person who bears a tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A person on a list: in one state, or on it at all (active or paused)."""

    list_key: str
    state: SubscriptionState | None = None
    place: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Named:
    """Whoever is in another segment."""

    name: str
    place: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Received:
    """What only the ledger knows: who got an issue (number or slug), one of the last issues, or anything at all.

    `list_key` is whose issue; None is the list that is mailed. `before` is when the last issues are counted from.
    """

    issue: int | str | None = None
    last: int | None = None
    list_key: str | None = None
    before: datetime | None = None
    place: tuple[int, int] = field(default=(0, 0), compare=False)


@dataclass(frozen=True, slots=True)
class Both:
    """All of several."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """One of several, or more."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary: whoever is not selected by the part, missing values included."""

    part: Node


Leaf: TypeAlias = Compare | Among | Contains | Begins | Known | Tagged | Listed | Named | Received
Node: TypeAlias = Leaf | Both | Either | Not


def leaves(node: Node) -> list[Leaf]:
    """Give every condition of a tree, from left to right."""
    found: list[Leaf] = []
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, (Both, Either)):
            waiting.extend(reversed(one.parts))
        elif isinstance(one, Not):
            waiting.append(one.part)
        else:
            found.append(one)
    return found


def depth(node: Node) -> int:
    """Give how deep conditions lie in a tree; a condition alone is 1. Not recursive: a text may nest 2,000 levels."""
    levels, here = 0, [node]
    while here:
        levels += 1
        here = [below for one in here for below in _below(one)]
    return levels


def _below(node: Node) -> tuple[Node, ...]:
    if isinstance(node, (Both, Either)):
        return node.parts
    return (node.part,) if isinstance(node, Not) else ()
