"""What is held of a person in the tables of what came back, and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, or_, select, update

from mailer.feedback.mentions import mentions, spellings
from mailer.feedback.tables import notices, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection


def held(
    connection: Connection, subscriber_id: int, addresses: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """Give the notices about a person, and those that merely name an address of theirs."""
    wanted = ("at", "channel", "kind", "recipient", "reason", "status", "reply", "effect")
    query = select(*(notices.c[name] for name in wanted)).where(_about(subscriber_id, addresses))
    return {"notices": [row._asdict() for row in connection.execute(query.order_by(notices.c.id))]}


def erased(connection: Connection, subscriber_id: int, addresses: Sequence[str]) -> None:
    """Blank addresses and words; the counts stay true. Mails not understood that name the person go altogether."""
    blank = {"recipient": "", "reply": ""}
    connection.execute(update(notices).where(_about(subscriber_id, addresses)).values(blank))
    forms = spellings(addresses)
    after = 0
    while rows := connection.execute(_KEPT.where(unknown.c.id > after)).all():
        after = rows[-1].id
        gone = [row.id for row in rows if mentions(_whole(row.sender, row.subject, row.raw), forms)]
        if gone:
            connection.execute(delete(unknown).where(unknown.c.id.in_(gone)))


_KEPT: Final = (
    select(unknown.c.id, unknown.c.sender, unknown.c.subject, unknown.c.raw).order_by(unknown.c.id).limit(50)
)


def _whole(sender: str, subject: str, raw: bytes) -> bytes:
    """Give a kept mail with what is noted of it before it, where reading takes it for a line of the header."""
    return f"X-Kept: {sender} {subject}\n".encode() + bytes(raw)


def _about(subscriber_id: int, addresses: Sequence[str]) -> ColumnElement[bool]:
    spelled = [address.lower() for address in addresses]
    return or_(notices.c.subscriber_id == subscriber_id, func.lower(notices.c.recipient).in_(spelled))
