"""What passes between a process that sends and the mates it starts: the order, the reports, the exit codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mailer.delivery.states import DeliveryState
from mailer.errors import PersonNeeded, TryLater, UserError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.delivery.engine import Engine
    from mailer.settings import Settings

    Report: TypeAlias = dict[str, Any]
    Say: TypeAlias = Callable[[Report], None]

OVER: Final = 0  # nothing is left to do, or it was told to stop
BUG: Final = 70
DIED: Final = TryLater.exit_code  # an ending that nobody asked for: another one may succeed
HOPELESS: Final = frozenset({UserError.exit_code, PersonNeeded.exit_code})  # another one would end alike


@dataclass(frozen=True, slots=True)
class Order:
    """What a mate is to do: send one mailing, or with none whatever falls due.

    The settings are those of the process that started it: what became of mailer.toml since is not looked at. `json`
    is how a log is written, None where there is none to write.
    """

    settings: Settings
    mailing_id: int | None = None
    list_key: str = ""
    wait: bool = False
    json: bool | None = None


def sent(engine: Engine) -> int:
    """Give how many messages of this process are over, however they ended; one that was deferred is not."""
    tally = engine.work.tally
    return tally.total - tally.outcomes[DeliveryState.DEFERRED]
