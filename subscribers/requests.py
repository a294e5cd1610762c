"""What was asked for and waits for an answer from a mailbox: sign-ups, new addresses, and the forms shown.

A request changes nothing that mail depends on: only its confirmation does. The text of a form is kept once,
by its hash, so that a receipt can show years later what a person saw. Requests go when they are too old, and
with the person; the evidence in `consents` holds what must last.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text, select
from sqlalchemy.dialects import postgresql, sqlite

from subscribers.tables import JSON_TYPE, Instant, addresses, consents, metadata

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

FORM_LENGTH = 20_000
_OURS = frozenset({"subscriber_id", "address_id", "old_address_id"})

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


def requests_of(connection: Connection, subscriber_id: int) -> dict[str, list[dict[str, Any]]]:
    """Give a person's requests as plain values: their sign-ups and their moves."""
    asked = select(signups)
    moves = select(address_moves).where(address_moves.c.subscriber_id == subscriber_id)
    return {
        "signups": [
            {name: value for name, value in row.items() if name not in _OURS}
            for row in connection.execute(
                asked.where(signups.c.subscriber_id == subscriber_id).order_by(signups.c.id)
            ).mappings()
        ],
        "moves": [
            {name: value for name, value in row.items() if name not in _OURS}
            for row in connection.execute(moves.order_by(address_moves.c.id)).mappings()
        ],
    }


def addresses_of(connection: Connection, subscriber_id: int) -> tuple[str, ...]:
    """Give every address that we know a person by: their own, and those of moves that can be taken back."""
    own = select(addresses.c.email).where(addresses.c.subscriber_id == subscriber_id)
    moves = address_moves.c
    others = select(moves.old_email, moves.email, moves.confirmed_at).where(
        moves.subscriber_id == subscriber_id
    )
    found = list(connection.scalars(own))
    for row in connection.execute(others):
        found += [row.old_email, row.email] if row.confirmed_at else [row.old_email]
    return tuple(dict.fromkeys(found))


def forms_of(connection: Connection, subscriber_id: int) -> list[dict[str, Any]]:
    """Give every form that a person was shown, with its words, as plain values."""
    theirs = select(consents.c.evidence).where(consents.c.subscriber_id == subscriber_id)
    lines = [each for each in connection.scalars(theirs) if isinstance(each, dict)]
    hashes = dict.fromkeys(str(each["form hash"]) for each in lines if "form hash" in each)
    found = connection.execute(select(forms).where(forms.c.hash.in_(hashes)).order_by(forms.c.at))
    return [dict(row) for row in found.mappings()]
