"""Whose word is a reply, and what does it ask of us? Tables by kind of relay, each row with its source.

A relay answers for itself (its quota, its disk, our rights) and for the far host, in the same three digits.
Who takes the one for the other slows a domain for a fault of the relay, or refuses a reader because a
password was wrong. Pure; never raises; what no row knows is judged by its first digit (S12).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from mailer.smtp.relay import Kind

if TYPE_CHECKING:
    from mailer.smtp.model import Reply


class Cause(StrEnum):
    """Why a reply was not positive. The first four speak of the relay, the others of the far host or the reader."""

    RELAY_BUSY = "relay-busy"  # slow down, soon again
    RELAY_QUOTA = "relay-quota"  # an allowance is used up: hours
    RELAY_DOWN = "relay-down"  # leave it alone for a while
    RELAY_REFUSES_US = "relay-refuses-us"  # only its operator or ours can mend it
    FAR_BUSY = "far-busy"  # slow down for this domain
    DEFERRED = "deferred"  # later, for this reader
    REFUSED = "refused"  # never, for this reader


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a relay says. An empty field matches anything; `text` is searched for without regard to case."""

    kinds: tuple[Kind, ...]
    codes: tuple[int, ...]
    text: str
    cause: Cause
    source: str
    at: tuple[str, ...] = ()

    def matches(self, kind: Kind, reply: Reply, at: str) -> bool:
        """Say whether this row speaks of this reply."""
        return (
            (not self.kinds or kind in self.kinds)
            and (not self.codes or reply.code in self.codes)
            and (not self.at or at in self.at)
            and (
                not self.text
                or re.search(self.text, f"{reply.enhanced} {reply.text}", re.IGNORECASE) is not None
            )
        )


SES, POSTFIX, SMTP, DIRECT = (Kind.SES,), (Kind.POSTFIX,), (Kind.SMTP,), (Kind.DIRECT,)
OURS = (
    Kind.SES,
    Kind.POSTFIX,
    Kind.SMTP,
)  # relays that take mail for others; a direct server is the far host itself
CONNECTING = ("greeting", "hello", "tls", "auth")
_ROWS: tuple[Row, ...] = ()


def classify(kind: Kind, reply: Reply, refused_at: str = "") -> Cause:
    """Give the cause of a reply that is not positive.

    `refused_at` is Exchange.refused_at, "" (or final) for the answer to a body, or a Stage of connecting.
    """
    at = refused_at or "final"
    for row in _ROWS:
        if row.matches(kind, reply, at):
            return row.cause
    return Cause.DEFERRED if reply.code < 500 else Cause.REFUSED
