"""The Message-ID of one reader's copy, without making the message: it follows from the mailing and the reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.keys import Purpose
from mailer.message.header import ascii_form

if TYPE_CHECKING:
    from mailer.keys import Keys

_TOKEN = re.compile(r"\s*<?([0-9A-Fa-f]{2,64})(?:@[^\s<>@]{1,255})?>?\s*")


def message_id(keys: Keys, mailing_id: int, subscriber_id: int, message_domain: str) -> str:
    """Give `<token@domain>`, as Press writes it with the same keys."""
    token = keys.mail_token(Purpose.MESSAGE_ID, subscriber_id, mailing_id)
    return f"<{token}@{ascii_form(message_domain)}>"


def read_message_id(keys: Keys, text: str) -> tuple[int, int] | None:
    """Give the (subscriber, mailing) of a Message-ID, an ENVID or a delivery header of ours, or None.

    Takes `<token@domain>`, `token@domain` and the bare token, in any case; any text may be asked about. The domain
    is not looked at: a forger would need the key, and a relay may rewrite it.
    """
    found = _TOKEN.fullmatch(text)
    return keys.read_mail_token(Purpose.MESSAGE_ID, found[1]) if found else None
