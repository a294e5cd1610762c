"""What each relay took, minute by minute, so that its limits outlive a process; and what a mailing keeps of its start.

A mailing's tokens come from one key, also after the secret was rotated; an audience may be due zone by zone; and what
is kept of a person in letters is found without reading all of them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_INSTANT = sa.DateTime(timezone=True).with_variant(sa.String(27), "sqlite")


def upgrade() -> None:
    """Add one table, two columns and two indexes."""
    op.create_table(
        "relay_counts",
        sa.Column("relay", sa.String(length=200), nullable=False),
        sa.Column("minute", _INSTANT, nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("relay", "minute"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("mailings") as table:
        table.add_column(sa.Column("key_id", sa.Integer(), nullable=True))
    with op.batch_alter_table("audiences") as table:
        table.add_column(sa.Column("waves", sa.Text(), nullable=True))
    op.create_index("letters_subscriber", "letters", ["subscriber_id"], unique=False)
    op.create_index("letters_address", "letters", ["address"], unique=False)
