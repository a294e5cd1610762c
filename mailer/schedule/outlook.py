"""Outlook: what each coming due time would send, as folder and database stand now. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from mailer.database import reading
from mailer.issue.provenance import provenance
from mailer.schedule import book
from mailer.schedule.beginning import begins_at
from mailer.schedule.choice import Choice, Record, choose, named
from mailer.schedule.preparing import relative

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from sqlalchemy import Row

    from mailer.delivery.ground import Ground
    from mailer.issue.find import Found
    from mailer.schedule.due import Due
    from mailer.schedule.plan import Plan
    from mailer.schedule.ticking import Scheduler


@dataclass(frozen=True, slots=True)
class Prospect:
    """One coming due time: when it begins, what it would send, and what is missing for that."""

    due: Due
    begins: datetime
    file: str = ""
    commit: str | None = None
    missing: tuple[str, ...] = ()
    skipped: bool = False


def outlook(
    ground: Ground, scheduler: Scheduler, plan: Plan, standing: Row[Any] | None, after: datetime, count: int
) -> list[Prospect]:
    """Give the next due times of a plan; the nearest is looked at as the scheduler would."""
    now = ground.clock()
    dues = list(islice(plan.after(after), count))
    with reading(ground.database) as connection:
        record = book.record_of(connection, plan.list_key)
        known = book.known_dues(connection, plan.name, dues)
    first_seen = standing.first_seen_at if standing is not None else now
    found = list(_chosen(scheduler, plan, dues, record, first_seen, known))
    prospects = [
        _prospect(ground, plan, due, choice, due.utc in known)
        for due, choice in zip(dues, found, strict=True)
    ]
    if prospects and not prospects[0].skipped:
        words = tuple(scheduler.missing(plan, dues[0], first_seen)) or prospects[0].missing
        prospects[0] = replace(prospects[0], missing=words)
    return prospects


def _chosen(
    scheduler: Scheduler,
    plan: Plan,
    dues: list[Due],
    record: Record,
    first_seen: datetime,
    known: set[datetime],
) -> Iterator[Choice]:
    """Choose for one after the other, as if each had sent what it would."""
    issues = scheduler.shelf.issues(plan.list_key)
    for due in dues:
        if plan.path is not None:
            issue = next((issue for issue in issues if issue.path == plan.path), None)
            yield named(issue, record) if issue else Choice()
            continue
        choice = choose(issues, record, due, plan.zone, first_seen)
        yield choice
        if choice.candidates and due.utc not in known:
            record = _with(record, choice.candidates[-1])


def _with(record: Record, issue: Found) -> Record:
    numbers = {*record.numbers, *([issue.number] if issue.number is not None else [])}
    return Record(numbers, {*record.slugs, issue.slug}, record.newest)


def _prospect(ground: Ground, plan: Plan, due: Due, choice: Choice, skipped: bool) -> Prospect:  # noqa: FBT001 - one call
    begins = begins_at(plan, due)
    if skipped:
        return Prospect(due, begins, skipped=True)
    if not choice.candidates:
        return Prospect(due, begins, missing=choice.hints or ("no issue yet",))
    path = choice.candidates[-1].path
    return Prospect(due, begins, relative(ground.settings.folder, path), provenance(path).commit)
