"""The header of a mailing's messages, as fields of fixed octets and tokens.

Follows RFC 5322; RFC 2369 and 2919 for List-*; RFC 8058 for one-click unsubscribe; RFC 5064 for Archived-At. Decided:
List-Post says NO, for only the sender writes to this list (L03); Precedence is bulk, which stops vacation programs
that know nothing of List-* (L08); Auto-Submitted is not set, for a person wrote this (A01). X-Newsletter-Delivery
carries the token of Message-ID and ENVID once more, for bounces that return some headers only (V04).
"""

from __future__ import annotations

import re
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias
from urllib.parse import quote

from mailer.errors import Problem, UserError
from mailer.keys import Purpose
from mailer.message.header import LONGEST_LOCAL, address, ascii_form, field, list_id, mailbox, unstructured
from mailer.message.links import MANAGE, PATHS
from mailer.message.value import clean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from mailer.edition.model import Edition
    from mailer.message.model import Sender
    from mailer.message.readings import Readings

DELIVERY: Final = "X-Newsletter-Delivery"
"""The field that carries the Message-ID's token for (subscriber, mailing)."""

LONGEST_TOKEN: Final = 38
Parts: TypeAlias = "tuple[bytes | int, ...]"


class Field(NamedTuple):
    """A field: octets and numbers of tokens, with its name and CRLF; no parts at all where it is made per reader."""

    name: str
    parts: Parts

    @property
    def is_fixed(self) -> bool:
        """Whether every message has the same."""
        return self.parts != () and all(isinstance(part, bytes) for part in self.parts)


def fields(
    edition: Edition, sender: Sender, mailing_id: int, readings: Readings, now: datetime
) -> Iterator[Field]:
    """Give the fields of every message, in order; Subject has no parts if it holds a slot."""
    yield _fixed("From", mailbox("From", clean(sender.from_name), address(sender.from_address)))
    yield Field("To", ())
    if sender.reply_to:
        yield _fixed("Reply-To", mailbox("Reply-To", "", address(sender.reply_to)))
    yield subject(edition)
    yield _fixed("Date", date(now))
    token = readings.mail_token(Purpose.MESSAGE_ID)
    right = f"@{domain(sender.message_domain)}>\r\n".encode("ascii")
    yield Field("Message-ID", (b"Message-ID: <", token, right))
    yield _fixed("MIME-Version", field("MIME-Version", "1.0"))
    yield from _about(edition)
    yield from _list_fields(sender, readings)
    yield _fixed("Feedback-ID", field("Feedback-ID", feedback_id(sender, mailing_id)))
    yield _fixed("Precedence", field("Precedence", "bulk"))
    yield Field(DELIVERY, (f"{DELIVERY}: ".encode("ascii"), token, b"\r\n"))


def subject(edition: Edition) -> Field:
    """Give the subject, encoded if every reader has the same."""
    if not all(isinstance(part, str) for part in edition.subject):
        return Field("Subject", ())
    text = "".join(part for part in edition.subject if isinstance(part, str))
    return _fixed("Subject", unstructured("Subject", text))


def date(now: datetime) -> bytes:
    """Give the Date field; `now` knows its zone (S15)."""
    if now.utcoffset() is None:
        raise ValueError("Date needs an instant with a time zone")
    return field("Date", format_datetime(now))


def feedback_id(sender: Sender, mailing_id: int) -> str:
    """Give `mailing:list:sender` (G17): no field repeats another, none speaks of a reader."""
    key = re.sub(r"[^A-Za-z0-9._-]", "-", sender.list_key)
    return f"m{mailing_id}:list-{key}:{re.sub(r'[^A-Za-z0-9._-]', '-', sender.feedback_id)}"


def domain(text: str) -> str:
    """Give a domain of the sender in A-labels, or raise UserError."""
    name = ascii_form(text)
    if not name:
        raise UserError(Problem(f"{text!r} is no domain name", key="message_domain"))
    return name


def tagged(email: str, key: str) -> tuple[str, str]:
    """Give what stands before and after the token of `local+TOKEN@domain` (V01); raises UserError if it is too long."""
    local, _, host = address(email).text.rpartition("@")
    if len(local) + 1 + LONGEST_TOKEN > LONGEST_LOCAL or not re.fullmatch(r"[A-Za-z0-9._+=-]+", local):
        message = (
            f"{email!r} must have at most 25 letters, digits or ._+=- before its @: a token is put there"
        )
        raise UserError(Problem(message, key=key))
    return f"{local}+", f"@{host}"


def _fixed(name: str, octets: bytes) -> Field:
    return Field(name, (octets,))


def _about(edition: Edition) -> Iterator[Field]:
    if re.fullmatch(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,4}", edition.language):
        yield _fixed("Content-Language", field("Content-Language", edition.language))
    url = quote(edition.canonical or "", safe="!#$%&'()*+,/:;=?@[]~")
    if re.match(r"https?://", url) and len(url) <= 900:
        yield _fixed("Archived-At", field("Archived-At", f"<{url}>"))


def _list_fields(sender: Sender, readings: Readings) -> Iterator[Field]:
    yield _fixed("List-Id", list_id(clean(sender.list_name), sender.list_id))
    yield Field("List-Unsubscribe", _unsubscribe(sender, readings))
    if sender.public_url.startswith("https:"):  # one click is for https alone (U01)
        yield _fixed("List-Unsubscribe-Post", field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    yield _fixed("List-Help", field("List-Help", f"<{sender.public_url}{MANAGE}>"))
    yield _fixed("List-Post", field("List-Post", "NO"))


def _unsubscribe(sender: Sender, readings: Readings) -> Parts:
    start = f"List-Unsubscribe: <{sender.public_url}{PATHS[Purpose.UNSUBSCRIBE]}".encode("ascii")
    web: Parts = (start, readings.link_token(Purpose.UNSUBSCRIBE))
    if not sender.unsubscribe_mailto:
        return (*web, b">\r\n")
    before, after = tagged(sender.unsubscribe_mailto, "unsubscribe_mailto")
    # Folded after the comma, never within a URI (L07).
    mail = f">,\r\n <mailto:{quote(before, safe='+')}".encode("ascii")
    return (
        *web,
        mail,
        readings.mail_token(Purpose.UNSUBSCRIBE),
        f"{after}?subject=unsubscribe>\r\n".encode("ascii"),
    )
