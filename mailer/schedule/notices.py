"""Notices: the operator hears of what happened by letter and in the log, once each.

Promises: the row that remembers an event was told is written in the transaction that writes its letter, so that two
processes and a restart tell it once. Ids are looked back upon, since PostgreSQL may show a lower one later.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite

from mailer import events
from mailer.database import reading, writing
from mailer.errors import MailerError
from mailer.keys import Purpose
from mailer.letters import notices as letters
from mailer.message.links import checked
from mailer.schedule.messages import TELL, Message, message_of
from mailer.schedule.tables import told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.events import Event

log = logging.getLogger(__name__)
_LOOK: Final = 5.0  # seconds
_BACK: Final = 1_000  # ids that may have been committed late
_PAGE: Final = 50
_NEWS: Final = timedelta(days=7)  # older is no news: `mailer run` may be begun after years of sending by hand
PATH: Final = "/schedule/"


async def run(ground: Ground, stopped: asyncio.Event, *, seconds: float = _LOOK) -> None:
    """Tell the operator until it is stopped."""
    while not stopped.is_set():
        try:
            await asyncio.to_thread(tell, ground)
        except MailerError as problem:
            log.warning("notices: %s; trying again", problem)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), seconds)


def tell(ground: Ground) -> int:
    """Tell what was not told yet; give how many events there were."""
    with reading(ground.database) as connection:
        fresh = untold(connection)
    for event in fresh:
        message = message_of(event) if event.at > ground.clock() - _NEWS else None
        if _told(ground, event, message) and message is not None:
            level = logging.WARNING if message.urgent else logging.INFO
            log.log(level, "%s: %s", message.subject, " ".join(message.paragraphs))
    return len(fresh)


def untold(connection: Connection) -> Sequence[Event]:
    """Give the events that the operator is to hear of and has not, oldest first."""
    begin, last = connection.execute(select(func.min(told.c.event_id), func.max(told.c.event_id))).one()
    low = max(begin or 0, (last or 0) - _BACK)
    known = select(told.c.event_id).where(told.c.event_id > low)
    return events.after(connection, low, tuple(TELL), known, _PAGE)


def _told(ground: Ground, event: Event, message: Message | None) -> bool:
    """Write that it was told, and its letter; false where another process did."""
    with writing(ground.database) as connection:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        row = dialect.insert(told).values(event_id=event.id, at=ground.clock()).on_conflict_do_nothing()
        if connection.execute(row.returning(told.c.event_id)).first() is None:
            return False
        if message is not None:
            _write(connection, ground, event, message)
    return True


def _write(connection: Connection, ground: Ground, event: Event, message: Message) -> None:
    try:
        letters.operator(
            connection,
            ground,
            now=ground.clock(),
            key=f"event-{event.id}",
            subject=f"[{ground.settings.name}] {message.subject}",
            paragraphs=message.paragraphs,
            links=_links(ground, message),
        )
    except MailerError as problem:
        log.error("the operator's letter cannot be written: %s", problem)  # noqa: TRY400 - it has words for a person


def _links(ground: Ground, message: Message) -> tuple[tuple[str, str], ...]:
    """Give the link to the page with the two buttons, where the newsletter has pages."""
    pages = next((one.public_url for one in ground.settings.lists.values() if one.public_url), None)
    if message.question is None or pages is None:
        return ()
    token = ground.keys.link_token(Purpose.ANSWER, message.question, 0)
    return (("Send or skip", f"{checked(pages)}{PATH}{token}"),)
