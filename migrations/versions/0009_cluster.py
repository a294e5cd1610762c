"""Several machines: where a worker lives, whose server the database stands on, and what limits they share."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add two columns and two tables."""
    with op.batch_alter_table("workers") as table:
        table.add_column(sa.Column("place", sa.String(length=64), server_default="", nullable=False))
    with op.batch_alter_table("newsletter") as table:
        table.add_column(sa.Column("home", sa.String(length=200), server_default="", nullable=False))
    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("next_at", sa.Float(), server_default="0", nullable=False),
        sa.Column("rest_until", sa.Float(), server_default="0", nullable=False),
        sa.Column("pleas", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("relay", sa.String(length=200), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("relay", "epoch"),
        sqlite_with_rowid=False,
    )
