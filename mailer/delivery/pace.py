"""Pace: how fast one relay or one far domain may be spoken to. Pure; time is a parameter, in seconds.

Promises: a fixed limit is never passed; a plea for patience (421, 4.7.x, "too many") halves the rate and rests the
one that pleaded, and it alone; success lets it recover. Rests begin at a second and double to five minutes.
"""

from __future__ import annotations

import math
from typing import Final

SLOWEST: Final = 1 / 60  # a message a minute keeps asking whether the other side has recovered
_LONGEST_REST: Final = 300.0
_RECOVERY: Final = 1.02  # each success: fifty of them nearly triple the rate


class Pace:
    """The pace of one relay or domain. `limit` is messages a second; infinite where nothing was set."""

    __slots__ = ("_ceiling", "_next", "_rate", "_rest", "_seen", "_since", "_streak", "limit")

    def __init__(self, limit: float | None = None) -> None:
        self.limit = limit or math.inf
        self._rate = self.limit
        self._ceiling = math.inf  # the rate at which the other side last pleaded
        self._next = 0.0
        self._rest = 0.0
        self._streak = 0
        self._seen = 0
        self._since = 0.0

    @property
    def rate(self) -> float:
        """The messages a second that may go now; infinite where nothing holds it back."""
        return self._rate

    def wait(self, now: float) -> float:
        """Give the seconds until the next message may go; 0 means now."""
        if self._rest <= now >= self._next:
            return 0.0
        return max(self._rest, self._next) - now

    def spend(self, now: float) -> None:
        """Count one message that goes now."""
        self._seen += 1
        if self._rate != math.inf:
            # A tenth of a second of arrears may be caught up, so that a tick of the loop costs no throughput.
            self._next = max(self._next, now - 0.1) + 1 / self._rate

    def busy(self, now: float, rest: float | None = None) -> bool:
        """Hear a plea for patience; true if it is news. Pleas during a rest are of messages already under way."""
        if now < self._rest:
            return False
        self._streak += 1
        self._rest = now + (rest or min(2.0 ** (self._streak - 1), _LONGEST_REST))
        observed = self._seen / max(now - self._since, 1.0) if self._seen else 1.0
        self._ceiling = min(self._rate, max(observed, SLOWEST))
        self._rate = max(self._ceiling / 2, SLOWEST)
        self._seen, self._since = 0, now
        return True

    def success(self, now: float) -> None:
        """Hear that a message was taken: the rate grows, and is free again at four times where it last broke."""
        if self._streak == 0:
            if now - self._since > 10:  # only the last ten seconds tell what rate was being sent
                self._seen, self._since = 0, now
            return
        if now < self._rest:
            return
        self._rate = min(self._rate * _RECOVERY, self.limit)
        if self._rate >= min(self._ceiling * 4, self.limit):
            self._rate, self._streak, self._next = self.limit, 0, now

    def rest(self, now: float) -> float:
        """Give the seconds that it still rests for."""
        return max(0.0, self._rest - now)

    @property
    def free(self) -> bool:
        """True where nothing holds it back: no limit, no plea in force."""
        return self._rate == math.inf and self._streak == 0
