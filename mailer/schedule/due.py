"""Due times: a pure function of rule, zone and clock. Nothing is remembered between two calls.

Promises: in order, each instant once, all after the one that was given. Local times that fall together because clocks
were put forward are one due time.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from mailer.schedule.wall import instant, wall

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo

    from mailer.schedule.rule import Rule

_DAY: Final = timedelta(days=1)
_LOOK_BACK: Final = (
    2 * _DAY
)  # a lost day is due when it is over: a date can be due after the next one has begun
_LOOK_AHEAD: Final = 9 * 366 * _DAY  # 29 February may be eight years away
_LAST_DAY: Final = date(9990, 1, 1)
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class Due:
    """One due time: what the wall clock should show (naive), and the instant (UTC) that this comes to."""

    local: datetime
    utc: datetime


def due_times(rule: Rule, zone: tzinfo, after: datetime) -> Iterator[Due]:
    """Give the due times after an instant, without end as long as the rule has days."""
    last = after
    day = wall(after, zone).date() - _LOOK_BACK
    until = min(day + _LOOK_AHEAD, _LAST_DAY)
    while day < until:
        if rule.days.on(day):
            until = min(day + _LOOK_AHEAD, _LAST_DAY)
            for at in rule.times:
                found = instant(datetime.combine(day, at), zone)
                if found > last:
                    last = found
                    yield Due(datetime.combine(day, at), found)
        day += _DAY


def due_between(rule: Rule, zone: tzinfo, after: datetime, upto: datetime) -> list[Due]:
    """Give the newest due times, 1,000 at most, in (after, upto]."""
    return list(deque(takewhile(lambda due: due.utc <= upto, due_times(rule, zone, after)), maxlen=_MOST))
