"""A person's own move to another address: asked at the old end, confirmed at the new, and for two weeks taken back.

Whoever stole a link could else steal a subscription: so the new mailbox must answer, the old one hears of it, and its
word wins over every later move. What forbade mail to the old address forbids it to the new one; what lay on the
new address is lifted for the lists they read, for its owner answered, and that is recorded. A manual block stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from subscribers.address import Address, parse_address
from subscribers.audience import JOINED
from subscribers.consent import NO_EVIDENCE, Evidence, record
from subscribers.errors import UnknownSubscriber
from subscribers.expiry import remove_rows
from subscribers.holding import hold
from subscribers.requests import address_moves
from subscribers.rights import relocate
from subscribers.roster import Person, find, get, list_row
from subscribers.status import ConsentKind, PersonState, Reason, SubscriptionState
from subscribers.suppression import in_force_for, lift
from subscribers.tables import addresses, consents

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

VALID_FOR = timedelta(days=2)
UNDO_WITHIN = timedelta(days=14)
_MOST_OPEN = 5


class MoveOutcome(StrEnum):
    """What became of a move."""

    ASKED = "asked"  # a letter must ask the new mailbox
    SAME = "same"  # it is their address already
    TAKEN = "taken"  # somebody else reads there
    BLOCKED = "blocked"  # by hand, or too many requests are open
    MOVED = "moved"
    UNDONE = "undone"
    ALREADY = "already"  # the link was used, and it still holds
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # cleaned away, or the person is gone


@dataclass(frozen=True, slots=True)
class AddressMove:
    """What became of a request for another address; `id` is that of the request, if one waits."""

    outcome: MoveOutcome
    id: int | None
    subscriber_id: int
    old_email: str
    email: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MoveResult:
    """What a link about a move came to: from `old_email` to `email`, whoever `person` is now."""

    outcome: MoveOutcome
    subscriber_id: int
    old_email: str = ""
    email: str = ""
    person: Person | None = None
    undo_until: datetime | None = None


def request_move(
    connection: Connection,
    subscriber_id: int,
    email: str,
    *,
    now: datetime,
    hash_key: bytes,
    valid_for: timedelta = VALID_FOR,
) -> AddressMove:
    """Let a person ask for their mail to go elsewhere. Raises InvalidAddress and UnknownSubscriber.

    At most five requests of a person wait at once; the same address again is the same request.
    """
    address, person = parse_address(email), get(connection, subscriber_id)
    if person.email is None:
        raise UnknownSubscriber(f"nobody with an address has the id {subscriber_id}")
    row = _current(connection, subscriber_id)
    told = (subscriber_id, person.email, address.email)
    outcome = _obstacle(connection, subscriber_id, address, hash_key, now)
    if row.normalized == address.normalized:
        outcome = MoveOutcome.SAME
    if outcome is not None:
        return AddressMove(outcome, None, *told)
    open_ = _open_requests(connection, row, now)
    if standing := next((each for each in open_ if each.email == address.email), None):
        return AddressMove(MoveOutcome.ASKED, standing.id, *told, standing.expires_at)
    if len(open_) >= _MOST_OPEN:
        return AddressMove(MoveOutcome.BLOCKED, None, *told)
    values = {
        "subscriber_id": subscriber_id,
        "old_address_id": row.id,
        "old_email": person.email,
        "email": address.email,
        "at": now,
        "expires_at": now + valid_for,
    }
    move_id = connection.execute(
        insert(address_moves).values(values).returning(address_moves.c.id)
    ).scalar_one()
    return AddressMove(MoveOutcome.ASKED, move_id, *told, now + valid_for)


def _current(connection: Connection, subscriber_id: int) -> Row[Any]:
    return connection.execute(select(addresses).where(addresses.c.subscriber_id == subscriber_id)).one()


def _open_requests(connection: Connection, current: Row[Any], now: datetime) -> list[Row[Any]]:
    table = address_moves.c
    query = select(address_moves).where(
        table.subscriber_id == current.subscriber_id,
        table.old_address_id == current.id,
        table.confirmed_at.is_(None),
        table.ended_at.is_(None),
        table.expires_at > now,
    )
    return list(connection.execute(query))


def _obstacle(
    connection: Connection, subscriber_id: int, address: Address, hash_key: bytes, now: datetime
) -> MoveOutcome | None:
    """Give what stands against their reading at that address."""
    other = find(connection, address.email)
    if other and other.id != subscriber_id and not _is_stranger(connection, other):
        return MoveOutcome.TAKEN
    held = in_force_for(connection, address.hash(hash_key), now)
    return MoveOutcome.BLOCKED if any(each.reason is Reason.MANUAL for each in held) else None


def _is_stranger(connection: Connection, person: Person) -> bool:
    """Tell whether somebody only signed up and never confirmed: that must not keep the mailbox's owner away."""
    said = (consents.c.subscriber_id == person.id, consents.c.kind != ConsentKind.REQUESTED)
    heard = connection.scalar(select(func.count()).select_from(consents).where(*said))
    states = {each.state for each in person.subscriptions}
    return not heard and states <= {SubscriptionState.PENDING}


def look_at_move(connection: Connection, subscriber_id: int, move_id: int, now: datetime) -> MoveResult:
    """Give how far a move is, and change nothing: ASKED waits for the new mailbox, MOVED can be taken back."""
    row = _move_of(connection, subscriber_id, move_id)
    if row is None:
        return MoveResult(MoveOutcome.UNKNOWN, subscriber_id)
    person = get(connection, subscriber_id)
    if row.ended_at is not None:
        back = row.confirmed_at is not None and person.email == row.old_email
        outcome = MoveOutcome.UNDONE if back else MoveOutcome.EXPIRED
    elif row.confirmed_at is not None:
        outcome = MoveOutcome.MOVED if now < row.undo_until else MoveOutcome.EXPIRED
    else:
        current = _current(connection, subscriber_id).id == row.old_address_id
        outcome = MoveOutcome.ASKED if current and now < row.expires_at else MoveOutcome.EXPIRED
    return MoveResult(outcome, subscriber_id, row.old_email, row.email, person, row.undo_until)


