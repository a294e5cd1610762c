"""The tables of the delivery room: mailings, editions, audiences, deliveries, letters, workers, shared limits.

Ids are never reused (AUTOINCREMENT on SQLite, sequences on PostgreSQL). The ledger keeps ids without foreign keys
into subscribers, so that erasing a person leaves the counts true. Only ledger/ writes `deliveries` and
`packed_deliveries`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from mailer.delivery.states import DeliveryState, MailingState
from mailer.events import metadata
from subscribers import Instant

__all__ = [
    "audiences",
    "deliveries",
    "editions",
    "leases",
    "letters",
    "mailings",
    "metadata",
    "paces",
    "packed_deliveries",
    "relay_counts",
    "tallies",
    "workers",
]


def _one_of(column: str, values: type[DeliveryState | MailingState]) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({words})", name=f"{column}_known")


mailings: Final = Table(
    "mailings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),  # 72.main, or 72.main.AGAIN
    Column("list_key", String(64), nullable=False),
    Column("number", Integer),
    Column("slug", String(200), nullable=False),
    Column("again", String(64), nullable=False, server_default=""),
    Column("subject", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("edition_id", Integer),  # what readers not yet planned will get
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("key_id", Integer),  # the key that makes its tokens, from its first message on
    _one_of("state", MailingState),
    UniqueConstraint("list_key", "slug", "again"),
    Index("mailings_number", "list_key", "number"),
    sqlite_autoincrement=True,
)

editions: Final = Table(
    "editions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mailing_id", Integer, ForeignKey("mailings.id"), nullable=False, index=True),
    Column("content_hash", String(64), nullable=False),
    Column("document", Text, nullable=False),  # Edition.to_json()
    Column("file", Text, nullable=False),
    Column("commit_hash", String(64)),
    Column("committed", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("mailing_id", "content_hash"),
    sqlite_autoincrement=True,
)

audiences: Final = Table(
    "audiences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("mailing_id", Integer, ForeignKey("mailings.id"), nullable=False, index=True),
    Column("list_id", Integer, nullable=False),
    Column("segment", Text, nullable=False, server_default=""),
    Column("first", Integer),  # plan only so many, drawn at random
    Column(
        "planned_upto", Integer, nullable=False, server_default="0"
    ),  # subscriber id: where a restart goes on
    Column("ceiling", Integer, nullable=False),  # who joined later is a new reader
    Column("not_before", Instant),  # the rest of a mailing whose first few are watched
    Column("done", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("waves", Text),  # Waves.to_json(): when each time zone's readers are due
    # The segment's text as it was when the audience was made, standing alone: what is planned from.
    Column("condition", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

deliveries: Final = Table(
    "deliveries",
    metadata,
    Column("mailing_id", Integer, primary_key=True, autoincrement=False),
    Column("subscriber_id", Integer, primary_key=True, autoincrement=False),
    Column("edition_id", Integer, nullable=False),
    Column("list_id", Integer, nullable=False),
    Column("address_id", Integer, nullable=False),
    Column("address", String(320), nullable=False),  # what it was sent to; blank once the person is erased
    Column("domain", String(255), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(32), nullable=False, server_default=""),
    Column("epoch", Integer, nullable=False, server_default="0"),  # the worker that has or had it
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reply", Text, nullable=False, server_default=""),
    Column("relay_id", String(200), nullable=False, server_default=""),
    Column("at", Instant),  # of the last move after planning
    _one_of("state", DeliveryState),
    # Its words are literals: SQLite uses a partial index only where it can prove that the query implies it.
    Index(
        "deliveries_waiting",
        "mailing_id",
        "due_at",
        "subscriber_id",  # so that a claim, which is in this order, need not sort
        sqlite_where=text("state IN ('planned', 'deferred')"),
        postgresql_where=text("state IN ('planned', 'deferred')"),
    ),
    sqlite_with_rowid=False,
)

# Old mailings' deliveries, 200 subscriber ids a row: ledger/packing.py says how. A rowid table: the rows are large.
packed_deliveries: Final = Table(
    "packed_deliveries",
    metadata,
    Column("mailing_id", Integer, primary_key=True, autoincrement=False),
    Column("block", Integer, primary_key=True, autoincrement=False),  # subscriber id // 200
    Column("marks", String(200), nullable=False),  # a character a subscriber id: what became of it
    Column("facts", LargeBinary, nullable=False),
    Column("words", LargeBinary, nullable=False),  # what speaks of people: erasure rewrites it
)

letters: Final = Table(
    "letters",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("purpose", String(32), nullable=False),
    Column("key", String(200), nullable=False, unique=True),  # the same key is the same letter: written once
    Column("subscriber_id", Integer),
    Column("address", String(320), nullable=False),
    Column("mail_from", String(320), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("message_id", String(200), nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("reply", Text, nullable=False, server_default=""),
    Column("relay_id", String(200), nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    Column("at", Instant),
    Column("list_id", Integer),  # of list mail, such as a welcome: it goes only to who still may be mailed
    _one_of("state", DeliveryState),
    Index("letters_subscriber", "subscriber_id"),
    Index("letters_address", "address"),
    Index(
        "letters_waiting",
        "due_at",
        sqlite_where=text("state IN ('planned', 'deferred')"),
        postgresql_where=text("state IN ('planned', 'deferred')"),
    ),
    sqlite_autoincrement=True,
)

workers: Final = Table(
    "workers",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("kind", String(16), nullable=False),  # send, or run: the daemon
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("place", String(64), nullable=False, server_default=""),  # whose locks tell whether it lives
    sqlite_autoincrement=True,
)

relay_counts: Final = Table(
    "relay_counts",
    metadata,
    Column("relay", String(200), primary_key=True),
    Column("minute", Instant, primary_key=True),
    Column("taken", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What all processes together may do. Seconds since 1970, since they are reckoned with and never shown.
paces: Final = Table(
    "paces",
    metadata,
    Column("name", String(300), primary_key=True),  # relay:NAME or domain:NAME
    Column("next_at", Float, nullable=False, server_default="0"),  # when the next message may go
    Column("rest_until", Float, nullable=False, server_default="0"),
    Column("pleas", Integer, nullable=False, server_default="0"),  # for patience, so far
    sqlite_with_rowid=False,
)

leases: Final = Table(
    "leases",
    metadata,
    Column("name", String(300), primary_key=True),  # relay:NAME or domain:NAME
    Column("epoch", Integer, primary_key=True, autoincrement=False),  # it ends with the worker
    Column("connections", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What came of a mailing in each worker, since the mailing last began to run: the tripwire hears of all.
tallies: Final = Table(
    "tallies",
    metadata,
    Column("mailing_id", Integer, primary_key=True, autoincrement=False),
    Column("epoch", Integer, primary_key=True, autoincrement=False),  # it ends with the worker
    Column("since", Instant, nullable=False),
    Column("total", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("deferred", Integer, nullable=False),
    sqlite_with_rowid=False,
)
