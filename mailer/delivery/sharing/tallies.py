"""Tallies: what came of a mailing in each process that sends it, so that the tripwire hears of all of them.

Each writes its own row when it has changed, and reads the sum of the others', once a second. Promises: what came before
the mailing was last resumed is not counted, since a person has seen it; a dead worker's row ends with its epoch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.tables import tallies

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_c = tallies.c


class Sums(NamedTuple):
    """How many outcomes there were, and how many of them were refusals and deferrals."""

    total: int = 0
    refused: int = 0
    deferred: int = 0

    def __add__(self, other: object) -> Sums:
        """Add two."""
        return Sums(*map(sum, zip(self, Sums._make(other), strict=True)))  # type: ignore[arg-type] # three integers

    def __sub__(self, other: Sums) -> Sums:
        """Give what came after `other`."""
        return Sums(*(mine - theirs for mine, theirs in zip(self, other, strict=True)))


def tell(connection: Connection, mailing_id: int, epoch: int, since: datetime, sums: Sums) -> None:
    """Write what came of the mailing in this worker since it last began to run."""
    dialect: Any = postgresql if connection.dialect.name == "postgresql" else sqlite
    values = {"since": since, **sums._asdict()}
    row = dialect.insert(tallies).values(mailing_id=mailing_id, epoch=epoch, **values)
    connection.execute(row.on_conflict_do_update(index_elements=[_c.mailing_id, _c.epoch], set_=values))


def of_others(connection: Connection, mailing_id: int, epoch: int, since: datetime) -> Sums:
    """Give what came of it in all other workers."""
    sums = (func.coalesce(func.sum(_c[name]), 0) for name in Sums._fields)
    theirs = (_c.mailing_id == mailing_id, _c.epoch != epoch, _c.since == since)
    return Sums(*map(int, connection.execute(select(*sums).where(*theirs)).one()))


def anybody(connection: Connection, mailing_id: int) -> bool:
    """Say whether a worker that has not ended has told of this mailing."""
    return (
        connection.execute(select(_c.epoch).where(_c.mailing_id == mailing_id).limit(1)).first() is not None
    )
