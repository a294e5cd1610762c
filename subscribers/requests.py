"""What was asked for and waits for an answer from a mailbox: sign-ups, new addresses, and the forms shown.

A request changes nothing that mail depends on: only its confirmation does. The text of a form is kept once,
by its hash, so that a receipt can show years later what a person saw. Requests go when they are too old, and
with the person; the evidence in `consents` holds what must last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.tables import JSON_TYPE, Instant, metadata

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

FORM_LENGTH = 20_000

forms = Table(
    "forms",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("version", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

signups = Table(
    "signups",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    # The mailbox that can confirm. No reference: a move takes the row away, and with it the right to confirm.
    Column("address_id", Integer, nullable=False),
    Column("list_ids", JSON_TYPE, nullable=False),
    Column("form_hash", ForeignKey("forms.hash"), nullable=False),
    # What the visitor typed is theirs only once the mailbox has confirmed it.
    Column("name", Text, nullable=False, server_default=""),
    Column("language", String(35)),
    Column("network", String(64)),
    Column("agent", Text),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("message_id", Text),
    Column("confirmed_at", Instant),
    Index(None, "subscriber_id"),
    Index(None, "expires_at"),
    sqlite_autoincrement=True,
)

address_moves = Table(
    "address_moves",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("old_address_id", Integer, nullable=False),
    Column("old_email", String(320), nullable=False),
    Column("email", String(320), nullable=False),
    Column("at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("confirmed_at", Instant),
    # Until when the old mailbox may take it back.
    Column("undo_until", Instant),
    Column("ended_at", Instant),
    Index(None, "subscriber_id"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Form:
    """What a person was shown when they signed up: its version, and every word of it."""

    version: str
    text: str

    @property
    def hash(self) -> str:
        """The SHA-256 of the text, in hexadecimal."""
        return hashlib.sha256(self.text[:FORM_LENGTH].encode("utf-8", "replace")).hexdigest()


def keep_form(connection: Connection, form: Form, now: datetime) -> str:
    """See to it that the form's text is kept; give its hash."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    row = {"hash": form.hash, "version": form.version[:64], "text": form.text[:FORM_LENGTH], "at": now}
    connection.execute(make(forms).values(row).on_conflict_do_nothing())
    return form.hash


def form_of(connection: Connection, hash_: str) -> Form | None:
    """Give the form that has this hash, or None."""
    row = connection.execute(select(forms.c.version, forms.c.text).where(forms.c.hash == hash_)).first()
    return Form(row.version, row.text) if row else None
