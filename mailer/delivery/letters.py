"""Letters: service mails (confirmations, welcomes, notices) in a table and a stream of their own.

Promises: written in the caller's transaction, once for each key; overtakes every mailing and is held up by none, since
it has a connection of its own; the same states and fence as a delivery. One thing differs: a letter in doubt is sent
again, with the same Message-ID. A second confirmation harms nobody, a missing one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import case, select, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.states import WAITING, DeliveryState
from mailer.delivery.tables import letters
from subscribers import audience

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

    from mailer.delivery.model import Settlement
    from mailer.message import Message

STREAM: Final = "letters"
_L = letters.c
_BATCH: Final = 20
_END: Final = DeliveryState.SKIPPED  # of a letter to who was erased


class Held(NamedTuple):
    """One letter in this worker's hands."""

    id: int
    mail_from: str
    address: str
    content: bytes
    message_id: str
    attempts: int


def write(
    connection: Connection,
    message: Message,
    *,
    purpose: str,
    key: str,
    now: datetime,
    subscriber_id: int | None = None,
    list_id: int | None = None,
) -> bool:
    """Write a letter, to go out at once; false if one with this key stands already.

    With `list_id` it is list mail: it goes only if that person may be mailed by the list when it leaves.
    """
    row = {
        "purpose": purpose, "key": key, "subscriber_id": subscriber_id, "address": message.recipient,
        "mail_from": message.mail_from, "content": message.content, "message_id": message.message_id,
        "list_id": list_id, "due_at": now, "state": DeliveryState.PLANNED, "created_at": now,
    }  # fmt: skip
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    written = dialect.insert(letters).values(**row).on_conflict_do_nothing().returning(_L.id)
    return connection.execute(written).first() is not None


class Written(NamedTuple):
    """One letter to a person, as it is told to them."""

    purpose: str
    address: str
    state: str
    message_id: str
    created_at: datetime
    at: datetime | None
    reply: str


def written_to(connection: Connection, subscriber_id: int) -> list[Written]:
    """Give the letters to a person, oldest first."""
    query = select(*(_L[name] for name in Written._fields)).where(_L.subscriber_id == subscriber_id)
    return [Written(*row) for row in connection.execute(query.order_by(_L.id))]


def claim(connection: Connection, epoch: int, now: datetime) -> list[Held]:
    """Take a few due letters into this worker's hands, oldest first."""
    due = (
        select(_L.id)
        .where(_L.state.in_(WAITING), _L.due_at <= now, _L.address != "")
        .order_by(_L.due_at, _L.id)
        .limit(_BATCH)
    ).with_for_update(skip_locked=True)
    chosen = due.cte("due").prefix_with("MATERIALIZED", dialect="postgresql")
    statement = (
        update(letters)
        .where(_L.id.in_(select(chosen.c.id)))
        .values(state=DeliveryState.CLAIMED, epoch=epoch, at=now)
        .returning(*(_L[name] for name in Held._fields))
    )
    return sorted(Held(*row) for row in connection.execute(statement))


def fence(connection: Connection, held: Held, epoch: int, now: datetime) -> bool:
    """Record that the letter's body may leave; false if another worker has it, or nobody is to get it any more."""
    mine = (_L.id == held.id, _L.epoch == epoch, _L.state == DeliveryState.CLAIMED)
    if not _wanted(connection, held, now):
        values = {"state": DeliveryState.SKIPPED, "at": now, "content": b""}
        connection.execute(update(letters).where(*mine).values(**values))
        return False
    sending = {"state": DeliveryState.SENDING, "at": now}
    return bool(connection.execute(update(letters).where(*mine).values(**sending)).rowcount)


def _wanted(connection: Connection, held: Held, now: datetime) -> bool:
    """Tell whether the letter may still go: nobody was erased, and list mail goes to readers alone."""
    query = select(_L.address, _L.list_id, _L.subscriber_id).where(_L.id == held.id)
    row = connection.execute(query).one()
    if row.address == "" or row.list_id is None:
        return bool(row.address != "")
    readers = audience(row.list_id, now)
    one = readers.selected_columns
    who = readers.where(one.subscriber_id == row.subscriber_id, one.email == row.address)
    return connection.execute(who).first() is not None


def settle(connection: Connection, held: Held, epoch: int, outcome: Settlement) -> None:
    """Record what came of a letter; in doubt it is sent again.

    Its content goes when it is of no more use: it holds an address and links. Of who was erased meanwhile the reply
    stays unsaid.
    """
    again = outcome.state is DeliveryState.UNCERTAIN
    state = DeliveryState.DEFERRED if again else outcome.state
    erased = _L.address == ""
    values: dict[str, object] = {
        "state": case((erased, _END.value), else_=state.value) if state in WAITING else state,
        "due_at": outcome.due_at or outcome.at,
        "at": outcome.at,
        "reply": case((erased, ""), else_=outcome.reply),
        "relay_id": outcome.relay_id,
        "attempts": _L.attempts + 1,
    }
    if state not in WAITING:
        values["content"] = b""
    connection.execute(update(letters).where(_L.id == held.id, *_open(epoch)).values(**values))


def _open(epoch: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Give what holds for the letters in an epoch's hands."""
    return _L.epoch == epoch, _L.state.in_((DeliveryState.CLAIMED, DeliveryState.SENDING))


def lay_back(connection: Connection, epoch: int) -> int:
    """Lay back every letter that this epoch holds: it ended, or died. Of who was erased nothing is sent again."""
    state = case((_L.address == "", _END.value), else_=DeliveryState.DEFERRED.value)
    return connection.execute(update(letters).where(*_open(epoch)).values(state=state)).rowcount


def put_off(connection: Connection, held: Held, epoch: int, due_at: datetime) -> None:
    """Lay one letter back until then; no try is counted. Of who was erased nothing is sent again."""
    state = case((_L.address == "", _END.value), else_=DeliveryState.DEFERRED.value)
    mine = (_L.id == held.id, *_open(epoch))
    connection.execute(update(letters).where(*mine).values(state=state, due_at=due_at))
