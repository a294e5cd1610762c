"""What a segment said when a mailing began, so that what is planned later is planned from the same words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add one column; no audience had a segment before."""
    with op.batch_alter_table("audiences") as table:
        table.add_column(sa.Column("condition", sa.Text(), server_default="", nullable=False))
