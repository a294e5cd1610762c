"""What the operator is told: events become sentences. Pure.

Every message has a section of the same name in docs/runbook.md, which says what happened, whether anybody is hurt, and
what to type; a test compares them. No message holds a reader's address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from mailer.schedule.states import PATIENCE, Asked, Skipped

if TYPE_CHECKING:
    from mailer.events import Event

_TRIPPED: Final = "tripwire"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell: `section` is its heading in the runbook, `question` the row that a person may answer."""

    section: str
    subject: str
    paragraphs: tuple[str, ...]
    urgent: bool = True
    question: int | None = None


Data: TypeAlias = Mapping[str, Any]
Words: TypeAlias = Callable[["Event", Data], Message | None]


def message_of(event: Event) -> Message | None:
    """Give what the operator is told of an event; None where it is no news."""
    tell = TELL.get(event.kind)
    found = tell(event, event.data) if tell else None
    if found is None:
        return None
    more = f"More in docs/runbook.md, \u201c{found.section}\u201d."
    return Message(found.section, found.subject, (*found.paragraphs, more), found.urgent, found.question)


def _late(event: Event, data: Data) -> Message:
    hours = data.get("late_seconds", 0) / 3600
    said = f"{data.get('mailing')} was due at {_when(data)} and was begun {_span(hours)} late: nothing ran at its time."
    return Message("Sent late", f"{event.subject}: sent {_span(hours)} late", (said, "Nobody was left out."))


def _empty(event: Event, data: Data) -> Message:
    said = f"{event.subject} was due at {_when(data)}, and there was no new issue. Nobody was mailed."
    return Message(
        "Nothing to send", f"{event.subject}: nothing to send", (said, *_words(data)), urgent=False
    )


_ASKED: Final[Mapping[str, tuple[str, str]]] = {
    Asked.LATE: ("Too late to send by itself", "too late, send it all the same?"),
    Asked.FIRST: ("The first send of a list", "nothing was ever sent from here, send this?"),
    Asked.SEVERAL: ("More than one issue waits", "more than one issue waits, send the newest?"),
    Asked.STOPPED: ("Something is wrong with the issue", "something is wrong with the issue"),
    Asked.PAGE: ("The page is not there", "the issue's page on the web is not there"),
}


def _asked(event: Event, data: Data) -> Message:
    section, words = _ASKED[data["reason"]]
    hours = PATIENCE.total_seconds() / 3600
    answer = (
        f"Answer on the page below, or type `mailer schedule answer {event.subject} send`, or skip instead of send. "
        f"Without an answer within {hours:.0f} hours it is skipped."
    )
    said = f"{event.subject} was due at {_when(data)} and was not sent."
    return Message(section, f"{event.subject}: {words}", (said, *_words(data), answer), question=data["id"])


def _missed(event: Event, data: Data) -> Message:
    count = data.get("count", 1)
    many = (
        f"{count} due times of {event.subject}, the last at {_when(data)}, went by"
        if count > 1
        else (f"{event.subject} was due at {_when(data)}, which went by")
    )
    why = (
        "a later one speaks for them"
        if data.get("reason") == "superseded"
        else "the schedule says to skip then"
    )
    said = f"{many} while nothing ran; {why}. Nobody was mailed for it."
    return Message("Missed", f"{event.subject}: missed", (said,))


def _skipped(event: Event, data: Data) -> Message | None:
    if data.get("reason") != Skipped.UNANSWERED:
        return None
    asked = f"Nobody answered whether {event.subject}, due at {_when(data)}, was to be sent."
    said = f"{asked} It was skipped; nobody was mailed."
    return Message("Nobody answered", f"{event.subject}: skipped, nobody answered", (said,))


def _warned(event: Event, data: Data) -> Message:
    said = f"{event.subject} is due at {_when(data)}. As things stand it would not be sent by itself:"
    return Message("Tomorrow's send would stop", f"{event.subject}: would not be sent", (said, *_words(data)))


