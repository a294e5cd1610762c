"""The fields of a delivery status notification (RFC 3464, 6533), wherever they stand.

They are looked for in the part that should hold them and, where no such part is, in the text itself: Amazon WorkMail
and forwarded mails carry them there (D13). Fields come in any order and case, folded, misspelled; unknown ones are
ignored (D09).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from mailer.feedback.reading.addresses import in_field, tidy, unescaped
from mailer.feedback.reading.model import MOST_RECIPIENTS

ACTIONS: Final = {
    "failed": "failed",
    "failure": "failed",
    "fail": "failed",
    "bounced": "failed",
    "undeliverable": "failed",
    "expired": "failed",
    "hard": "failed",
    "delayed": "delayed",
    "delay": "delayed",
    "deferred": "delayed",
    "warning": "delayed",
    "delivered": "delivered",
    "deliverable": "delivered",
    "relayed": "delivered",
    "relay": "delivered",
    "expanded": "delivered",
    "expandable": "delivered",
}
"""What an Action says (D03), and what some mail systems write instead."""

_STATUS: Final = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?![\d.])")
_FIELDS: Final = re.compile(
    r"(final-recipient|original-recipient|action|ction|status|diagnostic-code|remote-mta|reporting-mta"
    r"|original-envelope-id|will-retry-until|x-actual-recipient|x-original-recipient|failed-recipient"
    r"|last-attempt-date|arrival-date|received-from-mta|x-supplementary-info|x-display-name|final-log-id"
    r"|x-postfix-[a-z-]+|x-outbound-mail-server|smtp-remote-recipient|dsn-gateway)[ \t]*:[ \t]*(.*)",
    re.IGNORECASE,
)
_STARTS: Final = ("final-recipient", "original-recipient", "failed-recipient")


@dataclass(frozen=True, slots=True)
class Told:
    """What a notification says of one recipient; `also` is the other address that it names (D06, D18)."""

    recipient: str
    also: str
    action: str
    status: str
    diagnosis: str
    remote: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification: its envelope id, the host that wrote it, and what it says of each recipient."""

    envelope_id: str
    reporter: str
    recipients: tuple[Told, ...]


def parsed(text: str) -> Notification | None:
    """Read the fields in a text; None if there is none that speaks of a recipient or of the whole message."""
    message: dict[str, str] = {}
    blocks: list[dict[str, str]] = [message]
    for line in _unfolded(text):
        if not line.strip():
            # An empty line ends a block, though some put one within.
            if _speaks_of_one(blocks[-1]) and "status" in blocks[-1] and len(blocks) < MOST_RECIPIENTS:
                blocks.append({})
            continue
        match = _FIELDS.match(line.lstrip())
        if match is None:
            continue
        name = {"ction": "action"}.get(match[1].lower(), match[1].lower())
        if name in _STARTS and _is_another(blocks[-1], name, match[2]):
            if len(blocks) >= MOST_RECIPIENTS:
                break
            blocks.append({})
        blocks[-1].setdefault(name, match[2].strip())
    return _notification(blocks)


def _unfolded(text: str) -> list[str]:
    plain = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n[ \t]+(?=\S)", " ", plain).split("\n")


def _speaks_of_one(block: dict[str, str]) -> bool:
    return any(name in block for name in (*_STARTS, "action"))


def _is_another(block: dict[str, str], name: str, value: str) -> bool:
    """Say whether a recipient's field opens the next block, for want of an empty line between them."""
    return (
        name in block and block[name] != value.strip() and any(key in block for key in ("action", "status"))
    )


def _notification(blocks: list[dict[str, str]]) -> Notification | None:
    whole: dict[str, str] = {}
    for block in blocks:
        whole = {**block, **whole}
    told = tuple(_told(block) for block in blocks if _speaks_of_one(block))
    if not told and "reporting-mta" not in whole:
        return None
    return Notification(whole.get("original-envelope-id", ""), _host(whole.get("reporting-mta", "")), told)


def _told(block: dict[str, str]) -> Told:
    final = in_field(block.get("final-recipient", "") or block.get("failed-recipient", ""))
    original = _original(block.get("original-recipient", "") or block.get("x-original-recipient", ""))
    words = re.split(r"[\s(]", block.get("action", "").strip().lower(), maxsplit=1)
    status = _STATUS.search(block.get("status", ""))
    comment = re.sub(r"^[\d.\s]+", "", block.get("status", "")).strip(" ()")
    diagnosis = block.get("diagnostic-code", "") or block.get("x-supplementary-info", "")
    diagnosis = diagnosis if not comment or comment in diagnosis else f"{diagnosis} ({comment})".strip()
    return Told(
        recipient=original or final,
        also=final if original and final.lower() != original.lower() else "",
        action=ACTIONS.get(words[0].rstrip(".,;"), "delayed" if "will-retry-until" in block else ""),
        status=status[1] if status else "",
        diagnosis=diagnosis,
        remote=_host(block.get("remote-mta", "")),
    )


def _original(value: str) -> str:
    address = in_field(value)
    return tidy(unescaped(address)) if "+" in address and "+2B" in address.upper() else address


def _host(value: str) -> str:
    return (
        value.partition(";")[2].strip().partition(" ")[0] if ";" in value else value.strip().partition(" ")[0]
    )
