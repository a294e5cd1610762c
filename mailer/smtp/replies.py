"""Read a relay's replies: the cause of one that is not positive, and the relay's own name for a message it took.

Pure functions over tables. Promises: an answer for every reply, never an exception; what no row knows is
judged by its first digit (S12).
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from mailer.smtp.causes import ALL, FOLDER, ROWS, SES, Cause

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.smtp.model import Reply
    from mailer.smtp.relay import Kind

__all__ = ["Cause", "classify", "relay_id"]


def classify(kind: Kind, reply: Reply, refused_at: str = "") -> Cause:
    """Give the cause of a reply that is not positive.

    `refused_at` is Exchange.refused_at, SessionLost.at or ConnectRefused.stage; "" is the answer to a body.
    """
    at = refused_at or "final"
    for row in ROWS:
        if row.matches(kind, reply, at):
            return row.cause
    return Cause.DEFERRED  # a positive answer that stood where none may: nothing is known against the reader


# Where relays put their own name for a message into the final reply; the first that matches decides.
_IDS: tuple[tuple[tuple[Kind, ...], re.Pattern[str], str], ...] = (
    (FOLDER, re.compile(r"(\S+\.eml)"), "folder.py: the file's name"),
    (
        SES,
        re.compile(r"^ok:?\s+(\S+)", re.IGNORECASE),
        "Amazon SES Developer Guide, SMTP response codes: 250 Ok MessageID",
    ),
    (
        ALL,
        re.compile(r"queued(?: mail)?(?: for delivery)? as:?\s+<?([^\s<>;,]+)", re.IGNORECASE),
        "Postfix, src/smtpd/smtpd.c: Ok: queued as",
    ),
    (ALL, re.compile(r"\bid=<?([^\s<>;,]+)", re.IGNORECASE), "Exim, src/receive.c: 250 OK id=..."),
    (
        ALL,
        re.compile(r"^ok ids=([A-Za-z0-9]+)", re.IGNORECASE),
        "KumoMTA, crates/kumod/src/smtp_server.rs: OK ids=",
    ),
    (
        ALL,
        re.compile(r"<([^\s<>@]+@[^\s<>@]+)>\s*(?:\[InternalId|queued)", re.IGNORECASE),
        "Exchange: 250 2.6.0 <id>",
    ),
    (
        ALL,
        re.compile(r"^ok\s+\d+\s+(\S+)\s+-\s+gsmtp", re.IGNORECASE),
        "Gmail: 250 2.0.0 OK 1700000000 ID - gsmtp",
    ),
    (
        ALL,
        re.compile(r"^([A-Za-z0-9]{8,20})\s+message accepted", re.IGNORECASE),
        "Sendmail, 250 2.0.0 ID Message accepted",
    ),
    (
        ALL,
        re.compile(r"^ok:?\s+([A-Za-z0-9][\w.@=+-]{7,})$", re.IGNORECASE),
        "RFC 5321 leaves it free: Ok, then a word",
    ),
)
MAX_ID = 200


_BARE = re.compile(r"\w*").fullmatch  # a word by itself is no name


@cache
def _searches(kind: Kind) -> tuple[Callable[[str], re.Match[str] | None], ...]:
    return tuple(pattern.search for kinds, pattern, _source in _IDS if kind in kinds)


def relay_id(kind: Kind, reply: Reply) -> str:
    """Give the relay's own name for the message out of its final 250, or "" where it names none."""
    text = reply.text
    if _BARE(text):
        return ""
    for search in _searches(kind):
        if match := search(text):
            return match[1].rstrip(".")[:MAX_ID]
    return ""
