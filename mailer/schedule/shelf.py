"""The shelf: the issues of each list as their files say now, and the plans that `send:` in them makes.

A tick a minute looks at thousands of files: the heads are read again only where a file's name, size or time changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.issue.find import list_issues
from mailer.schedule.due import Due
from mailer.schedule.plan import Lateness, Plan, zone_of
from mailer.schedule.wall import instant

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.issue.find import Found
    from mailer.settings import ListSettings, Settings

_Signature = tuple[tuple[str, int, int], ...]


class Shelf:
    """What lies in the folder. Holds one list of heads for each list, never more."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[str, tuple[_Signature, tuple[Found, ...]]] = {}

    def issues(self, list_key: str) -> tuple[Found, ...]:
        """Give the issues of a list; raises UserError for a glob that leads out of the folder."""
        one = self._settings.for_list(list_key)
        signature = self._signature(one)
        known = self._known.get(list_key)
        if known is None or known[0] != signature:
            known = signature, list_issues(self._settings.folder, one.issues, one.time_zone)
            self._known[list_key] = known
        return tuple(found for found in known[1] if found.list in {None, list_key})

    def dated(self) -> list[Plan]:
        """Give the plans that issues make with `send:`, one an issue; named as the mailing will be."""
        return [
            plan
            for key, one in self._settings.lists.items()
            for issue in self.issues(key)
            if (plan := self._dated(one, issue)) is not None
        ]

    def _dated(self, one: ListSettings, issue: Found) -> Plan | None:
        if issue.send is None:
            return None
        zone_name = issue.send.zone or one.time_zone
        zone = zone_of(zone_name)
        name = f"{issue.number if issue.number is not None else issue.slug}.{one.key}"[:200]
        due = Due(issue.send.local, instant(issue.send.local, zone))
        like = next((each for each in self._settings.schedules if each.list_key == one.key), None)
        return Plan(
            name,
            one.key,
            zone_name,
            once=due,
            path=issue.path,
            lateness=Lateness(like.late_hours, like.late == "ask") if like else Lateness(),
            wait_for=like.wait_for if like else None,
        )

    def _signature(self, one: ListSettings) -> _Signature:
        # No look at where links lead: that costs most, and list_issues takes it whenever something changed.
        found = {path for pattern in one.issues for path in self._settings.folder.glob(pattern)}
        return tuple(sorted(map(_stamp, found)))


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        told = path.stat()
    except OSError:
        return str(path), 0, 0
    return str(path), told.st_mtime_ns, told.st_size
