"""The states of a due time, and the only moves between them. Pure; the drawing in docs/how-it-works.md is checked.

A due time has no row before something became of it. Its row is made in one of these states, and that row is unique.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Final


class DueState(StrEnum):
    """What became of one due time of one schedule."""

    HELD = "held"  # the page on the web is not there yet
    ASKED = "asked"  # a person must decide, and was asked
    APPROVED = "approved"  # a person said send; it is begun at the next look
    STARTED = "started"  # the mailing was begun
    EMPTY = "empty"  # there was no issue to send
    SKIPPED = "skipped"  # nothing was sent, for the reason that stands beside it


class Asked(StrEnum):
    """Why a person is asked."""

    LATE = "late"  # the host was down, and more hours have passed than may
    FIRST = "first"  # nothing of the list is on record as sent: is this archive old?
    SEVERAL = "several"  # more than one issue waits
    STOPPED = "stopped"  # errors, uncommitted changes, or a database that cannot be trusted
    PAGE = "page"  # the page did not come in time


class Skipped(StrEnum):
    """Why nothing was sent."""

    LATE = "late"  # it came too late, and the schedule says to skip then
    UNANSWERED = "unanswered"  # nobody answered within a day
    PERSON = "person"  # a person said so
    SENT = "sent"  # a person sent the issue meanwhile
    REMOVED = "removed"  # the schedule, or the issue's `send:`, is gone or says another time


_D = DueState
DUE_MOVES: Final[dict[DueState, frozenset[DueState]]] = {
    _D.HELD: frozenset({_D.STARTED, _D.ASKED, _D.EMPTY, _D.SKIPPED}),
    _D.ASKED: frozenset({_D.APPROVED, _D.SKIPPED}),
    _D.APPROVED: frozenset({_D.STARTED, _D.HELD, _D.ASKED, _D.EMPTY, _D.SKIPPED}),
    _D.STARTED: frozenset(),
    _D.EMPTY: frozenset(),
    _D.SKIPPED: frozenset(),
}
OPEN: Final = (_D.HELD, _D.ASKED, _D.APPROVED)
PATIENCE: Final = timedelta(hours=24)  # how long a question waits for its answer
