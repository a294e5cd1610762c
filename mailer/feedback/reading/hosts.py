"""What particular providers mean by their words, as a table: the general ones would read these wrongly.

Each row has its source.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Saying(NamedTuple):
    """A provider, known by a host name or by a mark in its words, and what it means by certain words."""

    who: re.Pattern[str]
    words: re.Pattern[str]
    reason: str
    source: str


def _row(who: str, words: str, reason: str, source: str) -> Saying:
    return Saying(re.compile(who), re.compile(words), reason, source)


SAYINGS: Final = (
    _row(
        r"docomo\.ne\.jp",
        r"\b550 unknown user",
        "rejected",
        "docomo refuses by its reader's own filter in these words, after the body",
    ),
    _row(
        r"ezweb\.ne\.jp|au\.com",
        r"the user\(s\) account is (?:disabled|temporarily limited)",
        "suspend",
        "au (KDDI), the sentence above its list of addresses",
    ),
    _row(
        r"ezweb\.ne\.jp|au\.com|kddi",
        r"\b550 : user unknown",
        "filtered",
        "au (KDDI): a filter, not an unknown mailbox",
    ),
    _row(
        r"outlook\.com|hotmail|protection\.outlook|exchangelabs|prod\.outlook|office365",
        r"5\.4\.1 .{0,200}recipient address rejected: access denied",
        "userunknown",
        "Microsoft, NDR 5.4.1: directory based edge blocking",
    ),
    _row(
        r"google|gsmtp",
        r"5\.2\.1 .{0,80}(?:disabled|inactive)",
        "suspend",
        "Gmail SMTP error reference, 5.2.1",
    ),
    _row(
        r"google|gsmtp",
        r"4\.7\.28|5\.7\.28|unusual rate of",
        "toomanyconn",
        "Gmail SMTP error reference, 4.7.28",
    ),
    _row(r"ezweb\.ne\.jp|au\.com|kddi", r"\b550 <[^>]{3,200}>: user unknown", "userunknown", "au (KDDI)"),
    _row(
        r"yahoo|aol|verizonmedia|delivery error: dd",
        r"554 delivery error: dd (?:requested|this user)|no such user here",
        "userunknown",
        "Yahoo sender hub, SMTP error codes",
    ),
    _row(
        r"spectrum|charter\.net|twc\.com|roadrunner",
        r"sender rejected|e\d{4}",
        "toomanyconn",
        "Spectrum, AUP error codes",
    ),
    _row(
        r"icloud\.com|apple\.com|\.me\.com", r"\[cs01\]", "rejected", "Apple, postmaster page for iCloud Mail"
    ),
    _row(
        r"groups\.google|googlegroups",
        r"groups\.google\.com/support",
        "rejected",
        "Google Groups says in one text: no such group, or no right to post",
    ),
    _row(
        r"secureserver\.net",
        r"account does not exist|invalid recipient",
        "userunknown",
        "GoDaddy, workspace email bounce codes",
    ),
)


def said_by(host: str, said: str) -> str:
    """Give what a provider means by its words, or '' if the table does not know; `said` is in lower case."""
    named = f"{host.lower()} {said}"
    return next(
        (row.reason for row in SAYINGS if row.words.search(said) and row.who.search(named)),
        "",
    )