def _finished(event: Event, data: Data) -> Message:
    planned, accepted = data.get("planned", 0), data.get("accepted", 0)
    refused, uncertain = data.get("refused", 0), data.get("uncertain", 0)
    said = f"{event.subject}: {accepted:,} of {planned:,} accepted, {refused:,} refused, {uncertain:,} uncertain."
    if uncertain:
        ask = f"A person must decide about {uncertain:,}: they may have it or not."
        return Message("Finished, some uncertain", f"{event.subject}: {uncertain:,} uncertain", (said, ask))
    return Message("Finished", f"{event.subject}: sent to {accepted:,}", (said,), urgent=False)


def _paused(event: Event, data: Data) -> Message:
    reason = str(data.get("reason") or f"paused by {event.actor}")
    said = f"{event.subject} is paused: {reason}."
    after = f"`mailer resume {event.subject}` lets it go on, `mailer cancel {event.subject}` ends it."
    if reason.startswith(_TRIPPED):
        return Message("Tripped", f"{event.subject}: paused itself", (said, after))
    return Message("Paused", f"{event.subject}: paused", (said, after))


def _chore(event: Event, data: Data) -> Message:
    said = f"The daily chore \u201c{event.subject}\u201d failed: {data.get('reason', 'see the log')}."
    return Message(
        "A daily chore failed", f"{event.subject} failed", (said, "It is tried again within the hour.")
    )


def _unreadable(event: Event, data: Data) -> Message:
    said = f"The mailbox {event.subject} cannot be read: {data.get('reason', 'see the log')}."
    more = "Nothing in it is lost. It is tried again every few minutes; `mailer status` shows when it can be read."
    return Message("A mailbox cannot be read", f"{event.subject} cannot be read", (said, more))


def _fault(event: Event, data: Data) -> Message:
    domain = data.get("domain")
    said = f"{domain} turned our mail away: {data.get('reason')} {data.get('status', '')}".rstrip() + "."
    more = "It is about us, not about readers: none was lost for it, and that domain is mailed more slowly."
    return Message("Our mail is turned away", f"{event.subject}: {domain} turns our mail away", (said, more))


def _disabled(event: Event, data: Data) -> Message:
    name = event.subject
    said = f"{name} is told nothing more: {data.get('why', 'it does not answer')}."
    mend = f"Mend it, then `mailer hooks resume {name}` tells it all it missed; `mailer hooks test {name}` tries it."
    return Message("A receiver of hooks is off", f"{name}: hooks are off", (said, mend))


TELL: Final[Mapping[str, Words]] = {
    "schedule.late": _late,
    "schedule.empty": _empty,
    "schedule.asked": _asked,
    "schedule.missed": _missed,
    "schedule.skipped": _skipped,
    "schedule.warned": _warned,
    "mailing.finished": _finished,
    "mailing.paused": _paused,
    "upkeep.failed": _chore,
    "webhook.disabled": _disabled,
    "feedback.unreadable": _unreadable,
    "feedback.fault": _fault,
}
SECTIONS: Final = (
    "Sent late", "Nothing to send", *(section for section, _ in _ASKED.values()), "Missed", "Nobody answered",
    "Tomorrow's send would stop", "Finished", "Finished, some uncertain", "Paused", "Tripped", "A daily chore failed",
    "A receiver of hooks is off", "A mailbox cannot be read", "Our mail is turned away",
)  # fmt: skip
"""Every heading that a message may name."""


def _when(data: Data) -> str:
    due = data.get("due")
    return f"{datetime.fromisoformat(due):%Y-%m-%d %H:%M} UTC" if isinstance(due, str) else "an unknown time"


def _words(data: Data) -> tuple[str, ...]:
    return tuple(str(word)[:500] for word in data.get("words", ())[:10])


def _span(hours: float) -> str:
    if hours < 1:
        return f"{hours * 60:.0f} minutes"
    return f"{hours:.1f} hours" if hours < 48 else f"{hours / 24:.0f} days"
