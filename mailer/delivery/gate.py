"""The gate of one relay: its limits, its pace, and whether it is left alone for a while. Pure; seconds as parameters.

Promises: messages a second, an hour and a day are never passed in this process; a relay that cannot be reached rests
for two seconds, then twice as long each time, up to five minutes, and is tried by one connection first.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from mailer.delivery.outcome import Signal
from mailer.delivery.pace import Pace

if TYPE_CHECKING:
    from mailer.smtp.relay import Relay

HOUR: Final = 3_600.0
DAY: Final = 86_400.0
_QUOTA_REST: Final = 900.0


class Window:
    """At most `most` in any `span` of seconds, counted in sixtieths of the span so that memory stays flat."""

    __slots__ = ("_count", "_most", "_span", "_steps")

    def __init__(self, most: float, span: float) -> None:
        self._most = most
        self._span = span
        self._steps: deque[list[float]] = deque()  # [second at which the step began, how many]
        self._count = 0.0

    def wait(self, now: float) -> float:
        """Give the seconds until one more fits."""
        while self._steps and self._steps[0][0] + self._span <= now:
            self._count -= self._steps.popleft()[1]
        return 0.0 if self._count < self._most else self._steps[0][0] + self._span - now

    def spend(self, now: float) -> None:
        """Count one."""
        if not self._steps or now - self._steps[-1][0] >= self._span / 60:
            self._steps.append([now, 0])
        self._steps[-1][1] += 1
        self._count += 1


class Gate:
    """What stands between the engine and one relay."""

    def __init__(self, relay: Relay) -> None:
        self.relay = relay
        self.sent = 0
        self.down_since: float | None = None
        self.trouble = ""
        self.hopeless = False
        self.open = False  # a session was had, and none has failed since
        self._pace = Pace(relay.per_second)
        self._windows = [
            Window(most, span) for most, span in ((relay.per_hour, HOUR), (relay.per_day, DAY)) if most
        ]
        self._bounded = bool(relay.per_second or self._windows)
        self._rest = 0.0
        self._streak = 0

    @property
    def share(self) -> float:
        """What it has had so far, by its weight."""
        return self.sent / self.relay.weight

    def wait(self, now: float) -> float:
        """Give the seconds until this relay may get another message."""
        wait = max(self._rest - now, self._pace.wait(now), 0.0)
        return max([wait, *(window.wait(now) for window in self._windows)]) if self._windows else wait

    def spend(self, now: float) -> None:
        """Count one message."""
        self.sent += 1
        self._pace.spend(now)
        for window in self._windows:
            window.spend(now)

    def hear(self, signal: Signal, now: float) -> None:
        """Apply what an outcome says of the relay itself."""
        if signal is Signal.SUCCESS:
            self._pace.success(now)
            self.down_since, self._streak = None, 0
        elif signal is Signal.RELAY_BUSY:
            self._pace.busy(now)
        elif signal is Signal.RELAY_DOWN:
            self.fail(self.trouble, now)
        elif signal is Signal.RELAY_QUOTA:
            self._pace.busy(now, _QUOTA_REST)

    def fail(self, trouble: str, now: float, *, hopeless: bool = False) -> None:
        """Hear that no session could be had. Failures during a rest are of the same outage and count once."""
        self.trouble, self.hopeless, self.open = trouble, hopeless, False
        if self.down_since is None:
            self.down_since = now
        if now >= self._rest:
            self._streak += 1
            self._rest = now + min(2.0**self._streak, 300.0)

    def opened(self) -> None:
        """Hear that a session was opened."""
        self.down_since, self._streak, self.hopeless, self.open = None, 0, False, True