def _move_of(connection: Connection, subscriber_id: int, move_id: int, *, lock: bool = False) -> Any:
    """Give the row of a move of somebody who still is there, or None."""
    mine = (address_moves.c.id == move_id, address_moves.c.subscriber_id == subscriber_id)
    query = select(address_moves).where(*mine)
    if lock:
        hold(connection, subscriber_id)
        query = query.with_for_update()
    row = connection.execute(query).first()
    if row is None or get(connection, subscriber_id).state is not PersonState.PRESENT:
        return None
    return row


def confirm_move(
    connection: Connection,
    subscriber_id: int,
    move_id: int,
    *,
    now: datetime,
    hash_key: bytes,
    evidence: Evidence = NO_EVIDENCE,
) -> MoveResult:
    """Let the new mailbox confirm: their mail goes there from now on. Twice does nothing the second time."""
    _move_of(connection, subscriber_id, move_id, lock=True)
    found = look_at_move(connection, subscriber_id, move_id, now)
    if found.outcome is MoveOutcome.MOVED:
        same = found.person is not None and found.person.email == found.email
        return _told(found, MoveOutcome.ALREADY if same else MoveOutcome.EXPIRED)
    if found.outcome is not MoveOutcome.ASKED:
        return _told(found, MoveOutcome.EXPIRED if found.outcome is MoveOutcome.UNDONE else found.outcome)
    address = parse_address(found.email)
    if obstacle := _obstacle(connection, subscriber_id, address, hash_key, now):
        return _told(found, obstacle)
    _settle(connection, subscriber_id, address, hash_key, now, evidence, "confirmed")
    values = {"confirmed_at": now, "undo_until": now + UNDO_WITHIN}
    connection.execute(update(address_moves).where(address_moves.c.id == move_id).values(values))
    return replace(
        found, outcome=MoveOutcome.MOVED, person=get(connection, subscriber_id), undo_until=now + UNDO_WITHIN
    )


def undo_move(
    connection: Connection,
    subscriber_id: int,
    move_id: int,
    *,
    now: datetime,
    hash_key: bytes,
    evidence: Evidence = NO_EVIDENCE,
) -> MoveResult:
    """Let the old mailbox take a move back, and with it every later one; every other link of a move ends."""
    _move_of(connection, subscriber_id, move_id, lock=True)
    found = look_at_move(connection, subscriber_id, move_id, now)
    if found.outcome is MoveOutcome.UNDONE:
        return _told(found, MoveOutcome.ALREADY)
    if found.outcome is not MoveOutcome.MOVED:
        return _told(found, MoveOutcome.EXPIRED if found.outcome is MoveOutcome.ASKED else found.outcome)
    address = parse_address(found.old_email)
    if obstacle := _obstacle(connection, subscriber_id, address, hash_key, now):
        return _told(found, obstacle)
    if _current(connection, subscriber_id).normalized != address.normalized:
        _settle(connection, subscriber_id, address, hash_key, now, evidence, "taken back")
    mine = (address_moves.c.subscriber_id == subscriber_id, address_moves.c.ended_at.is_(None))
    connection.execute(update(address_moves).where(*mine).values(ended_at=now))
    return replace(found, outcome=MoveOutcome.UNDONE, person=get(connection, subscriber_id))


def sure_email(connection: Connection, subscriber_id: int, now: datetime) -> str | None:
    """Give the address whose word wins: the oldest that may still take a move back, else their own."""
    moves = address_moves.c
    mine = (moves.subscriber_id == subscriber_id, moves.ended_at.is_(None), moves.undo_until > now)
    oldest = select(moves.old_email).where(*mine).order_by(moves.confirmed_at, moves.id).limit(1)
    return connection.scalar(oldest) or get(connection, subscriber_id).email


def _told(found: MoveResult, outcome: MoveOutcome) -> MoveResult:
    return replace(found, outcome=outcome)


def _settle(
    connection: Connection,
    subscriber_id: int,
    address: Address,
    hash_key: bytes,
    now: datetime,
    evidence: Evidence,
    how: str,
) -> None:
    """Let their mail go to an address whose mailbox has just answered."""
    other = find(connection, address.email)
    if other and other.id != subscriber_id:
        remove_rows(connection, other.id)
    new = address.hash(hash_key)
    lifted = _lift(connection, subscriber_id, new, now)
    relocate(connection, subscriber_id, address, new, now)
    record(connection, subscriber_id, [None], ConsentKind.MOVED, how, now, evidence)
    # What lay on the new address was the word of its owner: their new word is a consent, and is written as one.
    record(connection, subscriber_id, lifted, ConsentKind.CONFIRMED, "new address confirmed", now, evidence)


def _lift(connection: Connection, subscriber_id: int, hash_: bytes, now: datetime) -> list[int]:
    """Lift what lies on an address for the lists that a person reads; give those where something lay."""
    lift(connection, hash_, now=now, why="its owner came back to it", only=Reason.MOVED)
    person = get(connection, subscriber_id)
    reads = [list_row(connection, each.list_key).id for each in person.subscriptions if each.state in JOINED]
    why = "confirmed anew from the mailbox"
    return [each for each in reads if lift(connection, hash_, now=now, why=why, list_id=each)]
