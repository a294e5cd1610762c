"""What a person wrote to an address of ours reaches a person: it is passed on once, as a letter to the operator.

The letter goes to `operator`, else to the `reply_to` of the list that was answered; its Reply-To is whoever wrote.
Promises: only what came to an address with a genuine token is passed on, a bounded part of it as text, and at most MOST
a day: who knows one token must not be able to flood a mailbox. The letter says that it is automatic, so it is never
passed on itself.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from mailer.delivery.letters import write
from mailer.delivery.tables import letters
from mailer.errors import MailerError
from mailer.feedback.reading.addresses import tidy
from mailer.feedback.reading.hypertext import plain
from mailer.feedback.reading.mime import opened
from mailer.feedback.taking import Proof, list_key
from mailer.keys import Purpose
from mailer.message.letter import Letter, service_message
from mailer.message.sender import sender_for

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.feedback.reading import Reading
    from mailer.feedback.reading.mime import Mail
    from mailer.message.model import Sender
    from mailer.settings import ListSettings

MOST: Final = 200  # a day
LONGEST: Final = 20_000  # characters
PURPOSE: Final = "reply"


def pass_on(connection: Connection, ground: Ground, reading: Reading, raw: bytes, now: datetime) -> bool:
    """Write the letter that brings a person's words to a person; false where nobody may or can be told."""
    about = ground.keys.read_mail_token(Purpose.RETURN_PATH, reading.evidence.token)
    if about is None or _today(connection, now) >= MOST:
        return False
    settings = _answered(connection, ground, Proof("token", *about))
    to = ground.settings.operator or settings.reply_to
    if to is None:
        return False
    mail = opened(raw)
    letter = Letter(
        key=f"{ground.settings.id}:{PURPOSE}:{reading.key}",
        to=to,
        subject=f"[{ground.settings.name}] {reading.subject or 'A reader wrote'}",
        text=_text(mail),
    )
    try:
        message = service_message(_from(settings, mail), letter, now, ground.signers)
    except MailerError:  # an address that no header can hold: the mail is kept all the same
        return False
    return write(connection, message, purpose=PURPOSE, key=letter.key, now=now, subscriber_id=about[0])


def _answered(connection: Connection, ground: Ground, proof: Proof) -> ListSettings:
    """Give the list whose issue was answered, or the first one where it is there no more."""
    lists = ground.settings.lists
    return lists.get(list_key(connection, proof) or "") or next(iter(lists.values()))


def _from(settings: ListSettings, mail: Mail) -> Sender:
    """Give the list's sender, answered by whoever wrote."""
    writer = tidy(mail.header.get("reply-to")) or tidy(mail.header.get("from"))
    return replace(sender_for(settings), reply_to=writer or None)


def _text(mail: Mail) -> str:
    """Say who wrote, and what: the plain text, else the HTML as text."""
    texts = [part for part in mail.parts if part.type.startswith("text/")]
    spoken = [part for part in texts if part.type != "text/html"] or texts
    words = "\n".join(plain(part.text()) if part.type == "text/html" else part.text() for part in spoken[:4])
    short = words.replace("\x00", "").strip()[:LONGEST]
    return f"{mail.header.get('from')} wrote to the return address of an issue:\n\n{short or '(no text)'}\n"


def _today(connection: Connection, now: datetime) -> int:
    since = (letters.c.purpose == PURPOSE, letters.c.created_at > now - timedelta(days=1))
    return int(connection.scalar(select(func.count()).select_from(letters).where(*since)) or 0)
