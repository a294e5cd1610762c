"""What the message room takes and gives: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})


class Recipient(NamedTuple):
    """One reader of one mailing, as the message needs them. `email` is already normalised and valid."""

    subscriber_id: int
    list_id: int
    email: str
    name: str = ""
    language: str | None = None
    attributes: Mapping[str, object] = _NOTHING


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a mailing comes from. Addresses are `local@domain`, names are any text.

    `return_path` may be None: then the envelope sender is `from_address`. Where it is set, as
    `bounces@example.org`, each message has its own: `bounces+TOKEN@example.org` (VERP).
    `unsubscribe_mailto` is None where no mailbox takes such mails; else `leave@example.org` is offered as
    `mailto:leave+TOKEN@example.org`.
    """

    from_name: str
    from_address: str
    list_key: str
    list_name: str
    list_id: str
    public_url: str
    feedback_id: str
    message_domain: str
    reply_to: str | None = None
    return_path: str | None = None
    unsubscribe_mailto: str | None = None


class Message(NamedTuple):
    """The bytes for one reader, ready for DATA: CRLF lines, no line begins with a dot, none passes 998 octets.

    `content` is written to the wire as it is (no dot-stuffing needed) and ends in CRLF.
    """

    mail_from: str
    recipient: str
    content: bytes
    message_id: str
    envid: str
    smtputf8: bool = False
