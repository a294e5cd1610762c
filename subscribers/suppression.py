"""Addresses that must never be mailed again, known by a keyed hash alone, which outlives erasure.

A suppression reaches a list, a brand or everything. At most one of a kind is in force for an address: adding
it again keeps the older one, can only make it last longer, and changes its reason only for a stronger one. Lifting
it keeps the row and says why. A manual block is ended by `lift` alone, never by a sign-up, an import or a revival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, literal, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.address import parse_address
from subscribers.audience import in_force, reaches
from subscribers.status import Reason, Scope
from subscribers.tables import addresses, lists, suppressions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection
    from sqlalchemy.sql.dml import Insert


@dataclass(frozen=True, slots=True)
class Suppression:
    """One line of the list of those who must not be mailed."""

    id: int
    hash: bytes
    scope: Scope
    scope_key: str
    reason: Reason
    evidence: str | None
    created_at: datetime
    expires_at: datetime | None
    lifted_at: datetime | None


def suppress(  # noqa: PLR0913 - a line has that many columns; most are optional and all are named
    connection: Connection,
    hashes: Iterable[bytes],
    *,
    scope: Scope,
    reason: Reason,
    now: datetime,
    scope_key: str = "",
    evidence: str | None = None,
    expires_at: datetime | None = None,
    import_id: int | None = None,
) -> None:
    """See to it that these addresses are not mailed; `scope_key` names the list or the brand."""
    row = {
        "scope": scope,
        "scope_key": scope_key,
        "reason": reason,
        "evidence": evidence,
        "created_at": now,
        "expires_at": expires_at,
        "import_id": import_id,
    }
    rows = [{"hash": each, **row} for each in dict.fromkeys(hashes)]
    if rows:
        connection.execute(_upsert(connection), rows)


_RANKS = {Reason.ERASURE.value: 1, Reason.MANUAL.value: 2}
"""Which reason stays where two hold: the one that fewer ways lift. A file may revive the dead, not the erased."""


def _upsert(connection: Connection) -> Insert:
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(suppressions)
    new, old = statement.excluded, suppressions.c
    # The stronger reason and an unlimited time win over what is in force.
    stronger = case(_RANKS, value=new.reason, else_=0) > case(_RANKS, value=old.reason, else_=0)
    forever = or_(old.expires_at.is_(None), new.expires_at.is_(None))
    later = case((new.expires_at > old.expires_at, new.expires_at), else_=old.expires_at)
    return statement.on_conflict_do_update(
        index_elements=["hash", "scope", "scope_key"],
        index_where=old.lifted_at.is_(None),
        set_={
            "reason": case((stronger, new.reason), else_=old.reason),
            "expires_at": case((forever, null()), else_=later),
            # What two have said, no undoing of one import takes back.
            "import_id": case((old.import_id == new.import_id, old.import_id), else_=null()),
        },
    )


def suppressed(connection: Connection, hash_: bytes, list_id: int, now: datetime) -> tuple[Suppression, ...]:
    """Give what forbids mail from a list to an address at `now`."""
    return _read(connection, suppressions.c.hash == hash_, in_force(now), reaches(list_id))


def in_force_for(connection: Connection, hash_: bytes, now: datetime) -> tuple[Suppression, ...]:
    """Give everything that lies on an address at `now`, for whatever list."""
    return _read(connection, suppressions.c.hash == hash_, in_force(now))


def list_suppressions(
    connection: Connection,
    *,
    hash_: bytes | None = None,
    lifted: bool = False,
    after: int = 0,
    limit: int = 1000,
) -> tuple[Suppression, ...]:
    """Give the suppressions in the order they were made, `limit` at a time after the id `after`."""
    conditions: list[Any] = [suppressions.c.id > after]
    if hash_ is not None:
        conditions.append(suppressions.c.hash == hash_)
    if not lifted:
        conditions.append(suppressions.c.lifted_at.is_(None))
    return _read(connection, *conditions, limit=limit)


def _read(connection: Connection, *conditions: Any, limit: int | None = None) -> tuple[Suppression, ...]:
    columns = [suppressions.c[name] for name in Suppression.__dataclass_fields__]
    query = select(*columns).where(*conditions).order_by(suppressions.c.id).limit(limit)
    return tuple(
        Suppression(row.id, row.hash, Scope(row.scope), row.scope_key, Reason(row.reason), *row[5:])
        for row in connection.execute(query)
    )


def lift(
    connection: Connection,
    hash_: bytes,
    *,
    now: datetime,
    why: str,
    list_id: int | None = None,
    manual: bool = False,
    only: Reason | None = None,
) -> int:
    """Lift what forbids mail to an address: from one list, or all of it; give how many were lifted.

    What lay on a brand stays on its other lists: a word about one brings back to no other. A manual block stays
    unless `manual` says so; `only` lifts what has that reason.
    """
    conditions = [suppressions.c.hash == hash_, suppressions.c.lifted_at.is_(None)]
    if list_id is not None:
        conditions.append(reaches(list_id))
    if only is not None:
        conditions.append(suppressions.c.reason == only)
    if not manual:
        conditions.append(suppressions.c.reason != Reason.MANUAL)
    if list_id is not None:
        _keep_on_others(connection, list_id, now, conditions)
    statement = update(suppressions).where(and_(*conditions)).values(lifted_at=now, lifted_why=why)
    return connection.execute(statement).rowcount


def _keep_on_others(
    connection: Connection, list_id: int, now: datetime, conditions: list[ColumnElement[bool]]
) -> None:
    """Let what is about to be lifted from a brand reach each of its lists but one by itself."""
    query = (
        select(suppressions, lists.c.key)
        .join(lists, lists.c.brand == suppressions.c.scope_key)
        .where(*conditions, suppressions.c.scope == Scope.BRAND, in_force(now), lists.c.id != list_id)
        .order_by(lists.c.id)
    )
    for each in connection.execute(query).all():
        suppress(
            connection,
            [each.hash],
            scope=Scope.LIST,
            scope_key=each.key,
            reason=Reason(each.reason),
            now=each.created_at,
            evidence=each.evidence,
            expires_at=each.expires_at,
            import_id=each.import_id,
        )


def keep_reach(connection: Connection, list_key: str, brand: str) -> None:
    """Let what reaches a list by its brand reach it by itself: the list goes to another brand, or that is renamed."""
    names = ["hash", "reason", "evidence", "created_at", "expires_at", "import_id"]
    reaching = (
        suppressions.c.scope == Scope.BRAND,
        suppressions.c.scope_key == brand,
        suppressions.c.lifted_at.is_(None),
    )
    columns = [literal(Scope.LIST.value), literal(list_key), *(suppressions.c[name] for name in names)]
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(suppressions).from_select(
        ["scope", "scope_key", *names], select(*columns).where(*reaching)
    )
    connection.execute(statement.on_conflict_do_nothing())


_LEFT_BEHIND = (Reason.DEAD, Reason.MOVED)


def carry_over(connection: Connection, old: bytes, new: bytes, now: datetime) -> None:
    """Let what holds for an address hold for the one its owner moved to, but not that it is dead.

    The old address is not mailed again: an old file must not make a second reader of it, not even one that
    may revive the dead. So what says that it is dead gives way, and `was_dead` remembers it.
    """
    held = (suppressions.c.hash == old, suppressions.c.reason.not_in(_LEFT_BEHIND), in_force(now))
    for each in _read(connection, *held):
        suppress(
            connection,
            [new],
            scope=each.scope,
            scope_key=each.scope_key,
            reason=each.reason,
            now=now,
            evidence="carried over from the address before",
            expires_at=each.expires_at,
        )
    lift(connection, old, now=now, why="its owner moved away", only=Reason.DEAD)
    suppress(connection, [old], scope=Scope.EVERYTHING, reason=Reason.MOVED, now=now)


def was_dead(connection: Connection, moved: Suppression) -> bool:
    """Whether an address was dead when its owner left it behind."""
    mine = (suppressions.c.hash == moved.hash, suppressions.c.reason == Reason.DEAD)
    then = suppressions.c.lifted_at == moved.created_at
    return connection.scalar(select(suppressions.c.id).where(*mine, then).limit(1)) is not None


def forget_evidence(connection: Connection, hash_: bytes) -> None:
    """Blank what was noted beside the suppressions of an address: it may hold the address itself."""
    mine = update(suppressions).where(suppressions.c.hash == hash_)
    connection.execute(mine.values(evidence=None, lifted_why=None))


def suppressions_of(connection: Connection, subscriber_id: int) -> tuple[Suppression, ...]:
    """Give every suppression of a person's address, lifted ones too."""
    theirs = select(addresses.c.hash).where(addresses.c.subscriber_id == subscriber_id)
    return _read(connection, suppressions.c.hash.in_(theirs))


def address_hash(email: str, hash_key: bytes) -> bytes:
    """Give the hash by which an address is suppressed; raises InvalidAddress."""
    return parse_address(email).hash(hash_key)


def block(
    connection: Connection,
    email: str,
    *,
    hash_key: bytes,
    now: datetime,
    list_key: str | None = None,
    evidence: str | None = None,
) -> None:
    """Block an address by hand, whether anybody has it or not, for one list or for everything.

    Raises InvalidAddress.
    """
    scope = Scope.EVERYTHING if list_key is None else Scope.LIST
    suppress(
        connection,
        [address_hash(email, hash_key)],
        scope=scope,
        scope_key=list_key or "",
        reason=Reason.MANUAL,
        now=now,
        evidence=evidence,
    )
