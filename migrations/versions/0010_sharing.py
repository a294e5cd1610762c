"""What workers share: connections to domains as to relays, and how a mailing fares; an index that claims need not sort.

Leases and tallies live no longer than the processes that wrote them, so nothing has to be carried over.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from subscribers import Instant

revision = "0010"
down_revision = "0009"

_WAITING = sa.text("state IN ('planned', 'deferred')")


def upgrade() -> None:
    """Add a table, make one anew under wider names, and let the index of those who wait hold their ids."""
    op.drop_table("leases")
    op.create_table(
        "leases",
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("connections", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", "epoch"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tallies",
        sa.Column("mailing_id", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("deferred", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mailing_id", "epoch"),
        sqlite_with_rowid=False,
    )
    op.drop_index("deliveries_waiting", "deliveries")
    op.create_index(
        "deliveries_waiting",
        "deliveries",
        ["mailing_id", "due_at", "subscriber_id"],
        sqlite_where=_WAITING,
        postgresql_where=_WAITING,
    )
