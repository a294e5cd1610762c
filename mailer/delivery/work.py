"""The work of one run: which mailing, through which relays, with what in hand.

Made by sending.py, read by the parts of the engine. It knows none of them: so supply, watch and engine each take it,
and none has to know another for its sake.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailer.delivery.tripwire import Tally

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mailer.delivery.audience import Planner
    from mailer.delivery.custody import Worker
    from mailer.delivery.handed import Handed
    from mailer.delivery.presses import Presses
    from mailer.delivery.recorder import Recorder
    from mailer.settings import Settings
    from mailer.smtp.relay import Relay


@dataclass(slots=True)
class Work:
    """What one run is about. `wait` stays until nothing is deferred either."""

    mailing_id: int
    settings: Settings
    relays: Sequence[Relay]
    worker: Worker
    recorder: Recorder
    presses: Presses
    planner: Planner
    clock: Callable[[], datetime]
    hostname: str
    wait: bool = False
    handed: Handed | None = None  # the batches that alone are claimed; none: whatever is due
    tally: Tally = field(default_factory=Tally)
