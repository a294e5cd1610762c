"""What the notices of the past say: days on which a reader could not be reached, and how a mailing fares."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, func, select

from mailer.delivery import ledger
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries
from mailer.feedback.model import Kind
from mailer.feedback.policy import WEIGHTS, Cause, Day, Effect, cause_of
from mailer.feedback.tables import notices as table

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

REMEMBERED: Final = timedelta(days=400)
SETTLED: Final = timedelta(days=6)
"""Mail that was accepted so long ago, and of which nothing came back, has arrived: queues give up after five days."""

_n = table.c
_d = deliveries.c


def days_without_delivery(connection: Connection, subscriber_id: int, now: datetime) -> tuple[Day, ...]:
    """Give the days on which mail to a reader failed since the last that arrived, without today (R05, R06)."""
    failed = (_n.kind == Kind.BOUNCE.value, _n.effect.in_((Effect.COUNTED.value, Effect.WORN_OUT.value)))
    rows = connection.execute(
        select(_n.at, _n.reason, _n.mailing_id)
        .where(_n.subscriber_id == subscriber_id, _n.at > now - REMEMBERED, *failed)
        .order_by(_n.at)
    ).all()
    if not rows:
        return ()
    arrived = _last_arrival(connection, subscriber_id, rows[0].at, now)
    kept = [row for row in rows if (arrived is None or row.at > arrived) and row.at.date() != now.date()]
    heaviest: dict[object, Day] = {}
    for row in kept:
        day = Day(row.at.date(), cause_of(row.reason))
        heaviest[day.day] = max(heaviest.get(day.day, day), day, key=_weight)
    return tuple(heaviest.values())


def _weight(day: Day) -> tuple[float, bool]:
    """Give what a day is worth; of equals a missing host counts, which is believed when said on two days."""
    return WEIGHTS[day.cause], day.cause is Cause.HOST


def _last_arrival(
    connection: Connection, subscriber_id: int, first: datetime, now: datetime
) -> datetime | None:
    """Give when mail last arrived since a day: by a report that says so, or accepted and never heard of again."""
    said = select(func.max(_n.at)).where(
        _n.subscriber_id == subscriber_id, _n.kind == Kind.DELIVERED.value, _n.at >= first
    )
    back = connection.execute(
        select(_n.mailing_id)
        .distinct()
        .where(_n.subscriber_id == subscriber_id, _n.kind == Kind.BOUNCE.value, _n.mailing_id.is_not(None))
    ).scalars()
    silent = ledger.last_arrival(connection, subscriber_id, first, now - SETTLED, list(back))
    return max(filter(None, (connection.scalar(said), silent)), default=None)


def heard_since(connection: Connection, mailing_id: int, began: datetime) -> tuple[int, int, str]:
    """Count the bounces and complaints about deliveries accepted since a moment; give what the newest said."""
    joined = (_d.mailing_id == _n.mailing_id) & (_d.subscriber_id == _n.subscriber_id)
    about = select(_n.kind, func.count(func.distinct(_n.subscriber_id)), func.max(_n.id))
    rows = connection.execute(
        about.join(deliveries, joined)
        .where(_n.mailing_id == mailing_id, _accepted(began), _n.effect.not_in(_SILENT))
        .group_by(_n.kind)
    ).all()
    counts = {kind: number for kind, number, _ in rows}
    newest = next((id_ for kind, _, id_ in rows if kind == Kind.BOUNCE.value), None)
    last = connection.scalar(select(_n.reason).where(_n.id == newest)) if newest else None
    return counts.get(Kind.BOUNCE.value, 0), counts.get(Kind.COMPLAINT.value, 0), last or ""


def _accepted(began: datetime) -> ColumnElement[bool]:
    """Leave out what was refused at once: it is counted where it is sent."""
    return and_(_d.at >= began, _d.state == DeliveryState.ACCEPTED.value)


_SILENT: Final = (Effect.NOTED.value, Effect.UNPROVEN.value)
