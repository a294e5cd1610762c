"""Decisions of a person over many rows: cancel, amend, and what becomes of the uncertain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from mailer.delivery.states import WAITING, Skip
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.tables import deliveries

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_d = deliveries.c


def cancel(connection: Connection, mailing_id: int, now: datetime, upto: int) -> int:
    """Skip every row up to a subscriber id that waits; what a worker holds is skipped when it is laid back.

    The caller goes through the ids in chunks, each in a transaction of its own.
    """
    return connection.execute(
        update(deliveries)
        .where(_d.mailing_id == mailing_id, _d.subscriber_id <= upto, _d.state.in_(WAITING))
        .values(state=State.SKIPPED, reason=Skip.CANCELLED, at=now)
    ).rowcount


def amend(connection: Connection, mailing_id: int, edition_id: int, after: int, upto: int) -> int:
    """Give those who still wait the corrected edition; returns how many. Who is claimed gets it when claimed anew."""
    return connection.execute(
        update(deliveries)
        .where(
            _d.mailing_id == mailing_id,
            _d.subscriber_id > after,
            _d.subscriber_id <= upto,
            _d.state.in_(WAITING),
            _d.edition_id != edition_id,
        )
        .values(edition_id=edition_id)
    ).rowcount


def count_in_hand(connection: Connection, mailing_id: int, edition_id: int) -> int:
    """Count who is claimed, and had another edition then."""
    in_hand = (_d.mailing_id == mailing_id, _d.state == State.CLAIMED, _d.edition_id != edition_id)
    return connection.execute(select(func.count()).select_from(deliveries).where(*in_hand)).scalar_one()


def resend_uncertain(connection: Connection, mailing_id: int, now: datetime) -> int:
    """Plan the uncertain again, at the risk of a second copy: a person asked for it."""
    return _decide(connection, mailing_id, state=State.PLANNED, due_at=now, at=now)


def skip_uncertain(connection: Connection, mailing_id: int, now: datetime) -> int:
    """Leave the uncertain as they are for good: a person asked for it."""
    return _decide(connection, mailing_id, state=State.SKIPPED, reason=Skip.DECIDED, at=now)


def _decide(connection: Connection, mailing_id: int, **values: object) -> int:
    return connection.execute(
        update(deliveries).where(_d.mailing_id == mailing_id, _d.state == State.UNCERTAIN).values(**values)
    ).rowcount
