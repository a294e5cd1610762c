"""What the ledger answers a segment: who received what.

Received means accepted by a server, or uncertain: who may have it is not sent it again as one who does not. Refused,
skipped and waiting deliveries are none. Every mailing of an issue counts, those made --again too. Issues that were
declared sent (`issues mark-sent`) have no deliveries: nobody is known to have received them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, select

from mailer.delivery import ledger
from mailer.delivery.tables import mailings
from subscribers import Received

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_m = mailings.c


class Heard(Mapping[Received, "Callable[[ColumnElement[int]], ColumnElement[bool]]"]):
    """Answers every question there can be: a question becomes a condition on a subscriber's id when it is asked."""

    def __getitem__(self, asked: Received) -> Callable[[ColumnElement[int]], ColumnElement[bool]]:
        """Give what says of a subscriber whether they received what is asked for."""
        return lambda subscriber_id: ledger.received(_mailings(asked), subscriber_id)

    def __iter__(self) -> Iterator[Received]:
        """Give nothing: the questions are endless."""
        return iter(())

    def __len__(self) -> int:
        """Give 0, as above."""
        return 0


def went_out(connection: Connection, asked: Received) -> bool:
    """Say whether any mailing that is asked for was made here; of one declared sent nobody received anything."""
    found = _mailings(asked).where(_m.edition_id.is_not(None)).limit(1)
    return connection.execute(found).first() is not None


def _mailings(asked: Received) -> Select[Any]:
    """Give the ids of the mailings that are asked for."""
    query = select(_m.id).where(_m.list_key == asked.list_key)
    if isinstance(asked.issue, int):
        return query.where(_m.number == asked.issue)
    if asked.issue is not None:
        return query.where(_m.slug == asked.issue)
    return (
        query
        if asked.last is None
        else query.where(_m.slug.in_(_last(asked.list_key, asked.last, asked.before)))
    )


def _last(list_key: str | None, count: int, before: datetime | None) -> Select[Any]:
    """Give the slugs of the newest issues that went out from here before a moment; an issue being sent now is none."""
    query = select(_m.slug).where(_m.list_key == list_key, _m.again == "", _m.edition_id.is_not(None))
    if before is not None:
        query = query.where(_m.created_at < before)
    return query.order_by(_m.created_at.desc(), _m.id.desc()).limit(count)
