"""Tokens of the operators' API, its idempotency keys, and the hooks in and out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _tokens()
    _reports()
    _receivers()
    _dispatches()


def _tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("used_at", _INSTANT, nullable=True),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        sa.UniqueConstraint("digest"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_answers",
        sa.Column("token_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("token_id", "key"),
    )
    op.create_index("api_answers_at", "api_answers", ["at"], unique=False)


def _reports() -> None:
    op.create_table(
        "hook_reports",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hook", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("notices", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("hook", "key"),
        sqlite_autoincrement=True,
    )
    op.create_index("hook_reports_at", "hook_reports", ["at"], unique=False)


def _receivers() -> None:
    op.create_table(
        "hook_receivers",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("read_upto", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", _INSTANT, nullable=True),
        sa.Column("resting_until", _INSTANT, nullable=True),
        sa.Column("answered_at", _INSTANT, nullable=True),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.Column("ended_why", sa.String(length=200), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _dispatches() -> None:
    op.create_table(
        "hook_dispatches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("receiver", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("due_at", _INSTANT, nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("answer", sa.String(length=200), server_default="", nullable=False),
        sa.Column("at", _INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'abandoned')", name="state_known"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("receiver", "event_id"),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "hook_dispatches_waiting",
        "hook_dispatches",
        ["receiver", "due_at"],
        unique=False,
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_index("hook_dispatches_at", "hook_dispatches", ["at"], unique=False)
