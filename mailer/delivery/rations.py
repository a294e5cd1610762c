"""Rations: keeps the relays that have an hour or a day in allowances, a second's messages a transaction.

Promises: nothing is drawn for a relay without such limits; what is left at the end goes back, and so does what a
process holds that has nothing to send: another may need it.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from mailer.delivery.sharing import limits
from mailer.delivery.supply import moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mailer.delivery.gate import Gate
    from mailer.delivery.recorder import Recorder
    from mailer.delivery.sharing import Allowance
    from mailer.smtp.relay import Relay

_LOOK: Final = 0.2  # seconds between two looks at the allowances


class Rations:
    """Draws for gates. `more` is rung when there is something to spend."""

    def __init__(
        self,
        gates: Sequence[Gate],
        recorder: Recorder,
        clock: Callable[[], datetime],
        more: asyncio.Event,
        busy: Callable[[], bool] = lambda: True,
    ) -> None:
        self._bounded = [(gate.relay, gate.allowance) for gate in gates if gate.allowance is not None]
        self._recorder = recorder
        self._clock = clock
        self._more = more
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._low = asyncio.Event()
        self._closed = False

    def close(self) -> None:
        """End between two drawings."""
        self._closed = True
        self._low.set()

    def spent(self, gate: Gate) -> None:
        """Hear that a message was taken for this gate."""
        if gate.allowance is not None and gate.allowance.low:
            self._low.set()

    async def run(self) -> None:
        """Draw until it is closed. Not to be cancelled: what was being drawn would be lost."""
        while self._bounded and not self._closed:
            self._low.clear()
            if self._busy():
                for relay, allowance in self._bounded:
                    await self._draw(relay, allowance)
            else:
                await self.give_back()
            await moment(self._low, _LOOK)

    async def _draw(self, relay: Relay, allowance: Allowance) -> None:
        now = self._clock()
        minute = limits.minute_of(now)
        if not allowance.due(self._loop.time(), minute):
            return
        rest, wanted = allowance.lend(minute), allowance.wanted
        drawn = await self._recorder.call(lambda c: limits.draw(c, relay, now, wanted, rest))
        allowance.take(drawn, self._loop.time())
        self._more.set()

    async def give_back(self) -> None:
        """Give back what was not used."""
        for relay, allowance in self._bounded:
            rest = allowance.lend()
            if rest is not None:
                await self._recorder.call(partial(limits.give_back, relay=relay, rest=rest))
