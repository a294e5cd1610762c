"""The frozen values that pass between the rooms of delivery/."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from mailer.delivery.states import DeliveryState, Skip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class Claim(NamedTuple):
    """One row of the ledger in a worker's hands. A tuple, because there is one per reader."""

    mailing_id: int
    subscriber_id: int
    edition_id: int
    list_id: int
    address: str
    domain: str
    attempts: int


class Settlement(NamedTuple):
    """What came of one claim: the state it moves to, and what the server said.

    `due_at` counts for DEFERRED alone. `sent` tells a row whose body was fenced (it stands in `sending`) from one
    whose envelope was turned down (it stands in `claimed`).
    """

    claim: Claim
    state: DeliveryState
    at: datetime
    sent: bool = True
    reply: str = ""
    relay_id: str = ""
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """The sums of one mailing at one moment. They balance, or the ledger is broken."""

    planned: int
    states: Mapping[DeliveryState, int]
    skipped: Mapping[str, int] = field(default_factory=dict)
    next_due: datetime | None = None

    def __getitem__(self, state: DeliveryState) -> int:
        return self.states.get(state, 0)

    @property
    def waiting(self) -> int:
        """How many wait for their first try."""
        return self[DeliveryState.PLANNED]

    @property
    def unsettled(self) -> int:
        """How many may still go out without a person."""
        return sum(self[state] for state in _UNSETTLED)

    def to_json(self) -> dict[str, object]:
        """Give the names that commands print: planned, waiting, claimed … skipped {reason: count}."""
        names = (state for state in DeliveryState if state is not DeliveryState.SKIPPED)
        sums: dict[str, object] = {
            "waiting" if state is DeliveryState.PLANNED else state.value: self[state] for state in names
        }
        reasons = {reason.value: self.skipped.get(reason.value, 0) for reason in Skip}
        return {"planned": self.planned, **sums, "skipped": reasons}


_UNSETTLED = (DeliveryState.PLANNED, DeliveryState.CLAIMED, DeliveryState.SENDING, DeliveryState.DEFERRED)
