"""Dealing with one due time: choose, judge, and write down what that comes to.

Promises: each ending is one short transaction that makes or moves the row of the due time and records its event; where
another process was first, nothing happens. What is asked about is what "send" sends, however the folder changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from mailer import events
from mailer.database import reading, writing
from mailer.errors import MailerError, TryLater
from mailer.schedule import book
from mailer.schedule.beginning import WentOutError, begin
from mailer.schedule.choice import Choice, choose, named
from mailer.schedule.due import Due
from mailer.schedule.judge import Ask, Empty, Send, Skip, judge
from mailer.schedule.page import missing
from mailer.schedule.preparing import prepare, relative
from mailer.schedule.states import PATIENCE, Asked, DueState, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailer.delivery.ground import Ground
    from mailer.issue.find import Found
    from mailer.schedule.book import Entry
    from mailer.schedule.plan import Plan
    from mailer.schedule.preparing import Ready
    from mailer.schedule.shelf import Shelf
    from mailer.settings import Settings

Prepare: TypeAlias = "Callable[[Settings, str, Found], Ready]"
_TRIES: Final = 3  # issues that a person sends while one is chosen
ACTOR: Final = "schedule"


@dataclass(frozen=True, slots=True)
class Case:
    """One due time to deal with: its schedule, since when that is known, and its row, where there is one."""

    plan: Plan
    due: Due
    first_seen: datetime
    entry: Entry | None = None

    @property
    def approved(self) -> bool:
        """Whether a person answered "send", or it is only its page that is waited for."""
        return self.entry is not None and self.entry.state in {DueState.APPROVED, DueState.HELD}

    @property
    def entry_id(self) -> int | None:
        """The row, where there is one."""
        return self.entry.id if self.entry else None


class Dealer:
    """Deals with due times, one after the other."""

    def __init__(self, ground: Ground, shelf: Shelf, ready: Prepare = prepare) -> None:
        self._ground = ground
        self._shelf = shelf
        self._ready = ready

    def choice(self, case: Case) -> Choice | None:
        """Give what there is to send; None for the date of an issue that went out."""
        plan = case.plan
        with reading(self._ground.database) as connection:
            record = book.record_of(connection, plan.list_key)
        issues = self._shelf.issues(plan.list_key)
        if plan.path is None:
            found = choose(issues, record, case.due, plan.zone, case.first_seen)
        else:
            issue = next((issue for issue in issues if issue.path == plan.path), None)
            if issue is None or record.holds(issue):
                return None
            found = named(issue, record)
        return self._same(case, found, [issue for issue in issues if record.holds(issue)])

    def _same(self, case: Case, found: Choice, gone: Sequence[Found]) -> Choice | None:
        """Keep to the file that a person was asked about, or that is held; None where it went out meanwhile."""
        if not case.approved or case.entry is None or not case.entry.file:
            return found
        if any(self._file(issue) == case.entry.file for issue in gone):
            return None
        kept = tuple(issue for issue in found.candidates if self._file(issue) == case.entry.file)
        return Choice(kept, found.first, found.hints)

    def deal(self, case: Case, tries: int = _TRIES) -> None:
        """Deal with a due time. Raises TryLater where it cannot be dealt with now."""
        now = self._ground.clock()
        choice = self.choice(case)
        if choice is None:
            if case.entry is not None:
                self.skip(case, Skipped.SENT, "schedule.skipped")
            return
        match judge(case.plan, case.due, now, choice, approved=case.approved):
            case Empty(hints):
                self._empty(case, hints)
            case Skip(why):
                self.skip(case, why, "schedule.missed")
            case Ask(why, words, issue):
                self._ask(case, why, words, issue)
            case Send(issue):
                try:
                    self._send(case, issue)
                except WentOutError:
                    if tries == 0:
                        raise
                    self.deal(case, tries - 1)

    def _send(self, case: Case, issue: Found) -> None:
        try:
            ready = self._ready(self._ground.settings, case.plan.list_key, issue)
            if self._held(case, ready):
                return
            begin(self._ground, case.plan, case.due, ready, case.entry_id, quiet=case.approved)
        except (TryLater, WentOutError):
            raise
        except MailerError as error:
            self._ask(case, Asked.STOPPED, tuple(map(str, error.problems)), issue)

    def _held(self, case: Case, ready: Ready) -> bool:
        """Say whether the issue's page is waited for; ask when that took too long."""
        entry, now = case.entry, self._ground.clock()
        if case.plan.wait_for is None or (entry is not None and entry.reason == Asked.PAGE):
            return False
        said = missing(ready.edition.canonical, ready.issue.title)
        if said is None:
            return False
        if entry is None or entry.state is not DueState.HELD:
            until = now + case.plan.wait
            self._record(case, DueState.HELD, "schedule.held", [said], until=until, file=ready.edition.file)
        elif entry.until is not None and now >= entry.until:
            self._ask(case, Asked.PAGE, (said,), ready.issue)
        return True

    def _empty(self, case: Case, hints: Sequence[str]) -> None:
        kind = "schedule.empty" if case.plan.tell_empty or case.approved else "schedule.quiet"
        self._record(case, DueState.EMPTY, kind, hints)

    def _ask(self, case: Case, why: Asked, words: Sequence[str], issue: Found | None) -> None:
        values = {
            "reason": why.value,
            "until": self._ground.clock() + PATIENCE,
            "file": self._file(issue) if issue else "",
            "actor": "",
        }
        self._record(case, DueState.ASKED, "schedule.asked", words, **values)

    def skip(self, case: Case, why: Skipped, kind: str) -> None:
        """Leave a due time out, and say why."""
        self._record(case, DueState.SKIPPED, kind, (), reason=why.value)

    def _record(self, case: Case, state: DueState, kind: str, words: Sequence[str], **values: object) -> None:
        now, values = self._ground.clock(), {**values, "words": list(words)}
        with writing(self._ground.database) as connection:
            if case.entry is None:
                row = book.write(connection, case.plan, case.due, state, now, **values)
            else:
                moved = book.move(connection, case.entry.id, state, now, **values)
                row = case.entry.id if moved else None
            if row is None:
                return  # another process was first
            data = {"due": case.due.utc.isoformat(), "id": row, "words": list(words)[:10]}
            reason = values.get("reason", "")
            events.record(connection, kind, case.plan.name, now, ACTOR, **data, reason=reason)

    def _file(self, issue: Found) -> str:
        return relative(self._ground.settings.folder, issue.path)


def due_of(entry: Entry) -> Due:
    """Give the due time that a row is about."""
    local = datetime.strptime(entry.local[:16], "%Y-%m-%d %H:%M")  # noqa: DTZ007 - what a wall clock shows has no zone
    return Due(local, entry.due_at)


LONG_PAST: Final = timedelta(days=7)  # older dates of `send:` are those of an archive
