"""A reader's move to another address: asked at the old end, answered at the new one, and taken back by the old one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import subscribers
from mailer import events
from mailer.letters import service
from subscribers import MoveOutcome

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from subscribers import AddressMove, Evidence, MoveResult

_READER = "reader"


def ask(
    connection: Connection, ground: Ground, subscriber_id: int, email: str, *, now: datetime
) -> AddressMove:
    """Ask the new mailbox. A caller tells the visitor the same whatever comes of it, save for InvalidAddress."""
    key = ground.keys.suppression
    move = subscribers.request_move(connection, subscriber_id, email, now=now, hash_key=key)
    if move.outcome is MoveOutcome.ASKED:
        person = subscribers.get(connection, subscriber_id)
        service.new_address(connection, ground, person, move, now)
    return move


def finish(
    connection: Connection,
    ground: Ground,
    subscriber_id: int,
    move_id: int,
    *,
    now: datetime,
    evidence: Evidence,
) -> MoveResult:
    """Let the new mailbox confirm; the old one hears of it, with a link that takes it back."""
    key = ground.keys.suppression
    done = subscribers.confirm_move(
        connection, subscriber_id, move_id, now=now, hash_key=key, evidence=evidence
    )
    if done.outcome is MoveOutcome.MOVED and done.person is not None:
        service.old_address(connection, ground, done.person, move_id, done, now)
        events.record(connection, "reader.moved", str(subscriber_id), now, _READER, how="confirmed")
    return done


def undo(
    connection: Connection,
    ground: Ground,
    subscriber_id: int,
    move_id: int,
    *,
    now: datetime,
    evidence: Evidence,
) -> MoveResult:
    """Let the old mailbox take it back."""
    key = ground.keys.suppression
    done = subscribers.undo_move(connection, subscriber_id, move_id, now=now, hash_key=key, evidence=evidence)
    if done.outcome is MoveOutcome.UNDONE:
        events.record(connection, "reader.moved", str(subscriber_id), now, _READER, how="taken back")
    return done
