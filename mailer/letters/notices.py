"""What a person asks for by mail, and what the operator must hear: letters that stand alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import subscribers
from mailer.letters import service
from mailer.letters.content import Button, Content
from mailer.letters.writing import post

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from subscribers import Person


def manage_link(connection: Connection, ground: Ground, *, now: datetime, email: str) -> bool:
    """Send the link to their settings to whoever has that address, if anybody we know has.

    Give whether a letter was written; a page says the same either way.
    """
    person = subscribers.find(connection, email)
    if person is None or not person.subscriptions:
        return False
    return service.manage_link(connection, ground, person, now)


def data_ready(connection: Connection, ground: Ground, *, now: datetime, person: Person, link: str) -> bool:
    """Send a person the link to all that is held about them."""
    return service.data_ready(connection, ground, person, link, now)


def erase_link(connection: Connection, ground: Ground, *, now: datetime, person: Person, link: str) -> bool:
    """Send a person the link to the page that erases them."""
    return service.erase_link(connection, ground, person, link, now)


def operator(
    connection: Connection,
    ground: Ground,
    *,
    now: datetime,
    key: str,
    subject: str,
    paragraphs: Sequence[str],
    links: Sequence[tuple[str, str]] = (),
    list_key: str | None = None,
) -> bool:
    """Tell the operator something, once for each key; false where mailer.toml names none, or it was told before.

    `links` are (label, URL). No paragraph may hold a reader's address: mail is not a safe place for it.
    """
    if ground.settings.operator is None:
        return False
    known = ground.settings.lists
    settings = known.get(list_key or "") or next(iter(known.values()))
    content = Content(
        subject=subject,
        title=subject,
        language="en",
        before=tuple(paragraphs),
        links=tuple(Button(*each) for each in links),
        why=f"You get this mail because mailer.toml of {ground.settings.name} names you as its operator.",
    )
    to = ground.settings.operator
    written = post(
        connection, ground, content, settings=settings, to=to, purpose="operator", key=key[:120], now=now
    )
    return written is not None
