"""Which issues everybody may read: those of lists with `archive = true` that went out to a whole list.

Never: one that went to a segment, or that nobody has been sent yet. What is shown is the newest edition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, exists, select

from mailer.delivery import mailing
from mailer.delivery.ledger import went_to_anybody
from mailer.delivery.states import MailingState
from mailer.delivery.tables import audiences, editions, mailings

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from mailer.edition import Edition

_M, _E = mailings.c, editions.c
MOST_KEPT: Final = 64
_kept: dict[tuple[str, int], Edition] = {}


@dataclass(frozen=True, slots=True)
class Shown:
    """One issue of the archive, without its text."""

    mailing_id: int
    edition_id: int
    list_key: str
    slug: str
    subject: str
    at: datetime
    amended_at: datetime
    preheader: str
    language: str
    direction: str


def shown(
    connection: Connection, keys: Collection[str], *, before: int | None = None, limit: int = 30
) -> list[Shown]:
    """Give the issues of these lists, newest first; `before` is the last mailing's id of the page before."""
    query = _open(keys).order_by(_M.id.desc()).limit(limit)
    if before is not None:
        query = query.where(_M.id < before)
    return [_shown(connection, row) for row in connection.execute(query)]


def named(connection: Connection, keys: Collection[str], slug: str) -> Shown | None:
    """Give the newest issue of that slug, or None."""
    row = connection.execute(_open(keys).where(_M.slug == slug).order_by(_M.id.desc()).limit(1)).first()
    return _shown(connection, row) if row else None


def edition_of(connection: Connection, edition_id: int) -> Edition:
    """Give an edition; it is frozen, so the last few are kept."""
    place = (str(connection.engine.url), edition_id)
    if place not in _kept:
        while len(_kept) >= MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[place] = mailing.edition(connection, edition_id)
    return _kept[place]


def _open(keys: Collection[str]) -> Select[Any]:
    narrow = exists().where(audiences.c.mailing_id == _M.id, audiences.c.segment != "")
    return (
        select(
            _M.id,
            _M.edition_id,
            _M.list_key,
            _M.slug,
            _M.subject,
            _M.created_at,
            _E.created_at.label("amended_at"),
        )
        .join(editions, _E.id == _M.edition_id)
        .where(
            _M.list_key.in_(keys),
            _M.again == "",
            _M.state != MailingState.CANCELLED,
            went_to_anybody(_M.id),
            ~narrow,
        )
    )


def _shown(connection: Connection, row: Row[Any]) -> Shown:
    edition = edition_of(connection, row.edition_id)
    return Shown(
        row.id,
        row.edition_id,
        row.list_key,
        row.slug,
        row.subject,
        row.created_at,
        row.amended_at,
        edition.preheader,
        edition.language,
        edition.direction,
    )
