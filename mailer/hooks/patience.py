"""What an answer means: how long to wait, when to rest, when to tell a receiver nothing more. Pure.

The waits are those that Standard Webhooks recommends (github.com/standard-webhooks/standard-webhooks, "Deliverability
and reliability"), with jitter: ten tries over three days. Whoever fails three times in a row rests, longer each time,
and is then asked with one event; whoever has not answered for days, or says 410, is told nothing more until a person
says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from mailer.hooks.tables import DispatchState

WAITS: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 300, 1800, 7200, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
)
"""Before the second try, the third …; after the last one an event is abandoned."""

JITTER: Final = 0.2
_PATIENT: Final = 3  # failures in a row before a receiver rests
_FIRST_REST: Final = timedelta(seconds=30)
_LONGEST_REST: Final = timedelta(minutes=15)
_LONGEST_WISH: Final = timedelta(hours=24)  # of a Retry-After
GONE: Final = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver said: its status, or what went wrong on the way; `later` is its Retry-After."""

    status: int | None = None
    problem: str = ""
    later: timedelta | None = None

    @property
    def good(self) -> bool:
        """Whether it took the event: 2xx and nothing else, redirects least of all."""
        return self.status is not None and 200 <= self.status < 300

    def __str__(self) -> str:
        """Give what is shown to a person."""
        return str(self.status) if self.status is not None else self.problem


@dataclass(frozen=True, slots=True)
class Standing:
    """How a receiver has answered so far."""

    failures: int = 0
    failing_since: datetime | None = None
    resting_until: datetime | None = None
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of the event, and of the receiver; `ended` says why it is told nothing more."""

    state: DispatchState
    due_at: datetime | None
    standing: Standing
    ended: str = ""


def decide(
    answer: Answer,
    attempts: int,
    standing: Standing,
    now: datetime,
    give_up_after: timedelta,
    chance: float,
) -> Decision:
    """Say what an answer to the `attempts`-th try means; `chance` is a random number of [0, 1)."""
    if answer.good:
        return Decision(DispatchState.DELIVERED, None, Standing(answered_at=now))
    failed = _failed(standing, now)
    ended = _ended(answer, failed, now, give_up_after)
    if attempts > len(WAITS):
        return Decision(DispatchState.ABANDONED, None, failed, ended)
    wait = WAITS[attempts - 1] * (1 + JITTER * (2 * chance - 1))
    wish = min(answer.later or timedelta(0), _LONGEST_WISH)
    return Decision(DispatchState.WAITING, now + max(wait, wish), failed, ended)


def _failed(standing: Standing, now: datetime) -> Standing:
    failures = standing.failures + 1
    doubled = min(failures - _PATIENT, 10)
    rest = now + min(_FIRST_REST * 2**doubled, _LONGEST_REST) if failures >= _PATIENT else None
    return Standing(failures, standing.failing_since or now, rest, standing.answered_at)


def _ended(answer: Answer, failed: Standing, now: datetime, give_up_after: timedelta) -> str:
    if answer.status == GONE:
        return "it said 410: gone"
    if failed.failing_since is not None and now - failed.failing_since >= give_up_after:
        return f"no answer since {failed.failing_since:%Y-%m-%d %H:%M}; the last one: {answer}"
    return ""
