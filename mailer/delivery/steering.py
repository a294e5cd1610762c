"""Steering a mailing from outside the process that sends it: pause, resume, amend, cancel.

Promises: in force at the next fence, since the fence asks the mailing's state; what waits is cancelled in chunks that
hold up nobody. Each verb writes its event with its move.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, select

from mailer import events
from mailer.database import reading, writing
from mailer.delivery import ledger, mailing
from mailer.delivery.states import MailingState
from mailer.delivery.tables import deliveries, mailings
from mailer.errors import PersonNeeded, Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from mailer.delivery.mailing import Mailing
    from mailer.edition import Edition
    from mailer.issue.provenance import Provenance

_CHUNK = 20_000
_DIGITS = 9  # more are no number of an issue, nor an integer of the database


class Amended(NamedTuple):
    """How many wait and get the corrected edition, and how many were in the hands of a process.

    These are claimed anew within two seconds; until then a message of the old one may leave.
    """

    waiting: int
    in_hand: int


def find(connection: Connection, wanted: str, list_key: str | None = None) -> Mailing:
    """Give the mailing that a number, a slug or an id names. Raises UserError if none, or several, are meant."""
    named = mailing.named(connection, wanted)
    if named is not None:
        return named
    m = mailings.c
    is_number = wanted.isdecimal() and len(wanted) <= _DIGITS
    query = select(m.id).where(
        (m.slug == wanted) | (m.number == int(wanted)) if is_number else m.slug == wanted
    )
    if list_key is not None:
        query = query.where(m.list_key == list_key)
    found = [mailing.get(connection, row.id) for row in connection.execute(query.order_by(m.id))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(Problem(f"no mailing of issue {wanted}: nothing of it was ever sent", key="issue"))
    names = ", ".join(one.name for one in found)
    raise UserError(Problem(f"issue {wanted} has several mailings: name one of {names}", key="issue"))


def pause(database: Engine, found: Mailing, now: datetime, actor: str) -> Mailing:
    """Pause a running mailing."""
    return _move(database, found, MailingState.PAUSED, now, actor, "mailing.paused", f"paused by {actor}")


def resume(database: Engine, found: Mailing, now: datetime, actor: str) -> Mailing:
    """Let a paused mailing go on."""
    return _move(database, found, MailingState.RUNNING, now, actor, "mailing.resumed", "")


def cancel(database: Engine, found: Mailing, now: datetime, actor: str) -> int:
    """End a mailing: what waits is skipped for good; what a worker holds is skipped as it is laid back.

    Returns how many were skipped here.
    """
    reason = f"cancelled by {actor}"
    _move(database, found, MailingState.CANCELLED, now, actor, "mailing.cancelled", reason)
    with writing(
        database
    ) as connection:  # whoever plans at this moment is done then: nobody of it is passed by
        mailing.hold(connection, found.id)
    return _in_chunks(
        database, found, lambda connection, _, upto: ledger.cancel(connection, found.id, now, upto)
    )


def amend(
    database: Engine, found: Mailing, corrected: Edition, origin: Provenance, now: datetime, actor: str
) -> Amended:
    """Give the corrected edition to those who still wait. Its number and slug must be the same."""
    if (corrected.number, corrected.slug) != (found.number, found.slug):
        message = f"is number {corrected.number}, slug {corrected.slug!r}; {found.name} is not"
        raise UserError(Problem(message, corrected.file))
    with writing(database) as connection:
        edition_id = mailing.freeze(
            connection, found.id, corrected, origin.commit, now, committed=origin.committed
        )
        events.record(connection, "mailing.amended", found.name, now, actor, edition=edition_id)
    waiting = _in_chunks(
        database,
        found,
        lambda connection, after, upto: ledger.amend(connection, found.id, edition_id, after, upto),
    )
    with reading(database) as connection:
        return Amended(waiting, ledger.count_in_hand(connection, found.id, edition_id))


def _move(
    database: Engine, found: Mailing, target: MailingState, now: datetime, actor: str, kind: str, reason: str
) -> Mailing:
    with writing(database) as connection:
        moved = mailing.move(connection, found.id, target, now, reason)
        state = mailing.get(connection, found.id).state
        if not moved and state is not target:
            raise PersonNeeded(Problem(f"{found.name} is {state}: it cannot become {target}"))
        if moved:
            events.record(connection, kind, found.name, now, actor)
        return mailing.get(connection, found.id)


def _in_chunks(database: Engine, found: Mailing, work: Callable[[Connection, int, int], int]) -> int:
    with reading(database) as connection:
        newest = select(func.max(deliveries.c.subscriber_id)).where(deliveries.c.mailing_id == found.id)
        last = connection.execute(newest).scalar() or 0
    done = 0
    for after in range(0, last, _CHUNK):
        with writing(database) as connection:
            done += work(connection, after, after + _CHUNK)
    return done
