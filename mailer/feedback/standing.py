"""How the intake stands: mailboxes that cannot be read, and what is kept because nobody understood it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mailer import events
from mailer.feedback.intake import keeping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from mailer.events import Event
    from mailer.settings.feedback import FeedbackSettings

UNREADABLE: Final = "feedback.unreadable"
READABLE: Final = "feedback.readable"


@dataclass(frozen=True, slots=True)
class Standing:
    """The mailboxes that cannot be read, each with the event since which; what is kept, by kind."""

    unreadable: Mapping[str, Event]
    kept: Mapping[str, int]


def standing(connection: Connection, settings: FeedbackSettings) -> Standing:
    """Say how the intake stands."""
    since = {one.name: unreadable_since(connection, one.name) for one in settings.mailboxes}
    return Standing({name: event for name, event in since.items() if event}, keeping.waiting(connection))


def unreadable_since(connection: Connection, name: str) -> Event | None:
    """Give the event since which a mailbox cannot be read, or None if it can."""
    bad, good = events.latest(connection, UNREADABLE, name), events.latest(connection, READABLE, name)
    return bad if bad is not None and (good is None or good.id < bad.id) else None
