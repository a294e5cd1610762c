"""Mailboxes and what becomes of them in three months: who dies, who is full, and when a whole provider has trouble.

Every share that the comparison of bounce policies (bounces.py) assumes stands here, drawn by a generator that is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import random

WEEKS: Final = 13
SHARES: Final = (("large", 0.45), ("office", 0.25), ("small", 0.30))
"""Where readers have their mailboxes: one large provider, one for offices, and all the others."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came back of one issue: the code's class, the reason, and whether the address is really gone."""

    code: int
    reason: str
    hard: bool = False
    complaint: bool = False


DEAD = Said(5, "userunknown", hard=True)
FULL = Said(5, "mailboxfull")
SUSPENDED = Said(5, "suspend")
GONE_HOST = Said(5, "hostunknown", hard=True)
BLOCKED = Said(5, "blocked")
POLICY = Said(5, "policyviolation")
AUTHENTICATION = Said(5, "authfailure")
EXPIRED = Said(4, "expired")
COMPLAINT = Said(0, "feedback", complaint=True)


@dataclass(slots=True)
class Life:
    """One reader's mailbox: when it dies, and spells in which it is full."""

    domain: str
    dies: int = WEEKS  # the first week in which nobody is there
    ends: str = "mailbox"  # or its whole host
    full: range = range(0)
    complains: int = WEEKS


def lives(chance: random.Random, number: int) -> list[Life]:
    """Draw the lives: 2 % are dead at the start, 0.25 % die each week, 3 % have a full mailbox for a while."""
    return [_life(chance) for _ in range(number)]


def _life(chance: random.Random) -> Life:
    domain = chance.choices([name for name, _ in SHARES], [share for _, share in SHARES])[0]
    one = Life(domain)
    if chance.random() < 0.02:
        one.dies = 0
    else:
        one.dies = next((week for week in range(WEEKS) if chance.random() < 0.0025), WEEKS)
    one.ends = "host" if domain == "small" and chance.random() < 0.15 else "mailbox"
    if chance.random() < 0.03:
        start = chance.randrange(WEEKS)
        one.full = range(start, start + chance.choices((1, 2, 3, 6, 13), (50, 20, 12, 10, 8))[0])
    one.complains = next((week for week in range(WEEKS) if chance.random() < 0.0003), WEEKS)
    return one


def weather(chance: random.Random, week: int, one: Life) -> Said | None:
    """Say what came back of an issue to one reader, or None if it arrived."""
    if week >= one.dies:
        return _death(chance, one)
    if week == one.complains:
        return COMPLAINT
    if week in one.full:
        return FULL
    trouble = TROUBLES.get((week, one.domain))
    if trouble is not None and chance.random() < trouble[1]:
        return trouble[0]
    if chance.random() < 0.004:
        return chance.choices((POLICY, EXPIRED, SUSPENDED), (6, 3, 1))[0]
    return None


TROUBLES: Final = {
    (4, "large"): (BLOCKED, 0.6),  # the large provider blocks our address for a day
    (7, "office"): (AUTHENTICATION, 0.5),  # a DKIM record that somebody broke
    (9, "office"): (EXPIRED, 0.3),  # two outages of five days, and mail that was given up
    (10, "office"): (EXPIRED, 0.3),
    (11, "small"): (GONE_HOST, 0.02),  # a registrar's name servers are away for a day
}
"""What goes wrong in a week for whole providers, and for which share of their readers."""


def _death(chance: random.Random, one: Life) -> Said:
    """Say how a death is told: most servers say it, some call it a policy or stay silent."""
    if one.ends == "host":
        return chance.choices((GONE_HOST, EXPIRED), (7, 3))[0]
    return chance.choices((DEAD, SUSPENDED, POLICY), (90, 6, 4))[0]
