"""Codes that remote servers give, as tables: enhanced status codes and SMTP replies (RFC 3463, 5248, 5321).

A code decides where words do not. An enhanced code of the remote server's own words is worth more than the Status
field, which mail systems fill in by guess: Sendmail writes 5.1.1 below every 550 (D08).
"""

from __future__ import annotations

import re
from typing import Final

BY_STATUS: Final = {
    "1.0": "userunknown",  # other address status; Cisco writes #5.1.0 Address rejected
    "1.1": "userunknown",
    "1.2": "hostunknown",
    "1.3": "userunknown",  # bad destination mailbox address syntax
    "1.4": "filtered",  # ambiguous: it reached nobody in particular
    "1.5": "userunknown",
    "1.6": "hasmoved",
    "1.7": "rejected",
    "1.8": "rejected",
    "1.10": "notaccept",  # RFC 7505: null MX
    "2.0": "filtered",
    "2.1": "suspend",  # disabled, not accepting messages
    "2.2": "mailboxfull",
    "2.3": "exceedlimit",
    "2.4": "filtered",
    "3.0": "systemerror",
    "3.1": "systemfull",
    "3.2": "systemerror",  # not accepting network messages: down for now, by RFC 3463, not gone
    "3.3": "systemerror",
    "3.4": "mesgtoobig",
    "3.5": "systemerror",
    "4.0": "networkerror",
    "4.1": "expired",  # no answer from host
    "4.2": "expired",  # bad connection
    "4.3": "systemerror",  # directory server failure
    "4.4": "hostunknown",  # unable to route
    "4.5": "toomanyconn",  # congestion
    "4.6": "networkerror",  # a loop
    "4.7": "expired",
    "5.0": "syntaxerror",
    "5.1": "syntaxerror",
    "5.2": "syntaxerror",
    "5.3": "toomanyconn",  # too many recipients
    "5.4": "syntaxerror",
    "6.0": "contenterror",
    "6.1": "contenterror",
    "6.2": "contenterror",
    "6.3": "contenterror",
    "6.5": "contenterror",
    "7.0": "securityerror",
    "7.1": "rejected",  # delivery not authorised: a policy, whoever's
    "7.2": "rejected",  # not on the mailing list
    "7.4": "securityerror",
    "7.5": "securityerror",
    "7.7": "securityerror",
    "7.8": "securityerror",
    "7.9": "policyviolation",
    "7.13": "suspend",  # RFC 5248: user account disabled
    "7.17": "userunknown",  # RFC 7293: the mailbox has another owner now
    "7.20": "authfailure",  # RFC 7372
    "7.21": "authfailure",
    "7.22": "authfailure",
    "7.23": "authfailure",
    "7.24": "authfailure",
    "7.25": "requireptr",
    "7.26": "authfailure",
    "7.27": "notaccept",  # RFC 7505: the sender's domain has a null MX
    # Microsoft's own, from the list of non-delivery reports in Exchange Online.
    "1.90": "toomanyconn",
    "2.121": "toomanyconn",
    "2.122": "toomanyconn",
    "4.14": "networkerror",
    "4.300": "expired",
    "4.310": "hostunknown",
    "4.312": "networkerror",
    "4.316": "networkerror",
    "4.317": "securityerror",
    "4.318": "systemerror",
    "7.12": "rejected",
    "7.54": "norelaying",
    "7.57": "securityerror",
    "7.64": "norelaying",
    "7.124": "rejected",
    "7.133": "rejected",
    "7.134": "rejected",
    "7.135": "rejected",
    "7.136": "rejected",
    "7.501": "rejected",
    "7.502": "rejected",
    "7.503": "rejected",
    "7.504": "suspend",
    "7.505": "suspend",
    "7.506": "blocked",
    "7.507": "blocked",
    "7.508": "toomanyconn",
    "7.510": "blocked",
    "7.513": "blocked",
    "7.750": "rejected",
}
"""Subject and detail of an enhanced status code, without its class."""

BY_REPLY: Final = {
    "421": "blocked",
    "450": "onhold",
    "451": "systemerror",
    "452": "systemfull",
    "501": "syntaxerror",
    "502": "syntaxerror",
    "503": "syntaxerror",
    "530": "securityerror",
    "534": "securityerror",
    "535": "securityerror",
    "551": "userunknown",  # user not local
    "552": "mailboxfull",  # exceeded storage allocation
    "556": "notaccept",  # RFC 7504
}
"""What is left when there is a three-digit code and nothing else; 550, 553 and 554 are said for everything."""

STATUS: Final = re.compile(r"(?<![\d.])([45])\.(\d{1,3})\.(\d{1,3})(?![\d.]*\d)")
REPLY: Final = re.compile(
    r"(?<![\d.:/\w])([45][0-57]\d)(?=[ \-:;,#\])'\"]|$)(?![ ]?(?:hours?|days?|minutes?|seconds?|bytes|kb|mb)\b)"
)


def statuses(text: str) -> list[str]:
    """Give the enhanced codes in a text, in order; what is part of an IP address is none."""
    return [match[0] for match in STATUS.finditer(text) if int(match[2]) < 8]


def replies(text: str) -> list[str]:
    """Give the SMTP reply codes in a text, in order."""
    return REPLY.findall(text)


def reason_of(status: str) -> str:
    """Give the reason that an enhanced code names, or ''; x.0.0 names none."""
    return BY_STATUS.get(status.partition(".")[2], "")


def is_specific(status: str) -> bool:
    """Say whether a status says more than its class."""
    return bool(status) and not status.endswith(".0.0")
