"""The states of a person, an address and a subscription, and the only moves between them.

Pure: every change of a state in the database asks `sources` for the states it may start from and is written
as a conditional UPDATE, so that a move which is not in these tables cannot happen, not even in a race.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class PersonState(StrEnum):
    """Whether the person is still known."""

    PRESENT = "present"
    ERASED = "erased"


class AddressState(StrEnum):
    """What became of mail to an address. All but reachable stop every list."""

    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"  # it is dead: mail came back for good
    COMPLAINED = "complained"  # its owner reported mail as unwanted


class SubscriptionState(StrEnum):
    """How one person stands to one list."""

    PENDING = "pending"  # asked for, not yet confirmed from the mailbox
    ACTIVE = "active"
    PAUSED = "paused"  # active again by itself once paused_until has passed
    UNSUBSCRIBED = "unsubscribed"


class ImportState(StrEnum):
    """How far an import is."""

    RUNNING = "running"  # or stopped on the way: the same command goes on
    DONE = "done"
    UNDONE = "undone"


class Scope(StrEnum):
    """How far a suppression reaches."""

    LIST = "list"
    BRAND = "brand"
    EVERYTHING = "everything"


class Reason(StrEnum):
    """Why an address is suppressed."""

    UNSUBSCRIBED = "unsubscribed"  # it had left, when another tool's export was read
    COMPLAINT = "complaint"
    DEAD = "dead"  # mail comes back for good
    ERASURE = "erasure"
    MOVED = "moved"  # its owner reads at another address; an old file must not make a second reader of it
    MANUAL = "manual"  # a person blocked it; only `lift` ends that


class ConsentKind(StrEnum):
    """What a line of the evidence says."""

    REQUESTED = "requested"
    CONFIRMED = "confirmed"
    ADDED = "added"  # by the operator, who states the basis
    IMPORTED = "imported"
    WITHDRAWN = "withdrawn"
    COMPLAINED = "complained"
    PAUSED = "paused"
    RESUMED = "resumed"
    MOVED = "moved"
    UNDONE = "undone"
    RETURNED = "returned"  # took a leaving back, within a day


GRANTS = frozenset({ConsentKind.CONFIRMED, ConsentKind.ADDED, ConsentKind.IMPORTED, ConsentKind.RETURNED})
"""The kinds that make someone a reader."""

PERSON_MOVES: Mapping[PersonState, frozenset[PersonState]] = {
    PersonState.PRESENT: frozenset({PersonState.ERASED}),
    PersonState.ERASED: frozenset(),
}

ADDRESS_MOVES: Mapping[AddressState, frozenset[AddressState]] = {
    AddressState.REACHABLE: frozenset({AddressState.UNREACHABLE, AddressState.COMPLAINED}),
    # Back to reachable: a new confirmation from that mailbox, or the operator's express wish.
    AddressState.UNREACHABLE: frozenset({AddressState.REACHABLE, AddressState.COMPLAINED}),
    AddressState.COMPLAINED: frozenset({AddressState.REACHABLE}),
}

SUBSCRIPTION_MOVES: Mapping[SubscriptionState, frozenset[SubscriptionState]] = {
    SubscriptionState.PENDING: frozenset({SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED}),
    SubscriptionState.ACTIVE: frozenset({SubscriptionState.PAUSED, SubscriptionState.UNSUBSCRIBED}),
    SubscriptionState.PAUSED: frozenset({SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED}),
    # Back to active: a confirmed new sign-up, or the operator's express wish with a new basis.
    SubscriptionState.UNSUBSCRIBED: frozenset({SubscriptionState.PENDING, SubscriptionState.ACTIVE}),
}

S = TypeVar("S", bound=StrEnum)


def sources(moves: Mapping[S, frozenset[S]], target: S) -> tuple[S, ...]:
    """Give the states from which a move to `target` is allowed."""
    return tuple(state for state, targets in moves.items() if target in targets)
