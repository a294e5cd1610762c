"""When each schedule fell due, and what came of it; what the operator was told; what is done once a day."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")
_OPEN = "state IN ('held', 'asked', 'approved')"


def upgrade() -> None:
    """Make the tables."""
    _schedules()
    _due_times()
    op.create_table(
        "looks",
        sa.Column("schedule", sa.String(length=200), nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("hours", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("schedule", "due_at", "hours"),
    )
    op.create_table(
        "told",
        sa.Column("event_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    # What happened before there were notices is no news.
    op.execute("INSERT INTO told SELECT coalesce(max(id), 0), '2026-01-01 00:00:00.000000Z' FROM events")
    op.create_table(
        "chores",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("claimed_at", _INSTANT, nullable=False),
        sa.Column("done_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def _schedules() -> None:
    op.create_table(
        "schedules",
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("paused_at", _INSTANT, nullable=True),
        sa.Column("removed_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )


def _due_times() -> None:
    op.create_table(
        "due_times",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("schedule", sa.String(length=200), nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("local", sa.String(length=80), nullable=False),
        sa.Column("list_key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), server_default="", nullable=False),
        sa.Column("words", sa.Text(), server_default="[]", nullable=False),
        sa.Column("file", sa.Text(), server_default="", nullable=False),
        sa.Column("commit_hash", sa.String(length=64), server_default="", nullable=False),
        sa.Column("mailing", sa.String(length=200), server_default="", nullable=False),
        sa.Column("actor", sa.String(length=200), server_default="", nullable=False),
        sa.Column("until", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "state IN ('held', 'asked', 'approved', 'started', 'empty', 'skipped')", name="due_state_known"
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("schedule", "due_at"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "due_times_open",
        "due_times",
        ["state"],
        unique=False,
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
