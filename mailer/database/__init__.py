"""The database: one engine for SQLite and PostgreSQL, short transactions, and the way to the newest schema."""

from mailer.database.engine import exists, may_pass, open_engine, reading, sqlite_file, translated, writing
from mailer.database.schema import (
    OldSchema,
    check,
    metadata,
    migrate,
    newest_revision,
    newsletter,
    open_existing,
    open_newsletter,
    register,
    revision,
    upgrade,
)

__all__ = [
    "OldSchema",
    "check",
    "exists",
    "may_pass",
    "metadata",
    "migrate",
    "newest_revision",
    "newsletter",
    "open_engine",
    "open_existing",
    "open_newsletter",
    "reading",
    "register",
    "revision",
    "sqlite_file",
    "translated",
    "upgrade",
    "writing",
]
