"""Words about a mailing: what stands before it, and what came of it. Pure: values in, sentences out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailer.delivery.states import DeliveryState as State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mailer.delivery.ledger.recovery import Recovered
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.model import Counts
    from mailer.smtp.relay import Relay
    from subscribers import AudienceCounts


def whom(key: str, people: AudienceCounts, readers: int, segment: str = "") -> str:
    """Give "main: 40,012 active, 31 paused, 12 suppressed: 39,969 readers"."""
    parts = [f"{people.active:,} active"]
    left_out = (
        (people.paused, "paused"), (people.suppressed, "suppressed"), (people.unreachable, "unreachable"),
    )  # fmt: skip
    parts += [f"{count:,} {word}" for count, word in left_out if count]
    within = f", in segment {segment}" if segment else ""
    return f"{key}: {', '.join(parts)}{within}: {many(readers, 'reader')}"


def many(count: int, noun: str) -> str:
    """Give "1 reader" or "2 readers"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def rate(relays: Sequence[Relay]) -> float | None:
    """Give the messages a second that the relays' limits allow together, or None where one has no limit."""
    limits = [
        min((relay.per_second or float("inf")), (relay.per_hour or float("inf")) / 3600) for relay in relays
    ]
    total = sum(limits)
    return None if total == float("inf") else total


def duration(readers: int, per_second: float | None, now: datetime, zone: str) -> str:
    """Give "about 48 min, until 09:52", or nothing where no limit says how long it takes."""
    if not per_second:
        return ""
    seconds = readers / per_second
    until = (now + timedelta(seconds=seconds)).astimezone(ZoneInfo(zone))
    return f"; about {_span(seconds)}, until {until:%H:%M}"


def _span(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def went_out(found: Mailing, sums: Counts, joined: int, zone: str) -> str:
    """Give the sentence of a second call: nothing to send."""
    at = (found.finished_at or found.changed_at).astimezone(ZoneInfo(zone))
    name = f"Issue {found.number}" if found.number is not None else f"Issue {found.slug}"
    accepted, planned = sums[State.ACCEPTED], sums.planned
    text = (
        f"{name} went out on {at.day} {at:%B %H:%M}: {accepted:,} of {planned:,} accepted. Nothing to send."
    )
    if joined:
        plural = "" if joined == 1 else "s"
        text += f" {joined:,} reader{plural} joined since: --new-readers sends it to them."
    return text


def recovered(one: Recovered) -> str:
    """Give the sentence about a process that died: what its journal and the ledger say of its messages."""
    parts = [
        f"{count:,} {word}"
        for count, word in (
            (one.proven, "proven"),
            (one.uncertain, "uncertain"),
            (one.given_back, "given back"),
        )
        if count
    ]
    return f"A process that sent before died; of what it held: {', '.join(parts) or 'nothing'}."


def deferred(found: Mailing, sums: Counts, zone: str, *, alive: bool = False) -> str:
    """Give the sentence about those who are due later; `alive`: a daemon is there to send to them."""
    due = sums.next_due.astimezone(ZoneInfo(zone)) if sums.next_due else None
    when = f", next try {due:%H:%M}" if due else ""
    issue = found.number if found.number is not None else found.slug
    late = f"{sums[State.DEFERRED]:,} deferred" if sums[State.DEFERRED] or not sums.waiting else ""
    early = f"{sums.waiting:,} not due yet" if sums.waiting else ""
    who = ", ".join(filter(None, (late, early)))
    if alive:
        return f"{who}{when}. `mailer run` is alive and sends them."
    return (
        f"{who}{when}. No `mailer run` is alive: start it, or "
        f"`mailer send {issue} --wait` stays until nothing is left."
    )


def uncertain(found: Mailing, sums: Counts) -> str:
    """Give the sentences about those that a person must decide."""
    count = sums[State.UNCERTAIN]
    issue = found.number if found.number is not None else found.slug
    return (
        f"{count:,} uncertain: the line broke after the message and before the answer; they may have it or not. "
        f"`mailer audit {issue} --recipients --state uncertain` lists them; "
        f"`mailer send {issue} --uncertain resend` risks a second copy for these {count:,}."
    )


def balance(sums: Counts) -> str:
    """Give the sums on one line, in the order of the states."""
    words = {State.PLANNED: "waiting"}
    parts = [
        f"{sums[state]:,} {words.get(state, state.value)}"
        for state in State
        if sums[state] or state is State.ACCEPTED
    ]
    return f"{sums.planned:,} planned = " + " + ".join(parts)
