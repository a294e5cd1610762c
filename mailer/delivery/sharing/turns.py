"""Turns: the moments at which this process may send, where a limit a second holds for all processes. Pure; seconds.

A process reserves a block of turns (paces.py) and spends it at the limit's pace. Promises: a turn is used once and not
before its time; what was not used in time is lost, so that nobody who was idle makes up for it in a burst. Turns are
wanted only by who is asked for one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK: Final = 0.25  # seconds' worth of messages in one block: at most this much is lost with a process
_STALE: Final = 0.5
_ASKING: Final = 0.01  # seconds that a reservation takes, about


class Turns:
    """The turns of one relay or domain; `bell` is rung when more are wanted."""

    __slots__ = ("_bell", "_blocks", "_left", "name", "rate", "wanted")

    def __init__(self, name: str, rate: float, bell: Callable[[], None]) -> None:
        self.name = name
        self.rate = rate
        self.wanted = False
        self._bell = bell
        self._left = 0
        self._blocks: deque[list[float]] = deque()  # [time of the next turn, turns left]

    @property
    def block(self) -> int:
        """How many to reserve at once."""
        return max(1, round(self.rate * BLOCK))

    def wait(self, now: float) -> float:
        """Give the seconds until the next turn; asking for one is what makes more of them wanted."""
        self._forget(now - _STALE)
        if self._left <= self.block // 2 and not self.wanted:
            self.wanted = True
            self._bell()
        return max(0.0, self._blocks[0][0] - now) if self._blocks else _ASKING

    def spend(self) -> None:
        """Use the next turn."""
        if self._blocks:
            self._drop()

    def take(self, start: float, count: int) -> None:
        """Take in a block that was reserved; its first turn is at `start`."""
        self.wanted = False
        self._blocks.append([start, count])
        self._left += count

    def _forget(self, before: float) -> None:
        while self._blocks and self._blocks[0][0] < before:
            self._drop()

    def _drop(self) -> None:
        first = self._blocks[0]
        first[0] += 1 / self.rate
        first[1] -= 1
        self._left -= 1
        if first[1] <= 0:
            self._blocks.popleft()
