"""Domains that turned our mail away after they took it: the feedback room records them, a sending process rests them.

An event of the kind below, once an hour a domain, is all that crosses from room to room and from process to process.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from mailer.events import events

if TYPE_CHECKING:
    from sqlalchemy import Connection

KIND: Final = "feedback.blamed"


class Blamed:
    """Remembers up to which event it has looked; the first look is at what comes from then on."""

    def __init__(self) -> None:
        self._seen: int | None = None

    def fresh(self, connection: Connection) -> list[str]:
        """Give the domains that were blamed since the last look."""
        newest = connection.scalar(select(func.max(events.c.id))) or 0
        seen, self._seen = self._seen, newest
        if seen is None or newest <= seen:
            return []
        recent = (events.c.id > seen, events.c.id <= newest, events.c.kind == KIND)
        return list(connection.scalars(select(events.c.subject).where(*recent)))
