"""A station of the model: so many servers, one queue, first come, first served."""

from __future__ import annotations

from heapq import heapreplace


class Station:
    """So many servers and one queue. Asked in the order of time, so that the end of each service is known at once."""

    def __init__(self, servers: int) -> None:
        self.free = [0.0] * servers
        self.busy = 0.0

    def serve(self, now: float, seconds: float) -> float:
        """Give when a service that is asked for now is over."""
        end = max(now, self.free[0]) + seconds
        heapreplace(self.free, end)
        self.busy += seconds
        return end

    def filled(self, span: float) -> float:
        """Give the share of its time that it worked."""
        return min(1.0, self.busy / (span * len(self.free)))
