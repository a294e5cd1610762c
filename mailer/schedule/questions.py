"""Questions: what a person is asked about a due time, and what becomes of the answer.

Promises: looking changes nothing; the first answer counts, and a later one is told what came of it; "send" only marks
the row, and the scheduler begins the mailing at its next look, after it has checked the file again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from mailer import events
from mailer.schedule import book
from mailer.schedule.states import Asked, DueState, Skipped

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.schedule.book import Entry

Word = Literal["send", "skip"]
_WHY: Final = {
    Asked.LATE: "The program was not running when this was due.",
    Asked.FIRST: "This would be the first issue of the list that is sent from here.",
    Asked.SEVERAL: "More than one issue waits, and a schedule sends one.",
    Asked.STOPPED: "Something is wrong with the issue.",
    Asked.PAGE: "The issue's page on the web did not come in time.",
}
_BECAME: Final = {
    DueState.APPROVED: "The answer was: send. It goes out within a minute.",
    DueState.STARTED: "It was sent.",
    DueState.EMPTY: "There was nothing left to send.",
    DueState.HELD: "The answer was: send. It waits for its page on the web.",
}
_SKIPPED: Final = {
    Skipped.PERSON: "The answer was: skip. Nobody was mailed.",
    Skipped.UNANSWERED: "Nobody answered within 24 hours, so it was skipped. Nobody was mailed.",
    Skipped.SENT: "The issue was sent by hand meanwhile.",
    Skipped.REMOVED: "The schedule was changed meanwhile, and this due time is none any more.",
    Skipped.LATE: "It came too late, and the schedule says to skip then.",
}


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked: plain text, to be escaped where it is shown. `outcome` says what became of it."""

    id: int
    open: bool
    schedule: str
    due_local: str
    zone: str
    due_utc: datetime
    text: tuple[str, ...]
    send_label: str
    skip_label: str
    expires_at: datetime | None
    outcome: str


def look(connection: Connection, question_id: int, now: datetime) -> Question | None:
    """Give a question, open or not; None for one that there is none of. Changes nothing."""
    entry = book.get(connection, question_id)
    return question_of(entry, now) if entry else None


def answer(
    connection: Connection, question_id: int, word: Word, now: datetime, actor: str
) -> Question | None:
    """Take an answer; the first one counts. Give the question with what became of it; None for an unknown one."""
    entry = book.get(connection, question_id)
    if entry is None:
        return None
    if _is_open(entry, now):
        if word == "send":
            moved = book.move(connection, entry.id, DueState.APPROVED, now, actor=actor)
        else:
            values = {"reason": Skipped.PERSON.value, "actor": actor}
            moved = book.move(connection, entry.id, DueState.SKIPPED, now, **values)
        if moved:
            data = {"due": entry.due_at.isoformat(), "id": entry.id, "answer": word}
            events.record(connection, "schedule.answered", entry.schedule, now, actor, **data)
    return look(connection, question_id, now)


def question_of(entry: Entry, now: datetime) -> Question:
    """Give what a person is told of a row. Pure."""
    local, _, zone = entry.local.rpartition(" ")
    return Question(
        id=entry.id,
        open=_is_open(entry, now),
        schedule=entry.schedule,
        due_local=local,
        zone=zone,
        due_utc=entry.due_at,
        text=_text(entry),
        send_label=f"Send {entry.file}" if entry.file else "Send it",
        skip_label="Skip it",
        expires_at=entry.until if entry.state is DueState.ASKED else None,
        outcome=_outcome(entry, now),
    )


def _is_open(entry: Entry, now: datetime) -> bool:
    return entry.state is DueState.ASKED and (entry.until is None or now < entry.until)


def _text(entry: Entry) -> tuple[str, ...]:
    why = _WHY.get(Asked(entry.reason), "") if entry.reason in set(Asked) else ""
    what = f"\u201cSend\u201d sends {entry.file} to the readers of {entry.list_key}." if entry.file else ""
    return tuple(filter(None, (why, *entry.words, what)))


def _outcome(entry: Entry, now: datetime) -> str:
    if entry.state is DueState.SKIPPED:
        return _SKIPPED.get(Skipped(entry.reason), "") if entry.reason in set(Skipped) else ""
    if entry.state is DueState.ASKED and not _is_open(entry, now):
        return _SKIPPED[Skipped.UNANSWERED]
    return _BECAME.get(entry.state, "")
