"""The tables of what came back: each notice once, and the mails that nobody understood.

A notice keeps ids and the remote server's words; of an erased person the words and addresses are blanked (privacy.py).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text

from subscribers import Instant

metadata: Final = MetaData()

notices: Final = Table(
    "feedback_notices",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),  # the same report, heard twice, is one row
    Column("channel", String(64), nullable=False),  # imap:NAME, lmtp, file, smtp, hook:NAME
    Column("kind", String(16), nullable=False),
    Column(
        "proof", String(16), nullable=False, server_default=""
    ),  # token, message-id, relay-id; '' proves nothing
    Column("subscriber_id", Integer),  # whom the proof names
    Column("mailing_id", Integer),
    Column("recipient", String(320), nullable=False, server_default=""),  # whom the report names
    Column("reason", String(32), nullable=False, server_default=""),
    Column("permanence", String(16), nullable=False),
    Column("final", Boolean),
    Column("hardbounce", Boolean, nullable=False),
    Column("status", String(16), nullable=False, server_default=""),
    Column("feedback", String(40), nullable=False, server_default=""),
    Column("reply", Text, nullable=False, server_default=""),
    Column("effect", String(16), nullable=False),  # what it changed
    Column("said_at", Instant),
    Column("at", Instant, nullable=False),  # heard
    Index("feedback_notices_subscriber", "subscriber_id", "at"),
    Index("feedback_notices_mailing", "mailing_id", "kind"),
    Index("feedback_notices_at", "at"),
    sqlite_autoincrement=True,
)

unknown: Final = Table(
    "feedback_unknown",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("channel", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # what it was taken for
    Column("sender", String(320), nullable=False, server_default=""),
    Column("subject", String(200), nullable=False, server_default=""),
    Column("raw", LargeBinary, nullable=False),  # bounded; read again when the rules get better
    Column("at", Instant, nullable=False),
    Column("solved_at", Instant),  # a replay understood it
    Index("feedback_unknown_at", "at"),
    sqlite_autoincrement=True,
)
