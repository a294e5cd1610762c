"""The hour and the day of a relay: how much it took, counted in the database, for all processes and after each of them.

A process draws an allowance of about a second's messages in one transaction and spends it without a query; so its
cost is a share of a message, and a relay without `per_hour` and `per_day` pays nothing. Promises: in any hour and any
day all processes together never pass the limits, whatever dies; what a dead process drew and did not use is lost to
the relay until its minute has passed. An allowance holds for the minute it was drawn in, then it is drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.tables import relay_counts

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.smtp.relay import Relay

HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
# What is counted in a minute was sent by its end, or in the moment that it takes to notice the end.
_SLACK: Final = timedelta(seconds=65)
_LEAST, _MOST = 4, 2_000  # messages of one drawing
_LOOK: Final = (
    15.0  # seconds until a relay whose limit is reached is asked again: another may have given back
)
_LOCK: Final = 0x6C696D69  # one drawing at a time on PostgreSQL; the number is ours alone
_c = relay_counts.c


class Drawn(NamedTuple):
    """What a drawing gave: messages that may go now, counted in `minute`; or, where none may, the seconds to wait."""

    messages: int
    minute: datetime
    wait: float


def limited(relay: Relay) -> bool:
    """Say whether a relay has a limit that outlives the process."""
    return bool(relay.per_hour or relay.per_day)


def minute_of(now: datetime) -> datetime:
    """Give the minute that an instant is counted in."""
    return now.replace(second=0, microsecond=0)


def draw(
    connection: Connection, relay: Relay, now: datetime, wanted: int, rest: Drawn | None = None
) -> Drawn:
    """Draw up to `wanted` messages, giving back first what is left of an earlier drawing (`rest`)."""
    _alone(connection)
    minute = minute_of(now)
    if rest is not None:
        give_back(connection, relay, rest)
    old = (_c.relay == relay.name, _c.minute <= now - DAY - _SLACK)
    connection.execute(delete(relay_counts).where(*old))
    free, wait = wanted, 0.0
    for span, most in ((HOUR, relay.per_hour), (DAY, relay.per_day)):
        if most:
            left, until = _room(connection, relay.name, now, span, most)
            free, wait = min(free, left), max(wait, until)
    if free <= 0:
        return Drawn(0, minute, wait)
    _add(connection, relay.name, minute, free)
    return Drawn(free, minute, 0.0)


def give_back(connection: Connection, relay: Relay, rest: Drawn) -> None:
    """Give back what is left of a drawing."""
    if rest.messages:
        _add(connection, relay.name, rest.minute, -rest.messages)


def count(connection: Connection, relay: Relay, now: datetime, messages: int = 1) -> None:
    """Count what went through a relay beside the engine: letters, which wait for no limit."""
    if limited(relay):
        _add(connection, relay.name, minute_of(now), messages)


def _alone(connection: Connection) -> None:
    """Let one process draw at a time; on SQLite whoever writes is alone."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _room(connection: Connection, name: str, now: datetime, span: timedelta, most: int) -> tuple[int, float]:
    """Give how many more fit into a span, and the seconds until one does."""
    # Not what a clock that was wrong has counted far ahead: it would close the relay until then.
    within = (_c.relay == name, _c.minute > now - span - _SLACK, _c.minute < now + span, _c.taken > 0)
    row = connection.execute(select(func.sum(_c.taken), func.min(_c.minute)).where(*within)).one()
    left = most - int(row[0] or 0)
    if left > 0 or row[1] is None:
        return left, 0.0
    return 0, (row[1] + span + _SLACK - now).total_seconds()


def _add(connection: Connection, name: str, minute: datetime, messages: int) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = dialect.insert(relay_counts).values(relay=name, minute=minute, taken=messages)
    taken = _c.taken + row.excluded.taken
    connection.execute(row.on_conflict_do_update(index_elements=[_c.relay, _c.minute], set_={"taken": taken}))


@dataclass(slots=True)
class Allowance:
    """What this process may still send through one relay. Pure; `now` is the loop's time, in seconds."""

    left: int = 0
    wanted: int = _LEAST
    minute: datetime | None = None
    asked: float = 0.0  # when it was drawn
    closed: float = 0.0  # until when the relay's limit is reached, as far as is known

    @property
    def low(self) -> bool:
        """Whether it is time to draw again."""
        return self.left <= self.wanted // 2

    def due(self, now: float, minute: datetime) -> bool:
        """Whether to draw now: it runs low, or its minute is over."""
        return now >= self.closed and (self.low or minute != self.minute)

    def lend(self, minute: datetime | None = None) -> Drawn | None:
        """Take out what is left, to be given back; nothing if it was drawn in `minute`, in which it still holds."""
        if self.minute is None or self.minute == minute:
            return None
        rest, self.left = Drawn(self.left, self.minute, 0.0), 0
        return rest

    def take(self, drawn: Drawn, now: float) -> None:
        """Take a drawing in; the next one is larger where this came soon, and smaller where the last one lasted."""
        since, self.asked = now - self.asked, now
        if since < 1.0:
            self.wanted = min(self.wanted * 2, _MOST)
        elif since > 4.0:
            self.wanted = max(self.wanted // 2, _LEAST)
        self.left, self.minute = self.left + drawn.messages, drawn.minute
        self.closed = 0.0 if drawn.messages else now + min(drawn.wait, _LOOK)
