"""What a notice means for a reader, as tables and one pure decision (R01-R10).

An address is lost for one reason only: it is dead. Whoever cannot be reached for another reason is counted, at most
once a day, and forgotten again when mail arrives; what is our fault never touches a reader. Complaints end at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from mailer.feedback.model import Kind, Permanence

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from mailer.feedback.model import Notice


class Cause(StrEnum):
    """Whose matter a reason is."""

    DEAD = "dead"  # nobody is there
    HOST = "host"  # no such host, or it takes no mail: believed when said on a second day
    BOX = "box"  # the mailbox is there, and cannot or will not take mail
    WAY = "way"  # it did not get there; nobody says that it never will
    OURS = "ours"  # what we send, how, or from where


CAUSES: Final = {
    "userunknown": Cause.DEAD,
    "hasmoved": Cause.DEAD,
    "hostunknown": Cause.HOST,
    "notaccept": Cause.HOST,
    "mailboxfull": Cause.BOX,
    "suspend": Cause.BOX,
    "suppressed": Cause.BOX,
    "filtered": Cause.BOX,
    "exceedlimit": Cause.OURS,  # this one message was too big for them
    "mesgtoobig": Cause.OURS,
    "expired": Cause.WAY,
    "networkerror": Cause.WAY,
    "mailererror": Cause.WAY,
    "onhold": Cause.WAY,
    "systemerror": Cause.WAY,
    "systemfull": Cause.WAY,
    "undefined": Cause.WAY,
    "authfailure": Cause.OURS,
    "badreputation": Cause.OURS,
    "blocked": Cause.OURS,
    "contenterror": Cause.OURS,
    "failedstarttls": Cause.OURS,
    "norelaying": Cause.OURS,
    "notcompliantrfc": Cause.OURS,
    "policyviolation": Cause.OURS,
    "ratelimited": Cause.OURS,
    "rejected": Cause.OURS,
    "requireptr": Cause.OURS,
    "securityerror": Cause.OURS,
    "spamdetected": Cause.OURS,
    "speeding": Cause.OURS,
    "syntaxerror": Cause.OURS,
    "toomanyconn": Cause.OURS,
    "virusdetected": Cause.OURS,
}
"""Sisimai's reasons, each with its cause; a reason that is not here is on the way."""

WEIGHTS: Final = {Cause.DEAD: 1.0, Cause.HOST: 1.0, Cause.BOX: 1.0, Cause.WAY: 0.5, Cause.OURS: 0.0}
"""What a day with such a notice counts, while it does not end the address at once."""

LIMIT: Final = 3.5
"""So much makes an address unreachable: four weekly issues in a row to a full mailbox are one too few."""

HALF_LIFE: Final = timedelta(days=90)
LEAST_SPELL: Final = timedelta(days=28)
"""A full mailbox of less than four weeks is a holiday, however many issues went out."""

ENDS: Final = frozenset({"abuse", "opt-out", "opt-out-list", "other", "miscategorized"})
"""The types of feedback that are a reader's wish (RFC 5965, RFC 6430); the others are about us (C04)."""

PRAISE: Final = "not-spam"


class Effect(StrEnum):
    """What a notice changed."""

    LOST = "lost"  # the address is dead: unreachable at once
    WORN_OUT = "worn-out"  # unreachable, after weeks without a delivery
    COUNTED = "counted"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    OURS = "ours"  # about us: the domain, the tripwire and the operator hear of it
    NOTED = "noted"  # nothing: a warning, an automatic answer, proof of delivery
    UNPROVEN = "unproven"  # nothing ties it to mail of ours (D19)


@dataclass(frozen=True, slots=True)
class Day:
    """A day on which mail to a reader did not arrive: the heaviest cause that was named on it."""

    day: date
    cause: Cause


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a reader when a notice comes.

    `named` is whether the report names the address that we mailed, or nobody; `current` whether that is still the
    reader's address; `days` are the days without a delivery since the last proof of one, without today.
    """

    named: bool = True
    current: bool = True
    days: Sequence[Day] = ()


def cause_of(reason: str) -> Cause:
    """Give whose matter a reason is."""
    return CAUSES.get(reason, Cause.WAY)


def decide(notice: Notice, standing: Standing, now: datetime) -> Effect:
    """Say what a proven notice changes for the reader that it is about."""
    if notice.kind is Kind.UNSUBSCRIBE:
        return Effect.UNSUBSCRIBED
    if notice.kind is Kind.COMPLAINT:
        if notice.feedback == PRAISE:
            return Effect.NOTED
        return Effect.COMPLAINED if (notice.feedback or "abuse") in ENDS else Effect.OURS
    if notice.kind is Kind.BOUNCE and notice.final is not False:
        return _bounced(notice, standing, now)
    return Effect.NOTED


def _bounced(notice: Notice, standing: Standing, now: datetime) -> Effect:
    cause = cause_of(notice.reason)
    if cause is Cause.OURS:
        return Effect.OURS
    if not standing.current:
        return Effect.NOTED
    if _is_dead(notice, cause, standing):
        return Effect.LOST
    return Effect.WORN_OUT if _is_worn_out(cause, standing, now) else Effect.COUNTED


def _is_dead(notice: Notice, cause: Cause, standing: Standing) -> bool:
    """Believe in a death that is permanent and of the very address; of a host, when said on two days."""
    dead = notice.hardbounce and notice.permanence is Permanence.PERMANENT and standing.named
    if not dead or cause not in {Cause.DEAD, Cause.HOST}:
        return False
    return cause is Cause.DEAD or any(day.cause is Cause.HOST for day in standing.days)


def _is_worn_out(cause: Cause, standing: Standing, now: datetime) -> bool:
    first = min((day.day for day in standing.days), default=now.date())
    days = [*standing.days, Day(now.date(), cause)]
    return now.date() - first >= LEAST_SPELL and score(days, now) >= LIMIT


def score(days: Sequence[Day], now: datetime) -> float:
    """Add up the days, each worth half as much after HALF_LIFE; the same day counts once (R06)."""
    heaviest: dict[date, float] = {}
    for day in days:
        heaviest[day.day] = max(heaviest.get(day.day, 0.0), WEIGHTS[day.cause])
    return float(sum(weight * 0.5 ** ((now.date() - day) / HALF_LIFE) for day, weight in heaviest.items()))
