"""Beginning: the row of a due time is claimed in the transaction that opens its mailing, so that there is one.

Sends nothing: the delivery part of `mailer run`, here or on another machine, sends what runs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import available_timezones

from mailer import events
from mailer.database import reading, writing
from mailer.delivery import custody, dispatch, mailing
from mailer.delivery.dispatch import Request, Step
from mailer.delivery.waves import Waves
from mailer.errors import UserError
from mailer.schedule import book
from mailer.schedule.plan import zone_of
from mailer.schedule.states import DueState
from mailer.schedule.wall import instant

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.dispatch import Prospect
    from mailer.delivery.ground import Ground
    from mailer.schedule.due import Due
    from mailer.schedule.plan import Plan
    from mailer.schedule.preparing import Ready

PLANNING: Final = timedelta(minutes=15)  # a million readers are planned before the first of them has morning
PUNCTUAL: Final = timedelta(minutes=10)  # what comes later is told
_FIRST_ZONE: Final = "Pacific/Kiritimati"  # UTC+14


def waves_of(plan: Plan, due: Due) -> Waves | None:
    """Give when each zone of the world has that local time; None where all are due together."""
    if not plan.local_time:
        return None
    names = available_timezones() - {"localtime", "Factory"}
    return Waves({name: instant(due.local, zone_of(name)) for name in sorted(names)}, due.utc)


def begins_at(plan: Plan, due: Due) -> datetime:
    """Give when the mailing of a due time is begun: at it, or before the first of the world's mornings."""
    if not plan.local_time:
        return due.utc
    return min(instant(due.local, zone_of(_FIRST_ZONE)), due.utc) - PLANNING


class WentOutError(UserError):
    """Somebody sent the issue meanwhile: it is chosen anew."""


def begin(
    ground: Ground, plan: Plan, due: Due, ready: Ready, entry_id: int | None, *, quiet: bool = False
) -> bool:
    """Open the mailing of a due time; false where another process was first.

    `entry_id` is the row, where there is one; `quiet`: lateness is no news. Raises UserError for what stands in the
    way, PersonNeeded for a database that does not know what went out, TryLater for one that is away.
    """
    custody.secure(ground)
    now = ground.clock()
    request = Request(plan.list_key, plan.list_key, waves=waves_of(plan, due))
    prospect = _foresee(ground, ready, request, now)
    with writing(ground.database) as connection:
        claimed = _claim(connection, plan, due, entry_id, now)
        if claimed is None:
            return False
        mailing.opening(connection)
        if mailing.of_issue(connection, plan.list_key, ready.edition.number, ready.edition.slug) is not None:
            raise WentOutError(f"{ready.edition.file} went out meanwhile")
        found = dispatch.begin(connection, prospect, ready.edition, request, ready.origin, now, ground.narrow)
        values = {"file": ready.edition.file, "commit_hash": ready.origin.commit or "", "mailing": found.name}
        book.note(connection, claimed, **values)
        _record(connection, plan, due, found.name, now, quiet=quiet)
    return True


def _foresee(ground: Ground, ready: Ready, request: Request, now: datetime) -> Prospect:
    with writing(ground.database) as connection:
        ids = dispatch.lists_of(connection, ground.settings.lists, now)
    with reading(ground.database) as connection:
        prospect = dispatch.foresee(
            connection, ready.edition, request, ids[request.list_key], now, ground.narrow
        )
    if prospect.step is not Step.OPEN:
        raise WentOutError(f"{ready.edition.file} went out meanwhile")
    if not prospect.readers:
        raise UserError(f"nobody to send to: {request.list_key} has no readers who may be mailed")
    return prospect


def _claim(connection: Connection, plan: Plan, due: Due, entry_id: int | None, now: datetime) -> int | None:
    if entry_id is None:
        return book.write(connection, plan, due, DueState.STARTED, now)
    return entry_id if book.move(connection, entry_id, DueState.STARTED, now) else None


def _record(connection: Connection, plan: Plan, due: Due, name: str, now: datetime, *, quiet: bool) -> None:
    actor = f"schedule {plan.name}"
    data = {"step": "open", "list": plan.list_key, "segment": ""}
    events.record(connection, "mailing.started", name, now, actor, **data)
    first = begins_at(plan, due) + (PLANNING if plan.local_time else timedelta())
    late = max(0, int((now - first).total_seconds()))
    told = {"due": due.utc.isoformat(), "mailing": name, "late_seconds": late}
    events.record(connection, "schedule.started", plan.name, now, actor, **told)
    if late > PUNCTUAL.total_seconds() and not quiet:
        events.record(connection, "schedule.late", plan.name, now, actor, **told)
