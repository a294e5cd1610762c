"""The tripwire: when so much goes wrong that a mailing had better stop and ask. Pure.

Promises: says nothing before `after` outcomes are known; each threshold is a percentage of the outcomes so far. The
defaults and their reasons stand in docs/sending.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from mailer.settings import Tripwire


@dataclass(slots=True)
class Tally:
    """What came of the messages of one mailing in this process."""

    outcomes: Counter[DeliveryState] = field(default_factory=Counter)
    last_refusal: str = ""

    @property
    def total(self) -> int:
        """How many outcomes are known."""
        return sum(self.outcomes.values())


def tripped(tally: Tally, wire: Tripwire) -> str | None:
    """Give the reason to pause, or None."""
    total = tally.total
    if total < wire.after:
        return None
    limits = (
        (DeliveryState.REFUSED, wire.refused_percent),
        (DeliveryState.DEFERRED, wire.deferred_percent),
    )
    for state, percent in limits:
        count = tally.outcomes[state]
        if count * 100 > percent * total:
            return f"tripwire: {count:,} of {total:,} were {state} (limit {percent:g} %); last: {tally.last_refusal}"
    return None
