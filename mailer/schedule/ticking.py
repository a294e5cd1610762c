"""The tick: what is due now, what is still open, and a look at what comes.

Promises: everything it needs to know stands in the database and in the folder, so that it may be killed at any moment,
run twice at once, or begin after years; one schedule in trouble holds up no other.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from mailer import events
from mailer.database import reading, writing
from mailer.errors import MailerError
from mailer.schedule import book
from mailer.schedule.beginning import begins_at
from mailer.schedule.book import AHEAD
from mailer.schedule.dealing import ACTOR, LONG_PAST, Case, Dealer, due_of
from mailer.schedule.judge import missed
from mailer.schedule.plan import plans_of
from mailer.schedule.preparing import prepare
from mailer.schedule.shelf import Shelf
from mailer.schedule.states import DueState, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from mailer.delivery.ground import Ground
    from mailer.schedule.dealing import Prepare
    from mailer.schedule.due import Due
    from mailer.schedule.plan import Plan

log = logging.getLogger(__name__)
LOOKS: Final = (24, 1)  # hours before a mailing begins at which it is looked at


class Scheduler:
    """Looks at the clock when it is told to. Raises UserError, when made, for rules that cannot be read."""

    def __init__(self, ground: Ground, ready: Prepare = prepare) -> None:
        self._ground = ground
        self._ready = ready
        self.shelf = Shelf(ground.settings)
        self.dealer = Dealer(ground, self.shelf, ready)
        self._plans = plans_of(ground.settings)
        self._said: dict[str, str] = {}

    def plans(self) -> list[Plan]:
        """Give every plan there is now: those of mailer.toml, and the dates that issues name."""
        return [*self._plans, *self.shelf.dated()]

    def tick(self) -> None:
        """Deal with everything that is due. Raises TryLater where the database is away."""
        plans = self.plans()
        known = self.meet()
        by_name = {plan.name: plan for plan in plans}
        with reading(self._ground.database) as connection:
            entries = book.opened(connection)
        for entry in entries:
            self._guarded(entry.schedule, partial(self._go_on, entry, by_name, known))
        for plan in plans:
            standing = known.get(plan.name)
            self._guarded(plan.name, partial(self._overdue, plan, standing))
            self._guarded(f"{plan.name} ahead", partial(self._look, plan, standing))

    def meet(self) -> dict[str, Row[Any]]:
        """See that the database knows the schedules of mailer.toml, and give how each stands."""
        now = self._ground.clock()
        with reading(self._ground.database) as connection:
            known = book.standings(connection)
        if book.is_news(known, self._plans, now):
            with writing(self._ground.database) as connection:
                book.meet(connection, self._plans, now)
                known = book.standings(connection)
        return known

    def _go_on(self, entry: book.Entry, plans: dict[str, Plan], known: dict[str, Row[Any]]) -> None:
        """See what becomes of an open row."""
        plan, now, due = plans.get(entry.schedule), self._ground.clock(), due_of(entry)
        gone = plan is None or (plan.once is not None and plan.once.utc != entry.due_at)
        if plan is None or gone:
            self._let_go(entry, now)
            return
        standing = known.get(plan.name)
        case = Case(plan, due, standing.first_seen_at if standing else now, entry)
        if entry.state is not DueState.ASKED:
            self.dealer.deal(case)
        elif entry.until is not None and now >= entry.until:
            self.dealer.skip(case, Skipped.UNANSWERED, "schedule.skipped")

    def _let_go(self, entry: book.Entry, now: datetime) -> None:
        with writing(self._ground.database) as connection:
            if book.move(connection, entry.id, DueState.SKIPPED, now, reason=Skipped.REMOVED.value):
                data = {"due": entry.due_at.isoformat(), "id": entry.id, "reason": Skipped.REMOVED.value}
                events.record(connection, "schedule.skipped", entry.schedule, now, ACTOR, **data)

    def _overdue(self, plan: Plan, standing: Row[Any] | None) -> None:
        """Deal with the due times that have no row yet, in their order."""
        now = self._ground.clock()
        if plan.rule is not None and (standing is None or standing.paused_at is not None):
            return
        after = standing.since if standing is not None else now - LONG_PAST
        dues = self._begun(plan, after, now)
        if not dues:
            return
        with reading(self._ground.database) as connection:
            known = book.known_dues(connection, plan.name, dues)
        old, young = missed([due for due in dues if due.utc not in known], now, plan)
        if old:
            self._supersede(plan, old, now)
        for due in young:
            self.dealer.deal(Case(plan, due, standing.first_seen_at if standing else now))
        if standing is not None:
            with writing(self._ground.database) as connection:
                book.dealt_with(connection, plan.name, dues[-1].utc)

    @staticmethod
    def _begun(plan: Plan, after: datetime, now: datetime) -> list[Due]:
        upto = now + AHEAD if plan.local_time else now
        return [due for due in plan.between(after, upto) if begins_at(plan, due) <= now]

    def _supersede(self, plan: Plan, dues: list[Due], now: datetime) -> None:
        """Pass over due times that a later one speaks for. They get no row: a clock that was ahead may come back."""
        with writing(self._ground.database) as connection:
            if book.dealt_with(connection, plan.name, dues[-1].utc):
                data = {"due": dues[-1].utc.isoformat(), "count": len(dues), "reason": "superseded"}
                events.record(connection, "schedule.missed", plan.name, now, ACTOR, **data)

    def _look(self, plan: Plan, standing: Row[Any] | None) -> None:
        """Look at the next due time a day before, and an hour: what would stop it is told while it can be mended."""
        now = self._ground.clock()
        if plan.rule is not None and (standing is None or standing.paused_at is not None):
            return
        due = next(plan.after(now), None)
        if due is None or begins_at(plan, due) <= now:
            return
        left = begins_at(plan, due) - now
        hours = [each for each in LOOKS if left <= timedelta(hours=each)]
        with reading(self._ground.database) as connection:
            wanted = [each for each in hours if not book.was_looked(connection, plan.name, due, each)]
        if not wanted:
            return
        words = self.missing(plan, due, standing.first_seen_at if standing else now)
        with writing(self._ground.database) as connection:
            fresh = [each for each in wanted if book.looked(connection, plan.name, due, each, now)]
            last = events.latest(connection, "schedule.warned", plan.name)
            data: dict[str, object] = {"due": due.utc.isoformat(), "words": words}
            if words and fresh and (last is None or last.data != data):
                events.record(connection, "schedule.warned", plan.name, now, ACTOR, **data)

    def missing(self, plan: Plan, due: Due, first_seen: datetime) -> list[str]:
        """Say what would stop a due time, were it now. That there is no issue yet is no fault."""
        choice = self.dealer.choice(Case(plan, due, first_seen))
        if choice is None or not choice.candidates:
            return list(choice.hints) if choice else []
        words = []
        if choice.first and plan.path is None:
            words.append("nothing of this list is on record as sent: you will be asked")
        if len(choice.candidates) > 1:
            names = ", ".join(issue.path.name for issue in choice.candidates[-5:])
            words.append(f"{len(choice.candidates)} issues wait, and you will be asked: {names}")
        try:
            self._ready(self._ground.settings, plan.list_key, choice.candidates[-1])
        except MailerError as error:
            words += map(str, error.problems)
        return words

    def _guarded(self, name: str, work: Callable[[], None]) -> None:
        """Let one schedule in trouble hold up no other; the same trouble is logged once."""
        try:
            work()
        except MailerError as problem:
            if self._said.get(name) != str(problem):
                log.warning("schedule %s: %s; trying again each minute", name, problem)
            self._said[name] = str(problem)
        except Exception:
            log.exception("schedule %s fell over; it is tried again in a minute", name)
        else:
            self._said.pop(name, None)
