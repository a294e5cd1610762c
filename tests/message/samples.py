"""Values that the tests of the message room share, and what every message must keep."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

from mailer.edition import Context, Edition, Slot
from mailer.keys import Key, Keys
from mailer.message import Message, Recipient, Sender
from mailer.message.press import Press

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.edition import Slotted
    from mailer.message.dkim import Signer

KEYS = Keys((Key(3, bytes(range(32))),))
NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
SENDER = Sender(
    from_name="The Weekly Kiln",
    from_address="news@kiln.example",
    list_key="main",
    list_name="The Weekly Kiln",
    list_id="main.kiln.example",
    public_url="https://mail.kiln.example",
    feedback_id="kiln-01",
    message_domain="kiln.example",
    reply_to="editor@kiln.example",
    return_path="bounces@kiln.example",
    unsubscribe_mailto="leave@kiln.example",
)
JANE = Recipient(40_012, 7, "jane@reader.example", "Jane Doe")

HTML: Slotted = ("<p>Hello</p>\n",)
TEXT: Slotted = ("Hello\n",)


def edition(
    html: Slotted = HTML, text: Slotted = TEXT, subject: Slotted = ("Glazes",), **more: Any
) -> Edition:
    """Give an edition of little content."""
    known = {"file": "72.md", "number": 72, "slug": "glazes", "preheader": "", "date": None}
    return Edition(
        **{**known, "language": "en", "direction": "ltr", **more}, html=html, text=text, subject=subject
    )


def press(
    of: Edition | None = None,
    sender: Sender = SENDER,
    signers: Sequence[Signer] = (),
    unsigned: frozenset[str] = frozenset(),
) -> Press:
    """Give a press for mailing 72."""
    return Press(of or edition(), sender, 72, KEYS, signers, NOW, unsigned=unsigned)


def parsed(message: Message) -> EmailMessage:
    """Read a message as the standard library does."""
    parsed = email.message_from_bytes(message.content, policy=email.policy.SMTP)
    assert isinstance(parsed, EmailMessage)
    return parsed


def content(message: Message, kind: str) -> str:
    """Give the decoded text ("plain") or HTML ("html") of a message."""
    part = parsed(message).get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def raw_header(message: Message, name: str) -> str:
    """Give a field's value as it stands in the octets, unfolded."""
    head = message.content.partition(b"\r\n\r\n")[0].decode()
    lines = re.sub(r"\r\n(?=[ \t])", "", head).split("\r\n")
    (found,) = (line for line in lines if line.lower().startswith(f"{name.lower()}:"))
    return found[len(name) + 1 :].strip()


def mailbox_of(message: Message, name: str) -> tuple[str, str]:
    """Give the name and the address of a mailbox field.

    The parser of the standard library that policy SMTP uses keeps the space between two encoded-words, which RFC
    2047 (section 6.2) says to drop; the older one drops it.
    """
    phrase, spec = parseaddr(raw_header(message, name))
    return str(make_header(decode_header(phrase))), spec


def slot(name: str, context: Context = Context.HTML, default: str = "") -> Slot:
    """Give a slot for an attribute or a link."""
    return Slot(name, context, default)


def check_octets(message: Message) -> None:
    """What every message promises of its octets (S01, S02, S03, E07, K09)."""
    octets = message.content
    assert octets.endswith(b"\r\n")
    assert b"\0" not in octets
    assert b"\r" not in octets.replace(b"\r\n", b"")
    assert b"\n" not in octets.replace(b"\r\n", b"")
    lines = octets.split(b"\r\n")
    assert not any(line.startswith((b".", b"From ")) for line in lines)
    assert max(map(len, lines)) <= 998
    assert all(
        len(line) <= 76
        for line in lines
        if b"@" not in line and b"/" not in line and not line.startswith(b"--")
    )
    head, _, body = octets.partition(b"\r\n\r\n")
    assert body.isascii()
    assert head.isascii() or message.smtputf8
    assert not any(line.endswith((b" ", b"\t")) for line in body.split(b"\r\n"))
    assert b"  " not in body
    assert b"\t" not in body
    assert not re.search(rb"\r\n[ \t]*\r\n", head)
    assert re.fullmatch(r"[!-~]{1,38}", message.envid)
