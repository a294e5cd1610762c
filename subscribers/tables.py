"""The tables of the subscribers, for SQLite and PostgreSQL alike, and the one column type for instants.

A person is a row of `subscribers`; where their mail goes is a row of `addresses`; what they read is a row of
`subscriptions` for each list. Why all this is so stands in `consents`, which only grows, and who must never
be mailed in `suppressions`, which holds keyed hashes and so outlives erasure. No id is ever given twice, in
either database. States are checked by the database too; which moves are allowed stands in status.py.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from subscribers.status import AddressState, ImportState, PersonState, Scope, SubscriptionState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Dialect
    from sqlalchemy.types import TypeEngine


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: aware datetimes in, aware UTC datetimes out, comparable in the database.

    PostgreSQL keeps `timestamptz`; SQLite keeps text of fixed width (`2026-07-14 09:52:00.000000Z`), which
    sorts as time does and can be read by a person. Integers were rejected for that reason. Raises ValueError
    for a naive datetime: it names no moment.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Give the database's own type."""
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Give what the database stores."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone, so it names no moment")
        return _text(value) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give the stored moment, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return datetime.fromisoformat(value)
        moment: datetime = value
        return moment.astimezone(UTC)


def _text(value: datetime) -> str:
    return f"{value.astimezone(UTC).isoformat(' ', 'microseconds')[:26]}Z"


def _one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    choices = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({choices})", name=column)


JSON_TYPE = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

lists = Table(
    "lists",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String(64), nullable=False, unique=True),
    # The legal sender the list belongs to; '' is the newsletter itself.
    Column("brand", String(64), nullable=False, server_default=""),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("file", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("list_id", ForeignKey("lists.id"), nullable=False),
    Column("basis", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("counts", JSON_TYPE, nullable=False),
    # Records of the file that are dealt with and committed, and octets of the rejects file that belong to
    # them.
    Column("position", Integer, nullable=False, server_default="0"),
    Column("rejected_octets", Integer, nullable=False, server_default="0"),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    _one_of("state", ImportState),
    Index(None, "digest", "list_id"),
    sqlite_autoincrement=True,
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("state", String(16), nullable=False, server_default=PersonState.PRESENT.value),
    Column("name", Text, nullable=False, server_default=""),
    Column("language", String(35)),
    Column("time_zone", String(64)),
    Column("attributes", JSON_TYPE, nullable=False, server_default="{}"),
    Column("import_id", ForeignKey("imports.id")),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    _one_of("state", PersonState),
    sqlite_autoincrement=True,
)

addresses = Table(
    "addresses",
    metadata,
    Column("id", Integer, primary_key=True),
    # One person has one address, one address one person. A move makes a new row, so that a late bounce of the
    # old address finds nothing to harm.
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False, unique=True),
    Column("email", String(320), nullable=False),
    Column("normalized", String(320), nullable=False, unique=True),
    Column("domain", String(255), nullable=False),
    Column("hash", LargeBinary(16), nullable=False),
    Column("state", String(16), nullable=False, server_default=AddressState.REACHABLE.value),
    Column("reason", Text),
    Column("changed_at", Instant, nullable=False),
    _one_of("state", AddressState),
    sqlite_autoincrement=True,
)

subscriptions = Table(
    "subscriptions",
    metadata,
    # The list first: one list is read in ranges of people, and a person's few lists are found by the second
    # index.
    Column("list_id", ForeignKey("lists.id"), primary_key=True, autoincrement=False),
    Column("subscriber_id", ForeignKey("subscribers.id"), primary_key=True, autoincrement=False),
    Column("state", String(16), nullable=False),
    Column("paused_until", Instant),
    Column("reason", Text),
    Column("joined_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    _one_of("state", SubscriptionState),
    Index(None, "subscriber_id"),
    sqlite_with_rowid=False,
)

tags = Table(
    "tags",
    metadata,
    Column("subscriber_id", ForeignKey("subscribers.id"), primary_key=True, autoincrement=False),
    Column("tag", String(64), primary_key=True),
    Index(None, "tag", "subscriber_id"),
    sqlite_with_rowid=False,
)

consents = Table(
    "consents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber_id", ForeignKey("subscribers.id"), nullable=False),
    Column("list_id", ForeignKey("lists.id")),
    Column("kind", String(16), nullable=False),
    Column("basis", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("network", String(64)),
    Column("agent", Text),
    Column("evidence", JSON_TYPE),
    Column("import_id", ForeignKey("imports.id")),
    Index(None, "subscriber_id"),
    Index(None, "import_id"),
    sqlite_autoincrement=True,
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("hash", LargeBinary(16), nullable=False),
    Column("scope", String(16), nullable=False),
    # The key of the list or brand; '' for everything.
    Column("scope_key", String(64), nullable=False, server_default=""),
    Column("reason", String(32), nullable=False),
    Column("evidence", Text),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("lifted_at", Instant),
    Column("lifted_why", Text),
    Column("import_id", ForeignKey("imports.id"), index=True),
    _one_of("scope", Scope),
    Index(None, "hash"),
    Index(
        "uq_suppressions_in_force",
        "hash",
        "scope",
        "scope_key",
        unique=True,
        sqlite_where=text("lifted_at IS NULL"),
        postgresql_where=text("lifted_at IS NULL"),
    ),
    sqlite_autoincrement=True,
)

# What an import changed of people who were there before it, so that it can be taken back.
import_changes = Table(
    "import_changes",
    metadata,
    Column("import_id", ForeignKey("imports.id"), primary_key=True, autoincrement=False),
    Column("subscriber_id", ForeignKey("subscribers.id"), primary_key=True, autoincrement=False),
    Column("before", JSON_TYPE, nullable=False),
    Column("at", Instant, nullable=False),
    Index(None, "subscriber_id"),
)
