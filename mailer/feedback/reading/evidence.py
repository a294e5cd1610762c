"""What ties a mail to a delivery of ours: found here as it stands, proven elsewhere by the keys (D18, D19, V03, V04).

The token of the address that it came to counts most, and survives upper case, quotes, SRS and BATV. Then ENVID, our
Message-ID and our header in the returned part, wherever in it they stand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mailer.feedback.model import Evidence
from mailer.feedback.reading.addresses import in_text

if TYPE_CHECKING:
    from mailer.feedback.reading.mime import Mail
    from mailer.feedback.reading.returned import Returned

_TO: Final = (
    "x-original-to",
    "delivered-to",
    "envelope-to",
    "x-envelope-to",
    "x-rcpt-to",
    "x-delivered-to",
    "x-real-to",
    "apparently-to",
    "x-forwarded-to",
    "x-resolved-to",
    "x-failed-to",
    "to",
    "cc",
    "resent-to",
)
_TOKEN: Final = re.compile(r"\+([0-9a-f]{24,64})(?==|@|\Z)", re.IGNORECASE)
_SHAPED: Final = re.compile(r"(?<![0-9a-z])([0-9a-f]{24,64})(?=@[a-z0-9.-]+|\Z)", re.IGNORECASE)
_OURS: Final = re.compile(
    r"^[ \t>]*X-Newsletter-Delivery:\s*([0-9a-f]{24,64})\b", re.IGNORECASE | re.MULTILINE
)
_MESSAGE_ID: Final = re.compile(r"<([0-9a-f]{24,64}@[a-z0-9.-]{1,255})>", re.IGNORECASE)
_ENVELOPE_ID: Final = re.compile(
    r"^[ \t>]*Original-Envelope-Id[ \t]*:[ \t]*(\S{1,100})", re.IGNORECASE | re.MULTILINE
)
_SES: Final = re.compile(
    r"<?([0-9a-f]{16}-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}-\d{6})@", re.IGNORECASE
)


def evidence_in(
    mail: Mail, returned: Returned, words: str, *, envelope_id: str = "", mail_from: str = ""
) -> Evidence:
    """Gather what may prove that this mail is about a delivery of ours; the texts are bounded already."""
    around = f"{returned.text}\n{words}"
    header = returned.header
    ids = header.all("message-id", "x-newsletter-delivery") + mail.header.all("in-reply-to", "references")
    ours = _OURS.search(around) or _MESSAGE_ID.search(" ".join(ids)) or _MESSAGE_ID.search(around)
    own = header.get("x-newsletter-delivery").strip()
    spelled = _ENVELOPE_ID.search(words)
    return Evidence(
        token=_token([*came_to(mail), *_routed(mail)])
        or _token(in_text(f"{mail_from} {header.get('return-path')}"[:2000])),
        envid=envelope_id or (spelled[1] if spelled else ""),
        message_id=own or (ours[1] if ours else header.get("message-id").strip(" <>")[:255]),
        relay_id=_relay(header.get("message-id"), mail, around),
    )


def came_to(mail: Mail) -> list[str]:
    """Give the addresses that a mail came to, the envelope's first."""
    return in_text("\n".join(value for name in _TO for value in mail.header.all(name)[:10])[:20000])


def _routed(mail: Mail) -> list[str]:
    received = " ".join(mail.header.all("received")[:10])
    return in_text(" ".join(re.findall(r"\bfor\s+<?([^\s<>;]{3,320})", received[:8000])))


def _token(addresses: list[str]) -> str:
    """Give what stands as a token in an address of ours, in lower case, through SRS and BATV."""
    for address in addresses:
        local = address.rpartition("@")[0]
        found = _TOKEN.search(local) or _TOKEN.search(f"{local}@")
        if found:
            return found[1].lower()
    return ""


def _relay(message_id: str, mail: Mail, around: str) -> str:
    """Give what the relay had called the message, where it says so in a way of its own."""
    named = mail.header.all("x-ses-message-id", "x-mailgun-message-id", "x-postmark-message-id", "x-sg-id")
    ses = _SES.search(message_id) or _SES.search(around)
    return (named[0] if named else ses[1] if ses else "").strip("<> ")[:200]
