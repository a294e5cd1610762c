"""People whom an import brings back because it was asked to, one by one, and how that is taken back.

It is the same as `add` with `revive`: what forbade mail is lifted with the basis as its reason, and the consent
names what stood against it. Taken back, they have left again, and what was lifted holds again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, insert, select, update

from subscribers.joining import add
from subscribers.mailbox import move_address
from subscribers.membership import LEAVING
from subscribers.status import AddressState, ConsentKind, Reason, SubscriptionState
from subscribers.tables import addresses, consents, subscriptions, suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from subscribers.exchange.intake import Candidate
    from subscribers.exchange.target import Target

CHUNK = 50
_ADDRESS = {Reason.COMPLAINT.value: AddressState.COMPLAINED, Reason.DEAD.value: AddressState.UNREACHABLE}


def revive(connection: Connection, candidates: Iterable[Candidate], target: Target) -> None:
    """Bring people back, each with a consent that says by what right, and names the import."""
    for each in candidates:
        person = add(
            connection,
            email=each.email,
            list_key=target.list_key,
            now=target.now,
            hash_key=target.hash_key,
            basis=target.basis,
            name=each.name,
            language=each.language,
            time_zone=each.time_zone,
            attributes=json.loads(each.attributes),
            tags=each.tags,
            revive=True,
        )
        mine = and_(
            consents.c.subscriber_id == person.id,
            consents.c.list_id == target.list_id,
            consents.c.kind == ConsentKind.ADDED,
            consents.c.at == target.now,
        )
        connection.execute(update(consents).where(mine).values(import_id=target.import_id))


def send_back(connection: Connection, row: Row[Any], after: int, now: datetime) -> tuple[Sequence[int], int]:
    """Let those leave again whom an import brought back, and who have said nothing since."""
    later = consents.alias()
    said_since = exists().where(later.c.subscriber_id == consents.c.subscriber_id, later.c.id > consents.c.id)
    query = (
        select(consents.c.subscriber_id, consents.c.at, consents.c.evidence, addresses.c.hash)
        .join(addresses, addresses.c.subscriber_id == consents.c.subscriber_id)
        .where(
            consents.c.import_id == row.id,
            consents.c.kind == ConsentKind.ADDED,
            consents.c.subscriber_id > after,
            ~said_since,
        )
        .order_by(consents.c.subscriber_id)
        .limit(CHUNK)
    )
    people = connection.execute(query).all()
    ids = [each.subscriber_id for each in people]
    for each in people:
        _hold_again(connection, each)
        for reason in (each.evidence or {}).get("revived", ()):
            if reason in _ADDRESS:
                move_address(connection, each.subscriber_id, _ADDRESS[reason], "as before", now)
    _leave(connection, row, ids, now)
    return ids, len(ids)


def _hold_again(connection: Connection, person: Any) -> None:
    """Put back in force what reviving somebody lifted, but where the same holds by now."""
    other = suppressions.alias()
    same = exists().where(
        other.c.hash == suppressions.c.hash,
        other.c.scope == suppressions.c.scope,
        other.c.scope_key == suppressions.c.scope_key,
        other.c.lifted_at.is_(None),
    )
    lifted = (suppressions.c.hash == person.hash, suppressions.c.lifted_at == person.at, ~same)
    connection.execute(update(suppressions).where(*lifted).values(lifted_at=None, lifted_why=None))


def _leave(connection: Connection, row: Row[Any], ids: Sequence[int], now: datetime) -> None:
    mine = subscriptions.c
    theirs = (mine.list_id == row.list_id, mine.subscriber_id.in_(ids), mine.state.in_(LEAVING))
    gone = {
        "state": SubscriptionState.UNSUBSCRIBED,
        "reason": "undone",
        "paused_until": None,
        "changed_at": now,
    }
    connection.execute(update(subscriptions).where(*theirs).values(gone))
    line = {"list_id": row.list_id, "kind": ConsentKind.UNDONE, "at": now}
    lines = [{**line, "subscriber_id": each, "basis": f"import {row.id} was taken back"} for each in ids]
    if lines:
        connection.execute(insert(consents), lines)
