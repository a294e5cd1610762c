"""Places: one reader's row, looked up for what comes back (bounces, complaints), and blanked when they are erased.

Promises: every look-up is by primary key, mailing by mailing; no index over all deliveries is kept for it, since it
would cost each message more than all look-ups together. Packed deliveries are found like the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Select, case, select, update

from mailer.delivery.ledger import packed, shelving
from mailer.delivery.states import WAITING, Skip
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.tables import deliveries, mailings

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from mailer.delivery.ledger import packing

_d = deliveries.c
_TAKEN = (State.ACCEPTED, State.UNCERTAIN)


class Place(NamedTuple):
    """Where one reader stands in one mailing; `at` is the moment of the last move."""

    mailing_id: int
    subscriber_id: int
    edition_id: int
    list_id: int
    address: str
    state: State
    reply: str
    relay_id: str
    attempts: int
    at: datetime | None

    @property
    def accepted(self) -> bool:
        """Whether the relay took the message: what comes back of it comes after acceptance."""
        return self.state is State.ACCEPTED


def find(connection: Connection, mailing_id: int, subscriber_id: int) -> Place | None:
    """Give a reader's row in a mailing, or None."""
    row = (_d.mailing_id == mailing_id, _d.subscriber_id == subscriber_id)
    live = _first(connection, _places().where(*row))
    if live is not None:
        return live
    kept = packed.row_of(connection, mailing_id, subscriber_id)
    return _place(mailing_id, kept) if kept else None


def newest(connection: Connection, subscriber_id: int, *states: State) -> Place | None:
    """Give a person's row in the newest mailing in which it stands in one of `states` (accepted or uncertain)."""
    live = _first(connection, _of(subscriber_id).where(_d.state.in_(states or _TAKEN)))
    kept = packed.of_person(connection, subscriber_id, _newer(live), states=states or _TAKEN)
    return next((_place(one.mailing_id, one.row) for one in kept), live)


def by_relay_id(connection: Connection, relay_id: str, subscriber_id: int) -> Place | None:
    """Give the delivery to a person that a relay gave this id in its last reply, or None."""
    if not relay_id:
        return None
    live = _first(connection, _of(subscriber_id).where(_d.relay_id == relay_id))
    kept = packed.of_person(connection, subscriber_id, _newer(live))
    return next((_place(one.mailing_id, one.row) for one in kept if one.row.relay_id == relay_id), live)


def blank(connection: Connection, subscriber_id: int, now: datetime, shorten: Callable[[str], str]) -> int:
    """Take a person's address and the words of replies out of their rows; who waits is skipped. Gives how many."""
    shelving.hold_people(connection)
    found = connection.execute(_of(subscriber_id)).all()
    waits = _d.state.in_(WAITING)
    for row in found:
        values = {
            "state": case((waits, State.SKIPPED.value), else_=_d.state),
            "reason": case((waits, Skip.LEFT.value), else_=_d.reason),
            "at": case((waits, now), else_=_d.at),
            "address": "",
            "domain": "",  # one of their own names a person
            "reply": shorten(row.reply),
        }
        theirs = (_d.mailing_id == row.mailing_id, _d.subscriber_id == subscriber_id)
        connection.execute(update(deliveries).where(*theirs).values(values))
    # Behind the others: what is packed meanwhile is found here.
    return len(found) + shelving.blank(connection, subscriber_id, shorten)


def _places() -> Select[Any]:
    return select(*(_d[name] for name in Place._fields))


def _of(subscriber_id: int) -> Select[Any]:
    """Select a person's rows, newest mailing first, through the mailings: so each is one look-up by primary key."""
    joined = mailings.c.id == _d.mailing_id
    theirs = _places().join(mailings, joined).where(_d.subscriber_id == subscriber_id)
    return theirs.order_by(mailings.c.id.desc())


def _newer(live: Place | None) -> ColumnElement[bool]:
    return mailings.c.id > (live.mailing_id if live else 0)


def _place(mailing_id: int, row: packing.Row) -> Place:
    told = {name: getattr(row, name) for name in Place._fields[1:]}
    return Place(mailing_id, **{**told, "state": State(row.state)})


def _first(connection: Connection, query: Select[Any]) -> Place | None:
    row = connection.execute(query.limit(1)).first()
    return Place(**{**row._asdict(), "state": State(row.state)}) if row else None
