"""What is kept of providers' reports: their names for a month, and the events that nobody understood.

Reports are taken in mailer/web/hooks/; here is what the command line and upkeep do with what was taken.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, or_, select, update

from mailer.hooks.tables import reports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

KEPT: Final = timedelta(days=30)
"""How long a report's name is remembered, and what nobody understood is kept; longer than any window of a provider."""


def unknown(connection: Connection) -> Iterator[tuple[str, datetime, Any]]:
    """Give the events that nobody understood, oldest first: the hook's name, when, and the event."""
    query = select(reports.c.hook, reports.c.at, reports.c.kept).where(reports.c.kept != "")
    for row in connection.execute(query.order_by(reports.c.id)):
        for event in _events(row.kept):
            yield row.hook, row.at, event


def _events(kept: str) -> list[Any]:
    try:
        found = json.loads(kept)
    except ValueError:  # it was cut to what is kept
        return [kept]
    return found if isinstance(found, list) else [found]


def forget_old(connection: Connection, now: datetime, limit: int = 500) -> int:
    """Forget reports after a month, at most `limit` at a time; give how many."""
    old = select(reports.c.id).where(reports.c.at < now - KEPT).order_by(reports.c.id).limit(limit)
    return connection.execute(delete(reports).where(reports.c.id.in_(old))).rowcount


def mentioning(connection: Connection, addresses: Iterable[str]) -> list[str]:
    """Give the kept events that mention one of these addresses, as they were kept."""
    wanted = [reports.c.kept.icontains(address, autoescape=True) for address in addresses if address]
    return list(connection.scalars(select(reports.c.kept).where(or_(*wanted)))) if wanted else []


def blank(connection: Connection, addresses: Iterable[str]) -> int:
    """Blank the kept events that mention one of these addresses; give how many reports that was."""
    wanted = [reports.c.kept.icontains(address, autoescape=True) for address in addresses if address]
    if not wanted:
        return 0
    return connection.execute(update(reports).where(or_(*wanted)).values(kept="")).rowcount
