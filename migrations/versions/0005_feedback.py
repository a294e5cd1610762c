"""What came back: notices, and mails that nobody understood."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Make both tables."""
    _notices()
    _unknown()


def _notices() -> None:
    op.create_table(
        "feedback_notices",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("proof", sa.String(length=16), server_default="", nullable=False),
        sa.Column("subscriber_id", sa.Integer(), nullable=True),
        sa.Column("mailing_id", sa.Integer(), nullable=True),
        sa.Column("recipient", sa.String(length=320), server_default="", nullable=False),
        sa.Column("reason", sa.String(length=32), server_default="", nullable=False),
        sa.Column("permanence", sa.String(length=16), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=True),
        sa.Column("hardbounce", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(length=16), server_default="", nullable=False),
        sa.Column("feedback", sa.String(length=40), server_default="", nullable=False),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("said_at", _INSTANT, nullable=True),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("feedback_notices_subscriber", "feedback_notices", ["subscriber_id", "at"], unique=False)
    op.create_index("feedback_notices_mailing", "feedback_notices", ["mailing_id", "kind"], unique=False)
    op.create_index("feedback_notices_at", "feedback_notices", ["at"], unique=False)


def _unknown() -> None:
    op.create_table(
        "feedback_unknown",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("sender", sa.String(length=320), server_default="", nullable=False),
        sa.Column("subject", sa.String(length=200), server_default="", nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("solved_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("key"),
        sqlite_autoincrement=True,
    )
    op.create_index("feedback_unknown_at", "feedback_unknown", ["at"], unique=False)
