"""Which of our events are told to receivers, under which name, and what they read.

The queue holds ids: what a receiver reads is looked up when it is sent, so nobody's address waits anywhere, and
whoever was erased in the meantime is told of without one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from mailer.delivery import ledger, mailing
from subscribers import UnknownSubscriber, get

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from sqlalchemy import Connection

    from mailer.events import Event

TYPES: Final[Mapping[str, str]] = {
    "reader.signed-up": "reader.subscribed",
    "reader.confirmed": "reader.confirmed",
    "reader.added": "reader.added",
    "reader.unsubscribed": "reader.unsubscribed",
    "reader.bounced": "reader.bounced",
    "reader.complained": "reader.complained",
    "reader.moved": "reader.moved",
    "reader.erased": "reader.erased",
    "mailing.started": "mailing.started",
    "mailing.paused": "mailing.paused",
    "mailing.resumed": "mailing.resumed",
    "mailing.finished": "mailing.finished",
    "mailing.cancelled": "mailing.cancelled",
}
"""The kinds of our events that are told, and the names that receivers read."""

TOLD: Final = ("how", "reason", "count")
"""What of an event's data is passed on as it stands."""


def body_of(connection: Connection, event: Event, newsletter: UUID) -> bytes:
    """Give what a receiver reads of an event: JSON as Standard Webhooks shapes it."""
    kind = TYPES[event.kind]
    subject = _reader(connection, event) if kind.startswith("reader.") else _mailing(connection, event)
    data = {"newsletter": str(newsletter), **subject, **_details(event)}
    return written(kind, event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), data)


def written(kind: str, timestamp: str, data: Mapping[str, Any]) -> bytes:
    """Give the octets of a message."""
    return json.dumps({"type": kind, "timestamp": timestamp, "data": data}, ensure_ascii=False).encode()


def _details(event: Event) -> dict[str, Any]:
    return {name: event.data[name] for name in TOLD if isinstance(event.data.get(name), (str, int, type(None)))
            and name in event.data}  # fmt: skip


def _reader(connection: Connection, event: Event) -> dict[str, Any]:
    """Give who it is about, as they are now, and which lists it was about."""
    lists = event.data.get("lists", [event.data["list"]] if event.data.get("list") else [])
    try:
        person = get(connection, int(event.subject))
    except (UnknownSubscriber, ValueError):
        return {"subscriber": {"id": None, "email": None, "name": "", "language": None}, "lists": lists}
    known = {"id": person.id, "email": person.email, "name": person.name, "language": person.language}
    return {"subscriber": known, "lists": lists}


def _mailing(connection: Connection, event: Event) -> dict[str, Any]:
    """Give the mailing as it stands now, with its sums."""
    found = mailing.named(connection, event.subject)
    if found is None:
        return {"mailing": {"name": event.subject}}
    sums = ledger.counts(connection, found.id).to_json()
    return {
        "mailing": {
            "name": found.name,
            "list": found.list_key,
            "number": found.number,
            "slug": found.slug,
            "subject": found.subject,
            "state": found.state.value,
            "deliveries": sums,
        }
    }
