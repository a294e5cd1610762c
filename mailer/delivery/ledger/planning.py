"""Planning: who is to get a mailing. Rows come in, none leaves; who has a delivery, packed or not, gets no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer.delivery.ledger import packed, shelving
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection

_COLUMNS = (
    "mailing_id", "subscriber_id", "edition_id", "list_id", "address_id", "address", "domain", "due_at", "state",
)  # fmt: skip


def plan(
    connection: Connection,
    readers: Select[Any],
    *,
    mailing_id: int,
    edition_id: int,
    due_at: datetime | Callable[[ColumnElement[Any]], ColumnElement[datetime]],
) -> int:
    """Plan a delivery for each of `readers` (columns as audience() gives them) who has none in this mailing.

    `due_at` is an instant, or gives one for the column of the readers' time zones. Returns how many were added. Whoever
    is in the mailing already, in any state, is left as they are.
    """
    some_packed = shelving.hold(connection, mailing_id)
    people = readers.subquery()
    due = due_at(people.c.time_zone) if callable(due_at) else literal(due_at, deliveries.c.due_at.type)
    rows = select(
        literal(mailing_id),
        people.c.subscriber_id,
        literal(edition_id),
        people.c.list_id,
        people.c.address_id,
        people.c.email,
        people.c.domain,
        due,
        literal(DeliveryState.PLANNED.value),
    ).where(literal(1) == 1)  # SQLite's parser needs a WHERE between SELECT and ON CONFLICT
    if some_packed:
        rows = rows.where(~packed.holds(mailing_id, people.c.subscriber_id))
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(deliveries).from_select(_COLUMNS, rows).on_conflict_do_nothing()
    # Else SQLAlchemy keeps no count of an INSERT on PostgreSQL.
    return connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
