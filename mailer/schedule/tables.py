"""The tables of the schedule room: schedules, their due times, the looks a day before, what the operator was told.

`due_times` holds one row for each schedule and due time, and its unique key is what makes two processes, a restart and
a clock that jumps begin one mailing.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import CheckConstraint, Column, Index, Integer, String, Table, Text, UniqueConstraint, text

from mailer.events import metadata
from mailer.schedule.states import DueState
from subscribers import Instant

__all__ = ["chores", "due_times", "looks", "metadata", "schedules", "told"]

_STATES: Final = ", ".join(f"'{state}'" for state in DueState)

schedules: Final = Table(
    "schedules",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("says", Text, nullable=False),  # rule and zone: another text means other times
    Column("first_seen_at", Instant, nullable=False),  # no older issue is sent by it
    Column("since", Instant, nullable=False),  # due times up to here are dealt with, or none of its own
    Column("paused_at", Instant),
    Column("removed_at", Instant),  # since when it is not in mailer.toml any more
)

due_times: Final = Table(
    "due_times",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("schedule", String(200), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("local", String(80), nullable=False),  # what the wall clock should show, and the zone: for people
    Column("list_key", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False, server_default=""),
    Column("words", Text, nullable=False, server_default="[]"),  # what a person is told, as JSON
    Column("file", Text, nullable=False, server_default=""),
    Column("commit_hash", String(64), nullable=False, server_default=""),
    Column("mailing", String(200), nullable=False, server_default=""),
    Column("actor", String(200), nullable=False, server_default=""),  # who answered
    Column("until", Instant),  # how long it is held, or waits for an answer
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    CheckConstraint(f"state IN ({_STATES})", name="due_state_known"),
    UniqueConstraint("schedule", "due_at"),
    Index(
        "due_times_open",
        "state",
        sqlite_where=text("state IN ('held', 'asked', 'approved')"),
        postgresql_where=text("state IN ('held', 'asked', 'approved')"),
    ),
    sqlite_autoincrement=True,
)

looks: Final = Table(
    "looks",
    metadata,
    Column("schedule", String(200), primary_key=True),
    Column("due_at", Instant, primary_key=True),
    Column("hours", Integer, primary_key=True, autoincrement=False),  # before the due time
    Column("at", Instant, nullable=False),
)

told: Final = Table(
    "told",
    metadata,
    Column("event_id", Integer, primary_key=True, autoincrement=False),  # the operator heard of it
    Column("at", Instant, nullable=False),
)

chores: Final = Table(
    "chores",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("claimed_at", Instant, nullable=False),
    Column("done_at", Instant),  # once a day, by whichever process claims it
)
