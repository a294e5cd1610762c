"""The slow, obvious construction: fill every slot, then let EmailMessage do the rest. What the press must equal."""

from __future__ import annotations

import html
import unicodedata
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from mailer.edition import Context, Edition, Slot
from mailer.keys import Keys, Purpose

if TYPE_CHECKING:
    from datetime import datetime

    from mailer.edition import Slotted
    from mailer.message import Recipient, Sender

LINKS = {
    "link.unsubscribe": (Purpose.UNSUBSCRIBE, "unsubscribe"),
    "link.preferences": (Purpose.PREFERENCES, "preferences"),
    "link.browser": (Purpose.BROWSER, "view"),
}


def one_line(text: str) -> str:
    """A value on one line without characters that do harm, at most 1,000 of them."""
    kept = []
    for character in text[:1000]:
        if character in "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029":
            kept.append(" ")
        elif (
            unicodedata.category(character) in {"Cc", "Cs"}
            or character == "\ufeff"
            or unicodedata.bidirectional(character) in BIDI_CONTROLS
        ):
            continue
        else:
            kept.append(character)
    return " ".join(word for word in "".join(kept).split(" ") if word).strip()


BIDI_CONTROLS = {"LRE", "RLE", "PDF", "LRO", "RLO", "LRI", "RLI", "FSI", "PDI"}


def spelled(value: object) -> str:
    """An attribute as a person would write it."""
    match value:
        case bool():
            return str(value).lower()
        case float() if value.is_integer() and abs(value) < 1e15:
            return str(int(value))
        case None | dict() | bytes():
            return ""
        case list():
            return one_line(
                ", ".join(filter(None, (spelled(one) for one in value if not isinstance(one, list))))
            )
        case _:
            return one_line(str(value))


def looked_up(name: str, recipient: Recipient) -> str:
    """What the reader has under a slot's name."""
    path = name.split(".")[1:]
    if path == ["name"]:
        return one_line(recipient.name)
    if path == ["email"]:
        return one_line(recipient.email)
    if path == ["first_name"]:
        return one_line(recipient.name).split(" ")[0]
    here: object = recipient.attributes
    for step in path:
        here = here.get(step) if isinstance(here, dict) else None
    return spelled(here)


def whole_url(text: str) -> str:
    """The URL if it is one that a mail may carry."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    if parts.scheme == "mailto" and parts.path[:1] not in {"", " ", ":"}:
        return quote(text, safe="!#$%&'()*+,/:;=?@[]~")
    return ""


def filled(part: Slot, recipient: Recipient, sender: Sender, keys: Keys, mailing_id: int) -> str:
    """What stands in the place of one slot."""
    if part.name in LINKS:
        purpose, path = LINKS[part.name]
        other = mailing_id if purpose is Purpose.BROWSER else recipient.list_id
        value = f"{sender.public_url}/{path}/{keys.link_token(purpose, recipient.subscriber_id, other)}"
    else:
        value = looked_up(part.name, recipient) or one_line(part.default)
    match part.context:
        case Context.HTML | Context.ATTRIBUTE:
            return html.escape(value, quote=True)
        case Context.URL:
            return quote(value, safe="")
        case Context.ADDRESS:
            return f" <{whole_url(value)}>" if whole_url(value) else ""
        case _:
            return value


def whole(text: Slotted, recipient: Recipient, sender: Sender, keys: Keys, mailing_id: int) -> str:
    """A text with every slot filled, as a file of lines."""
    full = "".join(
        part if isinstance(part, str) else filled(part, recipient, sender, keys, mailing_id) for part in text
    )
    lines = full.replace("\r\n", "\n").replace("\r", "\n")
    return lines if lines.endswith("\n") else lines + "\n"


def slow_message(
    edition: Edition, sender: Sender, recipient: Recipient, keys: Keys, mailing_id: int, now: datetime
) -> EmailMessage:
    """The whole message, built anew for this reader."""

    def fill(text: Slotted) -> str:
        return whole(text, recipient, sender, keys, mailing_id)

    ident = keys.mail_token(Purpose.MESSAGE_ID, recipient.subscriber_id, mailing_id)
    leave = keys.link_token(Purpose.UNSUBSCRIBE, recipient.subscriber_id, recipient.list_id)
    leave_mail = keys.mail_token(Purpose.UNSUBSCRIBE, recipient.subscriber_id, recipient.list_id)
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(sender.from_name, addr_spec=sender.from_address)
    message["To"] = Address(one_line(recipient.name), addr_spec=recipient.email)
    message["Reply-To"] = Address(addr_spec=sender.reply_to)
    message["Subject"] = one_line(fill(edition.subject))
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{ident}@{sender.message_domain}>"
    message["List-Id"] = f"{sender.list_name} <{sender.list_id}>"
    local, _, host = str(sender.unsubscribe_mailto).partition("@")
    message["List-Unsubscribe"] = (
        f"<{sender.public_url}/unsubscribe/{leave}>, <mailto:{local}+{leave_mail}@{host}?subject=unsubscribe>"
    )
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["List-Help"] = f"<{sender.public_url}/manage>"
    message["List-Post"] = "NO"
    message["Feedback-ID"] = f"m{mailing_id}:list-{sender.list_key}:{sender.feedback_id}"
    message["Precedence"] = "bulk"
    message["X-Newsletter-Delivery"] = ident
    message.set_content(fill(edition.text))
    message.add_alternative(fill(edition.html), subtype="html")
    message["Content-Language"] = edition.language
    return message
