"""The gate of one relay: its limits, its pace, and whether it is left alone for a while. Pure; seconds as parameters.

Promises: messages a second are never passed, by all processes together (sharing/turns.py), and what an hour and a day
allow (sharing/limits.py) is not overspent; a relay that cannot be reached rests for two seconds, then twice as long
each time, up to five minutes, and is tried by one connection first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer.delivery.outcome import Signal
from mailer.delivery.pace import Pace
from mailer.delivery.sharing import Allowance, limited

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.delivery.sharing import Turns
    from mailer.smtp.relay import Relay

_QUOTA_REST: Final = 900.0
_DRAWING: Final = 0.01  # seconds that drawing an allowance takes, about


class Gate:
    """What stands between the engine and one relay."""

    def __init__(
        self, relay: Relay, turns: Turns | None = None, freed: Callable[[], None] = lambda: None
    ) -> None:
        self.relay = relay
        self.lanes = 0  # connections that this process may have now
        self._busy: set[int] = set()
        self._freed = freed  # is told when connections that others may have are closed here
        self.sent = 0
        self.down_since: float | None = None
        self.trouble = ""
        self.hopeless = False
        self.open = False  # a session was had, and none has failed since
        self._pace = Pace(relay.per_second)
        self._turns = turns
        self.allowance = Allowance() if limited(relay) else None
        self._rest = 0.0
        self._streak = 0

    @property
    def kept(self) -> int:
        """How many connections nobody else may have yet: those that may be opened, and those still to be closed."""
        return self.lanes + sum(number >= self.lanes for number in self._busy)

    def allow(self, count: int) -> None:
        """Have so many connections from now on; whatever is open beyond ends after its message."""
        fewer, self.lanes = count < self.lanes, count
        if fewer and self.kept == count:
            self._freed()

    def enter(self, number: int) -> None:
        """Hear that connection `number` is about to be opened."""
        self._busy.add(number)

    def leave(self, number: int) -> None:
        """Hear that it is closed."""
        self._busy.discard(number)
        if number >= self.lanes and self.kept == self.lanes:
            self._freed()

    @property
    def share(self) -> float:
        """What it has had so far, by its weight."""
        return self.sent / self.relay.weight

    def wait(self, now: float) -> float:
        """Give the seconds until this relay may get another message."""
        wait = self._pace.wait(now)
        if self._rest > now:
            wait = max(wait, self._rest - now)
        if self._turns is not None and not wait:
            wait = self._turns.wait(now)
        if self.allowance is not None and self.allowance.left <= 0:
            return max(wait, self.allowance.closed - now, _DRAWING)
        return wait

    def spend(self, now: float) -> None:
        """Count one message."""
        self.sent += 1
        self._pace.spend(now)
        if self._turns is not None:
            self._turns.spend()
        if self.allowance is not None:
            self.allowance.left -= 1

    def hear(self, signal: Signal, now: float) -> float:
        """Apply what an outcome says of the relay itself; give the seconds of a rest that it newly asked for, or 0."""
        if signal is Signal.SUCCESS:
            self._pace.success(now)
            self.down_since, self._streak = None, 0
        elif signal is Signal.RELAY_BUSY:
            return self.busy(now)
        elif signal is Signal.RELAY_DOWN:
            self.fail(self.trouble, now)
        elif signal is Signal.RELAY_QUOTA:
            return self.busy(now, _QUOTA_REST)
        return 0.0

    def busy(self, now: float, rest: float | None = None) -> float:
        """Hear that it asked for patience, here or elsewhere; give the seconds of its rest, if it is news."""
        return self._pace.rest(now) if self._pace.busy(now, rest) else 0.0

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
