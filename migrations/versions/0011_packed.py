"""Old mailings packed: a table of their deliveries, a block of readers a row; and when PostgreSQL tidies up behind."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add one table; what is packed is compressed already, so PostgreSQL need not try."""
    op.create_table(
        "packed_deliveries",
        sa.Column("mailing_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("marks", sa.String(length=200), nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("words", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("mailing_id", "block"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for column in ("facts", "words"):
            op.execute(f"ALTER TABLE packed_deliveries ALTER COLUMN {column} SET STORAGE EXTERNAL")
