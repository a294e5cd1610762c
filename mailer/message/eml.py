"""A message as a file: what the folder relay and `mailer compile` write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer.message.model import Message, Recipient

if TYPE_CHECKING:
    from mailer.message.press import Press

NOBODY: Final = Recipient(
    subscriber_id=0, list_id=0, email="jane.reader@example.com", name="Jane Reader", attributes={}
)
"""The reader of a sample: invented, and subscriber 0, on whom no link acts."""


def sample(press: Press) -> Message:
    """Give the message that an invented reader would get."""
    return press.message(NOBODY)


def to_eml(message: Message) -> bytes:
    """Give the octets of an .eml file: exactly what goes over the wire, CRLF line ends included."""
    return message.content
