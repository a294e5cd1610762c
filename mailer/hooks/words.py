"""Which of our events are told to receivers, under which name, and what they read.

The queue holds ids: what a receiver reads is looked up when it is sent, so nobody's address waits anywhere, and
whoever was erased in the meantime is told of without one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from mailer.delivery import ledger, mailing
from mailer.settings.hooks import SENT
from subscribers import UnknownSubscriber, get

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from uuid import UUID

    from sqlalchemy import Connection

    from mailer.events import Event

TYPES: Final[Mapping[str, str]] = {"reader.signed-up": "reader.subscribed"} | {
    name: name for name in SENT if name != "reader.subscribed"
}
"""The kinds of our events that are told, and the names that receivers read."""

TOLD: Final = ("how", "reason", "count", "due", "mailing", "words", "why", "problems", "late_seconds", "id")
"""What of an event's data is passed on as it stands."""


def body_of(connection: Connection, event: Event, newsletter: UUID) -> bytes:
    """Give what a receiver reads of an event: JSON as Standard Webhooks shapes it."""
    kind = TYPES[event.kind]
    subject = _SUBJECTS[kind.partition(".")[0]](connection, event)
    data = {"newsletter": str(newsletter), **subject, **_details(event)}
    return written(kind, event.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), data)


def written(kind: str, timestamp: str, data: Mapping[str, Any]) -> bytes:
    """Give the octets of a message."""
    return json.dumps({"type": kind, "timestamp": timestamp, "data": data}, ensure_ascii=False).encode()


def _details(event: Event) -> dict[str, Any]:
    return {name: event.data[name] for name in TOLD if _is_plain(event.data.get(name))}


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, (str, int, float))


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


def _schedule(_connection: Connection, event: Event) -> dict[str, Any]:
    return {"schedule": event.subject}


_SUBJECTS: Final[Mapping[str, Callable[[Connection, Event], dict[str, Any]]]] = {
    "reader": _reader,
    "mailing": _mailing,
    "schedule": _schedule,
}
