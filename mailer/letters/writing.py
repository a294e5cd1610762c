"""A letter's content becomes a signed message, and is written to go out at once, in the caller's transaction.

Its key says which request it answers: written twice it is one letter, with one Message-ID. Keys begin with the
newsletter's UUID, so that two newsletters of one domain never share a Message-ID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.delivery.letters import write
from mailer.errors import Problem, UserError
from mailer.letters.content import as_html, as_text
from mailer.message.letter import Letter, service_message
from mailer.message.links import link
from mailer.message.sender import sender_for

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.keys import Purpose
    from mailer.letters.content import Content
    from mailer.settings import ListSettings


def post(  # noqa: PLR0913 - a letter has that many sides; all but three are named
    connection: Connection,
    ground: Ground,
    content: Content,
    *,
    settings: ListSettings,
    to: str,
    purpose: str,
    key: str,
    now: datetime,
    subscriber_id: int | None = None,
) -> str | None:
    """Write a letter of a list; give its Message-ID, or None if the letter of this key was written before."""
    letter = Letter(
        key=f"{ground.settings.id}:{purpose}:{key}",
        to=to,
        subject=content.subject,
        text=as_text(content, settings),
        html=as_html(content, settings),
    )
    message = service_message(sender_for(settings), letter, now, ground.signers)
    written = write(
        connection, message, purpose=purpose, key=letter.key, now=now, subscriber_id=subscriber_id
    )
    return message.message_id if written else None


def own_link(ground: Ground, settings: ListSettings, purpose: Purpose, subscriber: int, other: int) -> str:
    """Give the URL of a page of ours. Raises UserError where the newsletter has no pages."""
    if settings.public_url is None:
        message = "letters need links: write public_url, the address of the pages that `mailer run` serves"
        raise UserError(Problem(message, key="public_url"))
    return link(settings.public_url, purpose, ground.keys.link_token(purpose, subscriber, other))
