"""The first schema."""

from __future__ import annotations

from alembic import op

import mailer.database
import mailer.delivery.tables
import mailer.events
import subscribers

revision = "0001"
down_revision = None


def upgrade() -> None:
    for metadata in (
        mailer.database.metadata,
        mailer.events.metadata,
        subscribers.metadata,
        mailer.delivery.tables.metadata,
    ):
        metadata.create_all(op.get_bind())
