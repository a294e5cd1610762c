"""From the clock on the wall to the instant. Pure.

One rule for every night on which clocks change: a local time is due at the first instant at which the wall clock of the
zone shows that time or a later one. So a time that does not exist (02:30 on the spring night, a whole day in Samoa) is
due the moment the gap ends, and a time that exists twice is due once, the first time. The alternative, shifting by the
length of the gap (02:30 becomes 03:30), was rejected: it sends later than anything a person wrote.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import tzinfo

_SECOND: Final = timedelta(seconds=1)


def instant(local: datetime, zone: tzinfo) -> datetime:
    """Give the first instant (UTC) at which the wall clock of `zone` shows `local` (naive) or later."""
    local = local.replace(fold=0)
    found = local.replace(tzinfo=zone).astimezone(UTC)
    return found if wall(found, zone) == local else _after_the_gap(local, zone, found)


def wall(moment: datetime, zone: tzinfo) -> datetime:
    """Give what the wall clock of `zone` shows at an instant, naive."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def _after_the_gap(local: datetime, zone: tzinfo, beyond: datetime) -> datetime:
    """Search the end of the gap: PEP 495 puts it between the readings with fold 1 and fold 0."""
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while beyond - before > _SECOND:
        middle = before + timedelta(seconds=(beyond - before) // _SECOND // 2)
        if wall(middle, zone) >= local:
            beyond = middle
        else:
            before = middle
    return beyond
