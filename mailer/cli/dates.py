"""What `mailer schedule next --every …` shows: a rule's dates, from nothing but the rule, its zone and the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any

from mailer.cli.output import emit, say
from mailer.errors import Problem, UserError
from mailer.issue.dates import read_date
from mailer.schedule.due import due_times
from mailer.schedule.plan import rule_of, zone_of
from mailer.schedule.wall import wall

if TYPE_CHECKING:
    from datetime import tzinfo

    from mailer.schedule.due import Due


def show_rule(every: str | None, cron: str | None, tz: str, start: str | None, count: int) -> None:
    """Show the next dates of one rule."""
    if every and cron:
        raise UserError(Problem("--every and --cron are two rules: give one", key="cron"))
    rule, zone = rule_of(every, cron), zone_of(tz)
    for due in islice(due_times(rule, zone, began(start, zone)), count):
        emit(instants(due, zone))
        say(f"{shown(due.utc, zone)} {tz}  =  {shown(due.utc, UTC)} UTC")


def began(start: str | None, zone: tzinfo) -> datetime:
    """Give the moment after which dates are wanted: --from, its first moment included, else now."""
    if start is None:
        return datetime.now(UTC)
    found = read_date(start, zone)
    if found is None:
        raise UserError(Problem(f"{start!r} is no date; write 2026-10-20", key="from"))
    return found.astimezone(UTC) - timedelta(microseconds=1)


def instants(due: Due, zone: tzinfo) -> dict[str, Any]:
    """Give a due time as --json has it: in the zone, with its offset, and in UTC."""
    return {"local": due.utc.astimezone(zone).isoformat(), "utc": due.utc.isoformat()}


def shown(moment: datetime, zone: tzinfo) -> str:
    """Give what the wall clock shows then."""
    return f"{wall(moment, zone):%Y-%m-%d %H:%M}"
