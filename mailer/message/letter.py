"""Service mails: confirmations, welcomes, notices to the operator. One mail to one person, asked for or needed.

Promises the same of its octets as a press does. It carries Auto-Submitted: auto-generated (RFC 3834), so that no
vacation program answers, and no List-* fields: there is nothing to unsubscribe from.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.errors import UserError
from mailer.message.body import alternative, boundary, multipart, text_part
from mailer.message.dkim import aligned, sign
from mailer.message.header import address, field, mailbox, unstructured
from mailer.message.headers import date, domain
from mailer.message.layout import Hole, Layout
from mailer.message.model import Message
from mailer.message.value import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mailer.edition.model import Slot
    from mailer.message.dkim import Signer
    from mailer.message.model import Sender


@dataclass(frozen=True, slots=True)
class Letter:
    """What a service mail says, and to whom.

    `key` is its idempotency key: the same key gives the same Message-ID, so that a mail sent again is known again.
    """

    key: str
    to: str
    subject: str
    text: str
    html: str | None = None
    name: str = ""


def service_message(
    sender: Sender,
    letter: Letter,
    now: datetime,
    signers: Sequence[Signer] = (),
    *,
    unsigned: frozenset[str] = frozenset(),
) -> Message:
    """Give the message of a letter. The envelope sender is the return path as it is, without a token.

    Raises UserError if an address cannot be written in a header, or the text is empty.
    """
    if not letter.text.strip():
        raise UserError("a letter needs a text")
    reader, author = address(letter.to), address(sender.from_address)
    ident = hashlib.sha256(letter.key.encode("utf-8", "replace")).hexdigest()[:32]
    message_id = f"<{ident}@{domain(sender.message_domain)}>"
    head = [
        mailbox("From", clean(sender.from_name), author),
        mailbox("To", clean(letter.name), reader),
        *([mailbox("Reply-To", "", address(sender.reply_to))] if sender.reply_to else []),
        unstructured("Subject", clean(letter.subject)),
        date(now),
        field("Message-ID", message_id),
        field("MIME-Version", "1.0"),
        field("Auto-Submitted", "auto-generated"),
    ]
    unsealed = b"".join(head) + _body(letter.text, letter.html)
    content = sign(unsealed, aligned(signers, author.text), now, unsigned)
    mail_from = address(sender.return_path or sender.from_address)
    utf8 = reader.smtputf8 or author.smtputf8 or mail_from.smtputf8
    return Message(mail_from.text, reader.text, content, message_id, ident, utf8)


def _body(text: str, html: str | None) -> bytes:
    """Give the rest of the message, from its Content-Type on."""
    layout = Layout()
    if html is None:
        text_part(layout, (text,), _no_holes)
        return b"".join(layout.filler()(()))
    edge = boundary(text, html)
    layout.fixed(multipart(edge) + b"\r\n")
    alternative(layout, (text,), (html,), edge, _no_holes)
    return b"".join(layout.filler()(()))


def _no_holes(slot: Slot) -> list[str | Hole]:
    raise UserError(f"a letter has no merge fields, and this one has {slot.name!r}")
