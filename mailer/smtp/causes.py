"""What relays and far hosts say, as a table: whose word is it, and what does it ask of us? Each row has its source.

A relay answers for itself (its quota, its disk, our rights) and for the far host, in the same three digits.
Who takes the one for the other slows a domain for a fault of the relay, or refuses 40,000 readers because a
password was wrong.
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
    """One thing that a relay says: `text` is looked for in "enhanced text"; no `at` means anywhere."""

    kinds: tuple[Kind, ...]
    at: tuple[str, ...]
    codes: range
    text: re.Pattern[str]
    cause: Cause
    source: str

    def matches(self, kind: Kind, reply: Reply, at: str) -> bool:
        """Say whether this row speaks of this reply."""
        return (
            kind in self.kinds
            and (not self.at or at in self.at)
            and reply.code in self.codes
            and self.text.search(f"{reply.enhanced} {reply.text}") is not None
        )


SES, POSTFIX, SMTP, DIRECT, FOLDER = (
    (Kind.SES,),
    (Kind.POSTFIX,),
    (Kind.SMTP,),
    (Kind.DIRECT,),
    (Kind.FOLDER,),
)
OURS = (*SES, *POSTFIX, *SMTP)  # they take mail for others; a direct server is the far host itself
ALL = tuple(Kind)
ANYWHERE: tuple[str, ...] = ()
CONNECTING = ("connect", "greeting", "hello", "tls", "auth")
FOR_READER = ("rcpt", "final")  # where the answer may be about this one reader
TEMPORARY, PERMANENT, ANY = range(400, 500), range(500, 600), range(400, 600)


def _row(
    kinds: tuple[Kind, ...], at: tuple[str, ...], codes: range | int, text: str, cause: Cause, source: str
) -> Row:
    exact = range(codes, codes + 1) if isinstance(codes, int) else codes
    return Row(kinds, at, exact, re.compile(text, re.IGNORECASE), cause, source)


BUSY, QUOTA, DOWN, REFUSES_US = Cause.RELAY_BUSY, Cause.RELAY_QUOTA, Cause.RELAY_DOWN, Cause.RELAY_REFUSES_US
FAR_BUSY, DEFERRED, REFUSED = Cause.FAR_BUSY, Cause.DEFERRED, Cause.REFUSED

_KUMO = "KumoMTA, crates/kumod/src/smtp_server.rs"
_SES = "Amazon SES Developer Guide, SMTP response codes"
_SES_QUOTA = "Amazon SES Developer Guide, errors related to sending quotas"
_SMTPD = "Postfix, src/smtpd/smtpd.c"
_SMTPD_CHECK = "Postfix, src/smtpd/smtpd_check.c"

# The first row that matches decides, so what is particular stands above what is general.
ROWS: tuple[Row, ...] = (
    # What this program says itself, before anything went out (wire.py, folder.py).
    _row(ALL, ANYWHERE, PERMANENT, r"^5\.6\.7 ", REFUSED, "RFC 6531, section 3.5: no way to this reader"),
    _row(ALL, ANYWHERE, PERMANENT, r"^5\.1\.7 ", REFUSES_US, "RFC 3463: the sender's address is wrong"),
    _row(FOLDER, ANYWHERE, TEMPORARY, r"", DOWN, "folder.py: the disk is full, or writing is not allowed"),
    # Amazon SES.
    _row(SES, ANYWHERE, 454, r"daily message quota", QUOTA, _SES_QUOTA),
    _row(SES, ANYWHERE, 454, r"throttling|sending rate", BUSY, _SES_QUOTA),
    _row(SES, ANYWHERE, 421, r"too many concurrent|maximum message count", BUSY, _SES),
    _row(SES, ANYWHERE, 451, r"", BUSY, f"{_SES}: temporary service failure, or our own slowness"),
    _row(SES, ANYWHERE, PERMANENT, r"not verified|access denied|not authorized", REFUSES_US, _SES),
    _row(SES, ANYWHERE, PERMANENT, r"paused|suspended|sandbox", REFUSES_US, "SES FAQ, account is paused"),
    # Postfix. It queues first, so a word about a rate or a disk is about us and it.
    _row(POSTFIX, ANYWHERE, 452, r"^4\.3\.1 ", BUSY, f"{_SMTPD_CHECK}: queue_minfree is reached"),
    _row(
        POSTFIX,
        ANYWHERE,
        TEMPORARY,
        r"queue file write error",
        BUSY,
        "Postfix, src/global/cleanup_strerror.c",
    ),
    _row(POSTFIX, ANYWHERE, 452, r"^4\.5\.3 ", BUSY, f"{_SMTPD}: smtpd_recipient_limit"),
    _row(
        POSTFIX,
        ANYWHERE,
        TEMPORARY,
        r"too much mail|too many recipients from",
        BUSY,
        f"{_SMTPD}: anvil limits",
    ),
    _row(POSTFIX, ANYWHERE, 421, r"too many (connections|errors)", BUSY, f"{_SMTPD}: anvil and error limits"),
    _row(
        POSTFIX, ANYWHERE, TEMPORARY, r"^4\.3\.5 ", REFUSES_US, f"{_SMTPD_CHECK}: server configuration error"
    ),
    _row(POSTFIX, ANYWHERE, TEMPORARY, r"ports are busy|^4\.3\.[02] ", DOWN, f"{_SMTPD}, postscreen"),
    # What relays of all makes say about us rather than about a reader.
    _row(
        OURS,
        ANYWHERE,
        ANY,
        r"relay(ing)?( access)? (is )?denied|(not|unable) (permitted )?to relay|relaying not permitted",
        REFUSES_US,
        f"{_SMTPD_CHECK}; {_KUMO}",
    ),
    _row(
        OURS,
        FOR_READER,
        TEMPORARY,
        r"^4\.5\.3 .*\bon this conn",
        BUSY,
        f"{_KUMO}: max_messages_per_connection",
    ),
    _row(
        OURS,
        ANYWHERE,
        ANY,
        r"authenticat(ion|e) (is )?(required|failed|credentials)|must (issue|use) .*starttls",
        REFUSES_US,
        "RFC 4954, section 6; RFC 3207, section 4",
    ),
    _row(
        OURS, ANYWHERE, ANY, r"(client host|helo command|sender address) rejected", REFUSES_US, _SMTPD_CHECK
    ),
    _row(OURS, ANYWHERE, range(530, 536), r"", REFUSES_US, "RFC 4954, section 6: 530, 534, 535"),
    _row(
        OURS,
        ANYWHERE,
        ANY,
        r"(dai|hour|month)ly .*(limit|quota)|(sending|message|account).{0,20} quota",
        QUOTA,
        "Gmail 550 5.4.5 and other providers' pages of SMTP errors",
    ),
    _row(
        OURS,
        ANYWHERE,
        TEMPORARY,
        r"per second|(send|sending|submission|message) rate|throttl",
        BUSY,
        "providers' pages of SMTP errors (452 4.4.5)",
    ),
    _row(OURS, ("mail",), PERMANENT, r"", REFUSES_US, "RFC 5321, section 4.3.2: before a reader is named"),
    # The far host, spoken of by a relay that passes its answers on, or speaking itself.
    _row(
        (*SMTP, *DIRECT),
        FOR_READER,
        TEMPORARY,
        r"gr[ae]y-?list",
        DEFERRED,
        "RFC 6647, section 2: later, this reader only",
    ),
    _row(
        (*SMTP, *DIRECT),
        FOR_READER,
        421,
        r"connections|session|shut|^4\.3\.",
        BUSY,
        "RFC 3463, section 3.4: the system itself",
    ),
    _row(
        (*SMTP, *DIRECT),
        FOR_READER,
        TEMPORARY,
        r"^4\.7\.|too (many|much|fast)|\brate|slow down|TSS?0",
        FAR_BUSY,
        "Gmail 4.7.28, Yahoo TS01-TS04, Microsoft 4.7.500-699: sending too fast",
    ),
    _row(DIRECT, ANYWHERE, 421, r"", FAR_BUSY, "RFC 5321, section 3.8"),
    _row(DIRECT, CONNECTING, TEMPORARY, r"", FAR_BUSY, "RFC 5321, section 4.3.2"),
    # Connecting and losing a connection, whoever it is.
    _row(ALL, ("auth",), TEMPORARY, r"", DOWN, "RFC 4954, section 6: 454 temporary authentication failure"),
    _row(ALL, CONNECTING, PERMANENT, r"", REFUSES_US, "RFC 5321, section 3.1: 554 no SMTP service for us"),
    _row(
        ALL,
        ("mail", *CONNECTING),
        TEMPORARY,
        r"too (many|much|fast)|\brate|concurren|try .*slow",
        BUSY,
        "RFC 3463: 4.7.0, 4.4.5, 4.3.2",
    ),
    _row(ALL, CONNECTING, TEMPORARY, r"", DOWN, "RFC 5321, section 4.3.2: 421 service not available"),
    _row(ALL, ANYWHERE, 421, r"too (many|much|fast)|\brate|concurren", BUSY, "RFC 5321, section 3.8"),
    _row(ALL, ANYWHERE, 421, r"", DOWN, "RFC 5321, section 3.8: closing the channel"),
    _row(OURS, ("mail",), TEMPORARY, r"", BUSY, "RFC 5321, section 4.3.2: 451, 452 before a reader is named"),
    _row(OURS, ANYWHERE, 452, r"^4\.3\.1 |system storage", BUSY, "RFC 3463, section 3.4: mail system full"),
    # What is left is about the reader (S12).
    _row(ALL, ANYWHERE, TEMPORARY, r"", DEFERRED, "RFC 5321, section 4.2.1: transient negative"),
    _row(ALL, ANYWHERE, PERMANENT, r"", REFUSED, "RFC 5321, section 4.2.1: permanent negative"),
)
