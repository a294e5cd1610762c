"""What an SMTP reply means for a delivery, its domain and its relay. Pure: decide here, apply elsewhere.

SMTP has three answers (2yz, 4yz, 5yz) and two speakers (the relay, and the far host behind it); smtp/replies.py tells
which. A relay's own trouble is never counted against a reader. S08: a lost answer after the final dot is `uncertain`
and never tried again by itself. S11: retries go on for five days.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

from mailer.delivery.model import Settlement
from mailer.delivery.states import DeliveryState as State
from mailer.smtp.replies import Cause, classify, relay_id

if TYPE_CHECKING:
    from datetime import datetime

    from mailer.delivery.model import Claim
    from mailer.smtp import Reply, SessionLost
    from mailer.smtp.relay import Kind

_MINUTES: Final = (15, 30, 60, 120, 240, 480, 720, 720, 720, 720, 720, 720, 720, 720)
RETRIES: Final = tuple(timedelta(minutes=minutes) for minutes in _MINUTES)
"""The wait after each failed try: short for greylisting, then doubling to twice a day; five days in all."""

_RELAY_PAUSE: Final = timedelta(seconds=5)
_QUICK_TRIES: Final = 3


class Signal(StrEnum):
    """What else an outcome says, beyond its own reader."""

    NONE = "none"
    SUCCESS = "success"
    DOMAIN_BUSY = "domain-busy"  # the far host asks for patience: that domain slows down
    RELAY_BUSY = "relay-busy"  # the relay asks for patience
    RELAY_DOWN = "relay-down"  # the relay is better left alone for a while
    RELAY_QUOTA = "relay-quota"  # the relay's day is used up
    RELAY_REFUSES = "relay-refuses"  # the relay will not take our mail at all: a person must look


class Verdict(NamedTuple):
    """A settlement (None: give the claim back untouched) and what the pace should hear."""

    settlement: Settlement | None
    signal: Signal = Signal.NONE


_SIGNALS: Final = {
    Cause.FAR_BUSY: Signal.DOMAIN_BUSY,
    Cause.RELAY_BUSY: Signal.RELAY_BUSY,
    Cause.RELAY_QUOTA: Signal.RELAY_QUOTA,
    Cause.RELAY_DOWN: Signal.RELAY_DOWN,
    Cause.RELAY_REFUSES_US: Signal.RELAY_REFUSES,
    Cause.DEFERRED: Signal.NONE,
    Cause.REFUSED: Signal.NONE,
}
# An enum's member is looked up anew each time that it is named.
_ACCEPTED: Final = State.ACCEPTED
_SUCCESS: Final = Signal.SUCCESS
_RELAYS_OWN: Final = frozenset(
    {Cause.RELAY_BUSY, Cause.RELAY_QUOTA, Cause.RELAY_DOWN, Cause.RELAY_REFUSES_US}
)


def judge_final(claim: Claim, reply: Reply, kind: Kind, now: datetime, jitter: float) -> Verdict:
    """Judge the answer to a body. `jitter` is a random number of [0, 1)."""
    if reply.positive:
        accepted = Settlement(claim, _ACCEPTED, now, reply=str(reply), relay_id=relay_id(kind, reply))
        return Verdict(accepted, _SUCCESS)
    cause = classify(kind, reply, "final")
    if cause in _RELAYS_OWN:
        later = Settlement(claim, State.DEFERRED, now, reply=str(reply), due_at=now + _RELAY_PAUSE)
        return Verdict(later, _SIGNALS[cause])
    return Verdict(_no(claim, cause, reply, now, jitter, sent=True), _SIGNALS[cause])


def judge_refusal(
    claim: Claim, reply: Reply, refused_at: str, kind: Kind, now: datetime, jitter: float
) -> Verdict:
    """Judge an envelope that was turned down: no body left, so the relay's own trouble gives the claim back."""
    cause = classify(kind, reply, refused_at)
    if cause in _RELAYS_OWN:
        return Verdict(None, _SIGNALS[cause])
    return Verdict(_no(claim, cause, reply, now, jitter, sent=False), _SIGNALS[cause])


def judge_loss(claim: Claim, lost: SessionLost, kind: Kind, now: datetime, jitter: float) -> Settlement:
    """Judge a body whose session was lost: answered, in doubt, or surely not taken."""
    if lost.final is not None:
        settlement = judge_final(claim, lost.final, kind, now, jitter).settlement
        if settlement is not None:
            return settlement
    if lost.in_doubt:
        return Settlement(claim, State.UNCERTAIN, now, reply=lost.why)
    return Settlement(claim, State.DEFERRED, now, reply=lost.why, due_at=now + _RELAY_PAUSE)


def judge_silence(claim: Claim, why: str, now: datetime) -> Settlement:
    """Judge an envelope at which the line was lost without a word: a try like any other, soon made again.

    Counted, so that a reader at whose address a server always hangs up does not hold the others up for ever.
    """
    due_at = now + _RELAY_PAUSE if claim.attempts < _QUICK_TRIES else next_try(claim.attempts, now, 0.0)
    state = State.DEFERRED if due_at is not None else State.REFUSED
    return Settlement(claim, state, now, sent=False, reply=why, due_at=due_at)


def next_try(attempts: int, now: datetime, jitter: float) -> datetime | None:
    """Give when to try again after `attempts` failed tries, up to a fifth later by jitter; None: give up."""
    if attempts > len(RETRIES):
        return None
    return now + RETRIES[attempts - 1] * (1 + jitter / 5)


def _no(claim: Claim, cause: Cause, reply: Reply, now: datetime, jitter: float, *, sent: bool) -> Settlement:
    due_at = None if cause is Cause.REFUSED else next_try(claim.attempts + 1, now, jitter)
    state = State.REFUSED if due_at is None else State.DEFERRED
    return Settlement(claim, state, now, sent, str(reply), "", due_at)
