"""The tables of the hooks: what providers reported, who is told what happens, and what is still to be told.

They hold ids and codes, no address, but for `kept`: provider's events that nobody understood, for a month.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from subscribers import Instant

if TYPE_CHECKING:
    from collections.abc import Mapping


class DispatchState(StrEnum):
    """How far one event is on its way to one receiver."""

    WAITING = "waiting"
    DELIVERED = "delivered"  # the receiver said 2xx
    ABANDONED = "abandoned"  # tried for days, or the receiver is told nothing more


DISPATCH_MOVES: Final[Mapping[DispatchState, frozenset[DispatchState]]] = {
    DispatchState.WAITING: frozenset({DispatchState.DELIVERED, DispatchState.ABANDONED}),
    DispatchState.DELIVERED: frozenset(),
    DispatchState.ABANDONED: frozenset(),
}

metadata: Final = MetaData()

reports: Final = Table(
    "hook_reports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hook", String(64), nullable=False),
    Column("key", String(200), nullable=False),  # what the provider calls this report: the same is taken once
    Column(
        "digest", LargeBinary(32), nullable=False
    ),  # of its content: the same key with another is a forgery
    Column("at", Instant, nullable=False),
    Column("notices", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    Column("kept", Text, nullable=False, server_default=""),  # the events that nobody understood, as JSON
    UniqueConstraint("hook", "key"),
    Index("hook_reports_at", "at"),
    sqlite_autoincrement=True,
)

receivers: Final = Table(
    "hook_receivers",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("read_upto", Integer, nullable=False),  # the newest event that was looked at for it
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("failing_since", Instant),
    Column("resting_until", Instant),
    Column("answered_at", Instant),  # when it last said 2xx
    Column("ended_at", Instant),  # told nothing more, until a person says so
    Column("ended_why", String(200), nullable=False, server_default=""),
)

dispatches: Final = Table(
    "hook_dispatches",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("receiver", String(64), nullable=False),
    Column("event_id", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("answer", String(200), nullable=False, server_default=""),  # 200, or what went wrong
    Column("at", Instant),
    CheckConstraint(
        f"state IN ({', '.join(repr(state.value) for state in DispatchState)})", name="state_known"
    ),
    UniqueConstraint("receiver", "event_id"),
    Index(
        "hook_dispatches_waiting",
        "receiver",
        "due_at",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index("hook_dispatches_at", "at"),
    sqlite_autoincrement=True,
)
