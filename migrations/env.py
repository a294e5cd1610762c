"""What Alembic runs: mailer.database.upgrade hands it a connection inside a transaction."""

from __future__ import annotations

from alembic import context

import mailer.database
import mailer.delivery.tables
import mailer.events
import mailer.feedback.tables
import mailer.hooks.tables
import mailer.schedule.tables
import mailer.tokens
import mailer.web.tables
import subscribers

# A room may share another's metadata, and Alembic refuses to be told the same table twice.
ROOMS = (
    mailer.database,
    mailer.events,
    mailer.delivery.tables,
    mailer.hooks.tables,
    mailer.schedule.tables,
    mailer.tokens,
    mailer.web.tables,
    subscribers,
    mailer.feedback.tables,
)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=list(dict.fromkeys(room.metadata for room in ROOMS)),
    # SQLite cannot alter most things: a table is copied instead.
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
