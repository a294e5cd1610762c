"""What follows for each candidate from what is known of them. Pure: merge.py applies it.

An import makes readers of strangers and updates readers. It never brings back who left, complained, is dead,
suppressed or not yet confirmed, unless it is asked to revive, and takes the word of another tool that somebody
does not want mail. Who was blocked, erased or moved away is not even revived.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from subscribers.exchange.fields import Standing
from subscribers.profile import ATTRIBUTES_LENGTH
from subscribers.status import AddressState, Reason, Scope, SubscriptionState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from subscribers.exchange.intake import Candidate


class Known(NamedTuple):
    """What the database knows of a candidate's address.

    `subscription` is the state on this list, `attributes` is JSON.
    """

    subscriber_id: int
    address_state: str
    subscription: str | None
    name: str
    language: str | None
    time_zone: str | None
    attributes: str


class Verdict(StrEnum):
    """What becomes of a candidate, as the result counts it."""

    ADDED = "added"  # a new person
    JOINED = "joined"  # a known person, new on this list
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT = "left"  # here or there: not revived
    COMPLAINED = "complained"
    DEAD = "dead"
    SUPPRESSED = "suppressed"
    PENDING = "not confirmed"
    TOO_MUCH = "too many attributes"  # those they have and those of the file together
    REVIVED = "revived"  # brought back, because that was asked for


SUPPRESSES: Mapping[Standing, tuple[Scope, Reason, Verdict]] = {
    Standing.UNSUBSCRIBED: (Scope.LIST, Reason.UNSUBSCRIBED, Verdict.LEFT),
    Standing.BOUNCED: (Scope.EVERYTHING, Reason.DEAD, Verdict.DEAD),
    Standing.COMPLAINED: (Scope.BRAND, Reason.COMPLAINT, Verdict.COMPLAINED),
    Standing.BLOCKED: (Scope.EVERYTHING, Reason.MANUAL, Verdict.SUPPRESSED),
}
"""What another tool's word about somebody means here."""

_REASONS: Mapping[str, Verdict] = {
    Reason.UNSUBSCRIBED: Verdict.LEFT,
    Reason.COMPLAINT: Verdict.COMPLAINED,
    Reason.DEAD: Verdict.DEAD,
}


def judge(  # noqa: PLR0911 - a table of cases, in their order
    candidate: Candidate, known: Known | None, suppressed: str | None, tags: frozenset[str]
) -> Verdict:
    """Say what becomes of a candidate.

    `suppressed` is the reason of a suppression in force, `tags` are those they have.
    """
    standing = candidate.standing
    if standing in SUPPRESSES:
        return SUPPRESSES[Standing(standing)][2]
    if suppressed is not None:
        return _REASONS.get(suppressed, Verdict.SUPPRESSED)
    if standing == Standing.PENDING:
        return Verdict.PENDING
    if known is None:
        return Verdict.ADDED
    if too_much(candidate.attributes, known.attributes):
        return Verdict.TOO_MUCH
    if known.address_state != AddressState.REACHABLE:
        return Verdict.DEAD if known.address_state == AddressState.UNREACHABLE else Verdict.COMPLAINED
    if known.subscription is None:
        return Verdict.JOINED
    if known.subscription == SubscriptionState.UNSUBSCRIBED:
        return Verdict.LEFT
    if known.subscription == SubscriptionState.PENDING:
        return Verdict.PENDING
    return Verdict.UPDATED if changes(candidate, known, tags) else Verdict.UNCHANGED


def may_revive(candidate: Candidate, known: Known | None, verdict: Verdict) -> bool:
    """Whether one of whom nothing would come is brought back where an import is asked to revive.

    Who was blocked, erased or moved away is none of those verdicts: `judge` calls them suppressed.
    """
    return (
        candidate.standing == Standing.ACTIVE
        and verdict in _REASONS.values()
        and (
            known is None
            or (
                known.subscription != SubscriptionState.PENDING
                and not too_much(candidate.attributes, known.attributes)
            )
        )
    )


def changes(candidate: Candidate, known: Known, tags: frozenset[str]) -> bool:
    """Whether a candidate tells anything new of a known person; what a file leaves empty is left alone."""
    return (
        bool(candidate.name and candidate.name != known.name)
        or bool(candidate.language and candidate.language != known.language)
        or bool(candidate.time_zone and candidate.time_zone != known.time_zone)
        or not tags.issuperset(candidate.tags)
        or _tells(candidate.attributes, known.attributes)
    )


def too_much(new: str, old: str) -> bool:
    """Whether attributes that tell anything new are more, together with those there are, than a person may hold."""
    if len(new) + len(old) <= ATTRIBUTES_LENGTH or not _tells(new, old):
        return False
    return len(json.dumps(json.loads(old) | json.loads(new), ensure_ascii=False)) > ATTRIBUTES_LENGTH


def _tells(new: str, old: str) -> bool:
    """Whether attributes hold any that are new or different; equal texts need not be parsed."""
    if new in {old, "{}"}:
        return False
    there = json.loads(old)
    return any(key not in there or there[key] != value for key, value in json.loads(new).items())
