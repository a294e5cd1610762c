"""What Alembic runs: mailer.database.upgrade hands it a connection inside a transaction."""

from __future__ import annotations

from alembic import context

import mailer.database
import mailer.delivery.tables
import mailer.events
import subscribers

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=[
        mailer.database.metadata,
        mailer.events.metadata,
        mailer.delivery.tables.metadata,
        subscribers.metadata,
    ],
    # SQLite cannot alter most things: a table is copied instead.
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
