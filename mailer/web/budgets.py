"""Budgets: how many letters the forms may cause to one address, from one network, and in all. Kept in the database.

A budget fills up again steadily (the generic cell rate algorithm, ITU-T I.371): of 3 letters a day one is back after
eight hours, and no midnight doubles it. One row a subject, one statement a spending, so that any number of processes
share it. Never: names an address or a network; a subject is a keyed hash.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import case, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.web.tables import budgets

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

ADDRESS: Final = "address"
NETWORK: Final = "network"
ALL: Final = "all"
EVERYTHING: Final = b""
_B = budgets.c


@dataclass(frozen=True, slots=True)
class Allowance:
    """So many, within so many seconds."""

    count: int
    seconds: float

    @property
    def window(self) -> int:
        """The whole of it, in milliseconds."""
        return int(self.seconds * 1000)

    @property
    def step(self) -> int:
        """What one of them takes, in milliseconds."""
        return max(1, self.window // self.count)


def subject_of(key: bytes, text: str) -> bytes:
    """Give the subject that stands for a network or any other text."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), key=key[:64], digest_size=16).digest()


def spend(connection: Connection, kind: str, subject: bytes, allowance: Allowance, now: datetime) -> bool:
    """Take one; False when there is none left, and then nothing is changed."""
    at = _milliseconds(now)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    row = {"kind": kind, "subject": subject, "whole_at": at + allowance.step}
    begin = case((_B.whole_at < at, at), else_=_B.whole_at)
    statement = (
        dialect.insert(budgets)
        .values(**row)
        .on_conflict_do_update(
            index_elements=[_B.kind, _B.subject],
            set_={"whole_at": begin + allowance.step},
            where=_B.whole_at <= _latest(allowance, at),
        )
        .returning(_B.whole_at)
    )
    return connection.execute(statement).first() is not None


def wait(connection: Connection, kind: str, subject: bytes, allowance: Allowance, now: datetime) -> float:
    """Give the seconds until there is one to spend again; 0 while there is one. Changes nothing."""
    at = _milliseconds(now)
    query = select(_B.whole_at).where(_B.kind == kind, _B.subject == subject)
    whole_at = connection.scalar(query) or 0
    return max(0, whole_at - _latest(allowance, at)) / 1000


def full(connection: Connection, kind: str, allowance: Allowance, now: datetime) -> int:
    """Give how many subjects have nothing left just now."""
    late = _latest(allowance, _milliseconds(now))
    query = select(func.count()).select_from(budgets).where(_B.kind == kind, _B.whole_at > late)
    return connection.scalar(query) or 0


def forget(connection: Connection, now: datetime) -> int:
    """Drop the rows that say nothing any more: nothing of these budgets is spent."""
    return connection.execute(delete(budgets).where(_B.whole_at <= _milliseconds(now))).rowcount


def _latest(allowance: Allowance, at: int) -> int:
    """Give the latest `whole_at` at which one is left."""
    return at + allowance.window - allowance.step


def _milliseconds(now: datetime) -> int:
    return int(now.timestamp() * 1000)
