"""Erasure in the room of delivery: what deliveries and letters hold of a person is blanked, and nothing more is sent.

Promises: the rows stay, so every count stays true; of a server's reply its codes stay, for its words may quote the
address; who still waits is skipped, and a letter in wait is never sent. Runs in the caller's transaction.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, or_, select, update

from mailer.delivery import ledger
from mailer.delivery.states import WAITING, DeliveryState
from mailer.delivery.tables import letters

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_CODES = re.compile(r"[2-5]\d\d(?:[ -][245]\.\d{1,3}\.\d{1,3})?(?!\S)")
_l = letters.c


class Blanked(NamedTuple):
    """How many rows spoke of the person."""

    deliveries: int
    letters: int


def blank(connection: Connection, subscriber_id: int, now: datetime, address: str = "") -> Blanked:
    """Blank what stands here of a person: address, replies and letters.

    With `address`, letters to it are found that were written before it was anybody's. What is on its way at this
    moment may still arrive; its outcome is recorded without words.
    """
    if connection.dialect.name == "sqlite":
        # Freed pages are overwritten too, by this connection from now on: what is erased must not stand in the file.
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
    return Blanked(
        ledger.blank(connection, subscriber_id, now, codes),
        _blank_letters(connection, _to(subscriber_id, address), now),
    )


def codes(reply: str) -> str:
    """Give the codes with which a reply begins ("550 5.1.1"), or nothing. Pure."""
    found = _CODES.match(reply)
    return found[0] if found else ""


def _to(subscriber_id: int, address: str) -> ColumnElement[bool]:
    theirs = _l.subscriber_id == subscriber_id
    return or_(theirs, _l.address == address) if address else theirs


def _blank_letters(connection: Connection, theirs: ColumnElement[bool], now: datetime) -> int:
    found = connection.execute(select(_l.id, _l.reply).where(theirs)).all()
    waits = _l.state.in_(WAITING)
    for row in found:
        values = {
            "state": case((waits, DeliveryState.SKIPPED.value), else_=_l.state),
            "at": case((waits, now), else_=_l.at),
            "address": "",
            "reply": codes(row.reply),
            "content": b"",
        }
        connection.execute(update(letters).where(_l.id == row.id).values(values))
    return len(found)
