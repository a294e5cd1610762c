"""What is our fault is said aloud: the domain that turned our mail away hears less of us, and the operator hears of it.

The domain is that of the address that we mailed: whom a report names is its author's word. An event `feedback.blamed`
(subject: the receiving domain) is recorded at most once an hour a domain; a sending process
that reads it rests that domain, the operator's notices tell of it. No reader's address stands in it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mailer import events
from mailer.delivery.blamed import KIND

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.feedback.model import Notice
    from mailer.feedback.taking import Taken

FAULT, SUBJECT = "feedback.fault", "feedback"
QUIET: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


def blame(connection: Connection, taken: Taken, now: datetime) -> None:
    """Record, for the domains of new and proven notices that are about us, what was said."""
    for address, notice in taken.ours:
        domain = address.rpartition("@")[2].lower()[:200]
        if domain and notice.reason:
            _blame(connection, domain, notice, now)


def _blame(connection: Connection, domain: str, notice: Notice, now: datetime) -> None:
    last = events.latest(connection, KIND, domain)
    if last is None or last.at <= now - QUIET:
        events.record(
            connection, KIND, domain, now, "mailer", reason=notice.reason, status=notice.status[:16]
        )
        _tell(connection, domain, notice, now)


def _tell(connection: Connection, domain: str, notice: Notice, now: datetime) -> None:
    """Record what the operator is told, at most once a day: a block of one relay is said by many domains."""
    last = events.latest(connection, FAULT, SUBJECT)
    if last is None or last.at <= now - DAY:
        said = {"domain": domain, "reason": notice.reason, "status": notice.status[:16]}
        events.record(connection, FAULT, SUBJECT, now, "mailer", **said)
