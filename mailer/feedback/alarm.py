"""The tripwire hears of notices: a mailing of which too much came back is paused, at a cost that a storm can pay.

To count a mailing's notices costs the more the more there are, so nobody counts for each of them: a process counts
anew once a sixty-fourth more has come than it counted last, or a second has passed. So all the counting of a storm
is linear in its notices, and what is not yet counted at its end is less than 1.6 % of them: an alarm meant for 5 %
sounds at 5.08 % at the latest. Never: pauses for less than the tripwire says, or speaks of a mailing that rests.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from mailer.delivery import ledger, tripwire
from mailer.feedback.history import heard_since
from mailer.feedback.model import Kind

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from mailer.settings import Tripwire

SHARE: Final = 64
PAUSE: Final = timedelta(seconds=1)
_MOST: Final = 1_000  # mailings that a process remembers


@dataclass(slots=True)
class _Count:
    """What was counted of a mailing by kind, when, and what came since."""

    at: datetime
    known: Counter[Kind]
    since: Counter[Kind] = field(default_factory=Counter)

    def is_due(self, now: datetime) -> bool:
        """Say whether enough came, or enough time passed; complaints are few, and do not hide among bounces."""
        more = any(new * SHARE > self.known[kind] for kind, new in self.since.items())
        return more or not timedelta() <= now - self.at < PAUSE


_counts: WeakKeyDictionary[Engine, dict[int, _Count]] = WeakKeyDictionary()


def hear(connection: Connection, mailing_id: int, wire: Tripwire, now: datetime, new: Counter[Kind]) -> None:
    """Take note of new notices about a mailing, in the caller's transaction; count, and pause it, when due."""
    counts = _counts.setdefault(connection.engine, {})
    last = counts.get(mailing_id)
    if last is not None:
        last.since += new
        if not last.is_due(now):
            return
    if len(counts) >= _MOST:
        counts.clear()
    known = _count(connection, mailing_id, wire, now)
    if known is None:
        counts.pop(mailing_id, None)
    else:
        counts[mailing_id] = _Count(now, known)


def _count(connection: Connection, mailing_id: int, wire: Tripwire, now: datetime) -> Counter[Kind] | None:
    """Count and tell the tripwire; None if the mailing does not run, or does not any more."""
    if not ledger.known_mailings(connection, {mailing_id}):
        return None
    began = tripwire.since(connection, mailing_id)
    if began is None:
        return None
    bounced, complained, last = heard_since(connection, mailing_id, began)
    told = tripwire.hear_notices(
        connection, mailing_id, wire, now, bounced=bounced, complained=complained, last=last
    )
    return None if told else Counter({Kind.BOUNCE: bounced, Kind.COMPLAINT: complained})
