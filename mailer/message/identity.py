"""The Message-ID of one reader's copy, without making the message: it follows from the mailing and the reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailer.keys import Purpose
from mailer.message.header import ascii_form

if TYPE_CHECKING:
    from mailer.keys import Keys


def message_id(keys: Keys, mailing_id: int, subscriber_id: int, message_domain: str) -> str:
    """Give `<token@domain>`, as Press writes it with the same keys."""
    token = keys.mail_token(Purpose.MESSAGE_ID, subscriber_id, mailing_id)
    return f"<{token}@{ascii_form(message_domain)}>"
