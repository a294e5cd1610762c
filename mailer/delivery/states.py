"""The states of a delivery and of a mailing, and the only moves between them. Pure.

Every transition of the ledger goes through `MOVES`; the drawing in docs/how-it-works.md is checked against it.
`sending` is the fence: recorded before the first octet of a body leaves, so that only such a row can become
`uncertain`, and a claimed row of a dead worker simply goes back.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class DeliveryState(StrEnum):
    """Where one reader's copy of one mailing stands."""

    PLANNED = "planned"  # waits for its due time
    CLAIMED = "claimed"  # a worker has it in its hands; nothing was said to a server yet
    SENDING = "sending"  # the body may be leaving: the fence
    ACCEPTED = "accepted"  # the server answered 250 to the body
    DEFERRED = "deferred"  # the server said not now; due again at its due time
    REFUSED = "refused"  # the server said no, or never yes within the retry days
    SKIPPED = "skipped"  # never sent, for the reason that stands beside it
    UNCERTAIN = "uncertain"  # the line broke after the body and before the answer


class Skip(StrEnum):
    """Why a delivery was skipped."""

    CANCELLED = "cancelled"  # a person cancelled the mailing
    LEFT = "left"  # unsubscribed, paused, complained, unreachable or erased since it was planned
    DECIDED = "decided"  # it was uncertain, and a person decided not to risk a second copy


class MailingState(StrEnum):
    """Where one mailing stands."""

    RUNNING = "running"  # deliveries go out as they fall due
    PAUSED = "paused"  # a person or the tripwire stopped it
    CANCELLED = "cancelled"  # a person ended it; what was not sent is skipped
    FINISHED = "finished"  # nothing is left to send


_D = DeliveryState
MOVES: Final[dict[DeliveryState, frozenset[DeliveryState]]] = {
    _D.PLANNED: frozenset({_D.CLAIMED, _D.SKIPPED}),
    _D.CLAIMED: frozenset({_D.PLANNED, _D.DEFERRED, _D.SENDING, _D.SKIPPED, _D.REFUSED}),
    _D.SENDING: frozenset({_D.ACCEPTED, _D.DEFERRED, _D.REFUSED, _D.UNCERTAIN}),
    _D.DEFERRED: frozenset({_D.CLAIMED, _D.SKIPPED}),
    _D.UNCERTAIN: frozenset({_D.ACCEPTED, _D.PLANNED, _D.SKIPPED}),
    _D.ACCEPTED: frozenset(),
    _D.REFUSED: frozenset(),
    _D.SKIPPED: frozenset(),
}
"""claimed -> planned or deferred is giving back; claimed -> deferred or refused is an envelope that was turned down
before any body; uncertain -> planned or skipped is a person's decision, uncertain -> accepted late proof."""

_M = MailingState
MAILING_MOVES: Final[dict[MailingState, frozenset[MailingState]]] = {
    _M.RUNNING: frozenset({_M.PAUSED, _M.CANCELLED, _M.FINISHED}),
    _M.PAUSED: frozenset({_M.RUNNING, _M.CANCELLED}),
    _M.CANCELLED: frozenset(),
    _M.FINISHED: frozenset({_M.RUNNING}),
}
"""finished -> running: another list, segment or new readers extend a mailing."""

WAITING: Final = (_D.PLANNED, _D.DEFERRED)
OPEN: Final = (_D.PLANNED, _D.CLAIMED, _D.SENDING, _D.DEFERRED)
