"""The notice: what came back about one recipient, from whatever channel, in one vocabulary.

Whoever reads a mail or a provider's report makes notices; what a notice means is decided in one place and applied in
one place. A notice changes nothing unless its evidence proves that we mailed that reader.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class Kind(StrEnum):
    """What a mail or a report is."""

    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTOREPLY = "autoreply"  # a vacation notice, a challenge, a ticket system
    DELIVERED = "delivered"  # a positive DSN, or a provider's word that it arrived
    UNSUBSCRIBE = "unsubscribe"
    REPLY = "reply"  # written by a person: it reaches one
    NOT_BOUNCE = "not-bounce"  # understood, and none of the above


class Permanence(StrEnum):
    """Whether the failure is one for good (5.x), for now (4.x), or none."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What ties a notice to a delivery. Only `token`, `envid`, `message_id` and `relay_id` can prove anything.

    `token` is the mail token of the address it came to (VERP or unsubscribe mailbox), as it stood there; `envid` and
    `message_id` are ours if their tokens prove genuine; `relay_id` is what a relay or provider called the message.
    """

    token: str = ""
    envid: str = ""
    message_id: str = ""
    relay_id: str = ""
    provider: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that came back about one recipient.

    `reason` is of Sisimai's vocabulary ('' where none applies); `final` False means still trying, None unknown;
    `hardbounce` means that the address is dead; `status` is an enhanced status code (RFC 3463) or ''; `reply` the
    remote server's words, bounded; `key` makes the same report, heard twice, count once.
    """

    kind: Kind
    recipient: str = ""
    reason: str = ""
    permanence: Permanence = Permanence.NONE
    final: bool | None = None
    hardbounce: bool = False
    status: str = ""
    reply: str = ""
    at: datetime | None = None
    key: str = ""
    feedback: str = ""  # of a complaint: abuse, opt-out, not-spam, auth-failure ... (RFC 5965)
    evidence: Evidence = field(default_factory=Evidence)
