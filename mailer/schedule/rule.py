"""When: the rules that people write, understood. Pure; text in, a frozen rule or a ValueError for a person out.

    Tue 08:00                               Mon,Thu 07:30        day 08:00        weekday 06:45
    first weekday of the month 09:00        last Fri of the month 16:00

A rule knows local times and days alone; the zone is the schedule's, and `due.py` joins the two.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, time
from typing import Final, Protocol

_NAMES: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_EVERY_DAY: Final = frozenset(range(7))
_GROUPS: Final = {"day": _EVERY_DAY, "weekday": frozenset(range(5))}
_WHICH: Final = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": -1}
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})")
_SHAPE: Final = re.compile(
    r"(?:(?P<which>[a-z]+)\s+(?P<kind>[a-z,]+)\s+of\s+(?:the\s+)?month|(?P<days>[a-z]+(?:\s*,\s*[a-z]+)*))"
    r"\s+(?P<time>\S+)"
)
EXAMPLES: Final = (
    '"Tue 08:00", "Mon,Thu 07:30", "day 08:00", "weekday 08:00" or "first Tue of the month 09:00"'
)


class Days(Protocol):
    """Which days a rule means."""

    def on(self, day: date) -> bool:
        """Say whether this is one of them."""
        ...


@dataclass(frozen=True, slots=True)
class Weekdays:
    """These days of every week; Monday is 0."""

    days: frozenset[int]

    def on(self, day: date) -> bool:
        """Say whether this is one of them."""
        return day.weekday() in self.days


@dataclass(frozen=True, slots=True)
class OfMonth:
    """The first (1) to fourth, or the last (-1), of these days of the week in each month."""

    which: int
    days: frozenset[int]

    def on(self, day: date) -> bool:
        """Say whether this is one of them."""
        if day.weekday() not in self.days:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        meant = [
            number for number in range(1, length + 1) if (day.weekday() + number - day.day) % 7 in self.days
        ]
        return meant[self.which - 1 if self.which > 0 else self.which] == day.day


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: these local times, earliest first, on these days. `text` is what the person wrote."""

    text: str
    times: tuple[time, ...]
    days: Days


def parse_every(text: str) -> Rule:
    """Read what `every` says; raises ValueError that shows how it is written."""
    if len(text) > 100:
        raise ValueError(f"is too long; write {EXAMPLES}")
    match = _SHAPE.fullmatch(" ".join(text.lower().split()))
    if match is None:
        raise ValueError(f"{text!r} is no rule; write {EXAMPLES}")
    at = (_time(match["time"]),)
    if match["days"]:
        return Rule(text, at, Weekdays(_days(match["days"])))
    if match["which"] not in _WHICH:
        raise ValueError(f"{match['which']!r} is none of first, second, third, fourth and last")
    return Rule(text, at, OfMonth(_WHICH[match["which"]], _days(match["kind"])))


def _days(text: str) -> frozenset[int]:
    found: set[int] = set()
    for name in text.replace(" ", "").split(","):
        if name in _GROUPS:
            found |= _GROUPS[name]
        elif (day := weekday(name)) is not None:
            found.add(day)
        else:
            raise ValueError(f"{name!r} is no day; write Mon, Tue, Wed, Thu, Fri, Sat, Sun, day or weekday")
    return frozenset(found)


def weekday(name: str) -> int | None:
    """Give the number of a day's English name, short or long; Monday is 0."""
    for names in (_NAMES, _LONG):
        if name in names:
            return names.index(name)
    return None


def _time(text: str) -> time:
    match = _TIME.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError(f"{text!r} is no time of day; write it as 08:00")
    return time(int(match[1]), int(match[2]))
