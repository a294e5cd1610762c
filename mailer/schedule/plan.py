"""Plans: the schedules of mailer.toml, understood: rule, zone, and what lateness does. Pure.

What `send:` says in an issue's front matter is a plan, too: of one due time, named as the mailing will be (`72.main`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailer.errors import Problem, UserError
from mailer.schedule.cron import parse_cron
from mailer.schedule.due import Due, due_between, due_times
from mailer.schedule.rule import Rule, parse_every

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import tzinfo
    from pathlib import Path

    from mailer.settings import Settings
    from mailer.settings.schedule import ScheduleSettings


@dataclass(frozen=True, slots=True)
class Lateness:
    """What a send that comes late does: goes out within `hours`, then asks, or is skipped."""

    hours: float = 6
    ask: bool = True

    @property
    def grace(self) -> timedelta:
        """How late it may still go out by itself."""
        return timedelta(hours=self.hours)


@dataclass(frozen=True, slots=True)
class Plan:
    """One schedule. It has a `rule`, or is the one date `once` of the issue in `path`."""

    name: str
    list_key: str
    zone_name: str
    rule: Rule | None = None
    once: Due | None = None
    path: Path | None = None
    lateness: Lateness = Lateness()
    local_time: bool = False
    wait_for: str | None = None
    wait: timedelta = timedelta(hours=2)
    tell_empty: bool = True

    @property
    def zone(self) -> tzinfo:
        """The zone of its times."""
        return zone_of(self.zone_name)

    @property
    def says(self) -> str:
        """What it says of its times: the same text means the same times."""
        return f"{self.rule.text if self.rule else 'once'} {self.zone_name}"

    def after(self, moment: datetime) -> Iterator[Due]:
        """Give its due times after an instant."""
        if self.rule is not None:
            yield from due_times(self.rule, self.zone, moment)
        elif self.once is not None and self.once.utc > moment:
            yield self.once

    def between(self, after: datetime, upto: datetime) -> list[Due]:
        """Give its newest due times in (after, upto]."""
        if self.rule is not None:
            return due_between(self.rule, self.zone, after, upto)
        return [self.once] if self.once is not None and after < self.once.utc <= upto else []


def zone_of(name: str) -> tzinfo:
    """Give the zone of an IANA name; raises UserError for an unknown one."""
    if name.upper() == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = f"{name!r} is no time zone; write a name such as Europe/Berlin"
        raise UserError(Problem(message, key="time_zone")) from None


def rule_of(every: str | None, cron: str | None) -> Rule:
    """Give the rule that one of the two says; raises UserError that shows how it is written."""
    key, text = ("cron", cron) if every is None else ("every", every)
    try:
        return parse_cron(text or "") if key == "cron" else parse_every(text or "")
    except ValueError as error:
        raise UserError(Problem(str(error), key=key)) from None


def plans_of(settings: Settings) -> tuple[Plan, ...]:
    """Give the plans of mailer.toml; raises UserError with every rule that cannot be read, each with its line."""
    plans: list[Plan] = []
    problems: list[Problem] = []
    for one in settings.schedules:
        try:
            plans.append(_plan(one))
        except UserError as error:
            problems += [
                settings.problem(problem.message, "schedule", one.index, str(problem.key))
                for problem in error.problems
            ]
    if problems:
        raise UserError(*problems)
    return tuple(plans)


def _plan(one: ScheduleSettings) -> Plan:
    return Plan(
        one.name,
        one.list_key,
        one.time_zone,
        rule_of(one.every, one.cron),
        lateness=Lateness(one.late_hours, one.late == "ask"),
        local_time=one.local_time,
        wait_for=one.wait_for,
        wait=timedelta(hours=one.wait_hours),
        tell_empty=one.empty == "tell",
    )
