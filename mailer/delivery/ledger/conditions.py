"""Conditions in plain SQL for others' statements: who has a delivery, and who received one, packed or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select

from mailer.delivery.ledger import packed
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Select

_d = deliveries.c
_RECEIVED = (DeliveryState.ACCEPTED, DeliveryState.UNCERTAIN)


def has_delivery(mailing_id: int, subscriber_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that a subscriber has a delivery in a mailing, in whatever state."""
    live = select(_d.subscriber_id).where(_d.mailing_id == mailing_id, _d.subscriber_id == subscriber_id)
    return or_(live.correlate_except(deliveries).exists(), packed.holds(mailing_id, subscriber_id))


def received(mailing_ids: Select[Any], subscriber_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that a subscriber has, or may have, one of these mailings: accepted, or in doubt."""
    live = select(_d.subscriber_id).where(
        _d.subscriber_id == subscriber_id, _d.mailing_id.in_(mailing_ids), _d.state.in_(_RECEIVED)
    )
    return or_(live.correlate_except(deliveries).exists(), packed.received(mailing_ids, subscriber_id))


def went_to_anybody(mailing_id: ColumnElement[int]) -> ColumnElement[bool]:
    """Say that a delivery of a mailing was accepted."""
    live = select(_d.subscriber_id).where(_d.mailing_id == mailing_id, _d.state == DeliveryState.ACCEPTED)
    return or_(live.correlate_except(deliveries).exists(), packed.any_accepted(mailing_id))
