"""Judge: what becomes of a due time now. Pure: plan, due time, clock and choice in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.schedule.states import Asked, Skipped

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mailer.issue.find import Found
    from mailer.schedule.choice import Choice
    from mailer.schedule.due import Due
    from mailer.schedule.plan import Plan


@dataclass(frozen=True, slots=True)
class Send:
    """Send this issue, if nothing is wrong with it."""

    issue: Found


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask a person; the newest candidate is what "send" would send."""

    why: Asked
    words: tuple[str, ...]
    issue: Found | None = None


@dataclass(frozen=True, slots=True)
class Empty:
    """There is nothing to send."""

    hints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Skip:
    """Leave this one out."""

    why: Skipped


Verdict = Send | Ask | Empty | Skip


def judge(plan: Plan, due: Due, now: datetime, choice: Choice, *, approved: bool = False) -> Verdict:
    """Decide about one due time; `approved` says that a person answered "send"."""
    if not choice.candidates:
        return Empty(choice.hints)
    newest = choice.candidates[-1]
    if approved:
        return Send(newest)
    if now - due.utc > plan.lateness.grace:
        return _too_late(plan, due, now, newest)
    if choice.first:
        words = (
            "Nothing of this list is on record as sent: `mailer issues mark-sent` declares an archive sent."
        )
        return Ask(Asked.FIRST, (words,), newest)
    if len(choice.candidates) > 1:
        names = ", ".join(issue.path.name for issue in choice.candidates[-5:])
        return Ask(Asked.SEVERAL, (f"{len(choice.candidates)} issues wait: {names}.",), newest)
    return Send(newest)


def _too_late(plan: Plan, due: Due, now: datetime, newest: Found) -> Ask | Skip:
    if not plan.lateness.ask:
        return Skip(Skipped.LATE)
    hours = (now - due.utc).total_seconds() / 3600
    words = f"It was due {_span(hours)} ago; after {plan.lateness.hours:g} hours a person decides."
    return Ask(Asked.LATE, (words,), newest)


def _span(hours: float) -> str:
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"


def missed(dues: Sequence[Due], now: datetime, plan: Plan) -> tuple[list[Due], list[Due]]:
    """Part the due times that nobody looked at into those that a later one speaks for, and those to be judged.

    Within the hours that lateness grants each is judged; of older ones the newest alone, and that only where nothing
    younger is due: three questions about three lost days would help nobody.
    """
    young = [due for due in dues if now - due.utc <= plan.lateness.grace]
    old = [due for due in dues if now - due.utc > plan.lateness.grace]
    if not young and old:
        return old[:-1], old[-1:]
    return old, young
