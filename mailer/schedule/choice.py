"""What: which issue a due time means. Pure; the files' heads and the record of what went out in, a choice out.

A candidate is an issue of the list that is no draft, has a date no later than the due time and no older than the
schedule, is newer than everything that went out, and names no hour of its own (`send:`). Whatever nearly is one, and
why it is none, is a hint: a person reads it where nothing was sent.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mailer.schedule.wall import wall

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime, tzinfo

    from mailer.issue.find import Found
    from mailer.schedule.due import Due

_MOST_HINTS: Final = 5


@dataclass(frozen=True, slots=True)
class Record:
    """What went out of one list, or was declared sent: numbers, slugs, and when the newest mailing was made here."""

    numbers: Collection[int] = frozenset()
    slugs: Collection[str] = frozenset()
    newest: datetime | None = None  # of those that were not merely declared

    def holds(self, issue: Found) -> bool:
        """Say whether the issue is on record."""
        return issue.slug in self.slugs or (issue.number is not None and issue.number in self.numbers)

    @property
    def empty(self) -> bool:
        """Whether nothing ever went out."""
        return not self.slugs


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates, oldest first, and what stands beside them."""

    candidates: tuple[Found, ...] = ()
    first: bool = False  # nothing of the list is on record as sent
    hints: tuple[str, ...] = field(default=())


def choose(issues: Sequence[Found], record: Record, due: Due, zone: tzinfo, first_seen: datetime) -> Choice:
    """Choose for one due time of a schedule that appeared at `first_seen`."""
    limits = _Limits(issues, record, due, zone, first_seen)
    candidates, hints = [], []
    for issue in issues:
        if record.holds(issue) or issue.send is not None:
            continue
        if (why := limits.against(issue)) is None:
            candidates.append(issue)
        elif why:
            hints.append(f"{issue.path.name} {why}")
    candidates.sort(key=_age)
    return Choice(tuple(candidates), record.empty, tuple(hints[-_MOST_HINTS:]))


def named(issue: Found, record: Record) -> Choice:
    """Choose for the date that an issue's own `send:` names."""
    if record.holds(issue):
        return Choice(hints=(f"{issue.path.name} went out already",))
    if issue.draft:
        return Choice(hints=(f"{issue.path.name} is a draft: take `draft: true` out",))
    return Choice((issue,))


def _age(issue: Found) -> tuple[datetime, int, str]:
    if issue.date is None:
        raise AssertionError("only dated issues are compared")
    return issue.date, issue.number or 0, str(issue.path)


class _Limits:
    """Between which dates an issue must lie."""

    def __init__(
        self, issues: Sequence[Found], record: Record, due: Due, zone: tzinfo, first_seen: datetime
    ) -> None:
        self._due, self._zone = due, zone
        self._begins = wall(first_seen, zone).date()
        gone = [issue for issue in issues if record.holds(issue) and issue.date is not None]
        self._newest = max(gone, key=_age) if gone else None
        self._newest_date = record.newest if not gone else None

    def against(self, issue: Found) -> str | None:
        """Say what speaks against an issue: None if nothing does, "" where that is not worth a word."""
        if issue.problem is not None:
            return f"cannot be read: {issue.problem}"
        if issue.date is None:
            day = self._due.local
            return f"has no date: write `date: {day:%Y-%m-%d}` at its top"
        if issue.draft:
            return "is a draft: take `draft: true` out"
        if issue.date > self._due.utc:
            return ""  # it is for another day
        if wall(issue.date, self._zone).date() < self._begins:
            return f"is dated {wall(issue.date, self._zone):%Y-%m-%d}, before this schedule began"
        return None if self._is_newer(issue) else "is not newer than what went out last"

    def _is_newer(self, issue: Found) -> bool:
        if self._newest is not None:
            return _age(issue)[:2] > _age(self._newest)[:2]
        if self._newest_date is not None and issue.date is not None:
            return wall(issue.date, self._zone).date() >= wall(self._newest_date, self._zone).date()
        return True
