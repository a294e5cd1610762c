"""Cron's five fields, understood. Pure; text in, a rule or a ValueError out.

minute hour day-of-month month day-of-week, with `*`, lists, ranges, steps and English names; 7 is Sunday, too. As in
Vixie cron (crontab(5)), a day that both day fields restrict is due when either matches; a field that begins with `*`
restricts nothing. Unlike it, a local time that exists twice is due once: see wall.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Final

from mailer.schedule.rule import Rule

_FIELDS: Final = (
    ("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 7),
)  # fmt: skip
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES: Final = {
    "month": {name: number for number, name in enumerate(_MONTHS, 1)},
    "day of the week": {name: number for number, name in enumerate(_DAYS)},
}
_LENGTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_PART: Final = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?")


@dataclass(frozen=True, slots=True)
class CronDays:
    """The three day fields; `either` says that both day fields restrict, and one match is enough."""

    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def on(self, day: date) -> bool:
        """Say whether cron would run on this day."""
        if day.month not in self.months:
            return False
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either else in_month and in_week


def parse_cron(text: str) -> Rule:
    """Read five fields; raises ValueError that names the field, and for a date that never comes."""
    fields = text.lower().split()
    if len(fields) != len(_FIELDS) or len(text) > 200:
        raise ValueError(f'{text!r} has not the five fields of cron: write "0 8 * * 2" for Tuesdays at 08:00')
    minutes, hours, days, months, weekdays = (
        _field(part, *kind) for part, kind in zip(fields, _FIELDS, strict=True)
    )
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    if not either and all(_LENGTHS[month - 1] < min(days) for month in months):
        raise ValueError(f"{text!r} names a date that no month has")
    times = tuple(time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes))
    return Rule(text, times, CronDays(days, months, frozenset(day % 7 for day in weekdays), either))


def _field(text: str, name: str, least: int, most: int) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"{part!r} is no {name}")
        star, first, last, step = match.groups()
        low = least if star else _number(first, name, least, most)
        high = most if star or (step and not last) else low
        high = _number(last, name, least, most) if last else high
        if low > high or (step is not None and int(step) == 0):
            raise ValueError(f"{part!r} is no {name}")
        found |= set(range(low, high + 1, int(step or 1)))
    return frozenset(found)


def _number(text: str, name: str, least: int, most: int) -> int:
    number = _NAMES.get(name, {}).get(text[:3] if text.isalpha() else text)
    if number is None and text.isdecimal() and len(text) <= 2:
        number = int(text)
    if number is None or not least <= number <= most:
        raise ValueError(f"{text!r} is no {name}: {least} to {most}")
    return number
