"""What particular providers mean by their words, as a table: the general ones would read these wrongly.

Each row has its source.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Saying(NamedTuple):
    """A provider, known by a part of a host name or by a mark in its words, and what it means by certain words."""

    who: tuple[str, ...]  # any of these; looked for first, for that is quick
    words: re.Pattern[str]
    reason: str
    source: str


def _row(who: str, words: str, reason: str, source: str) -> Saying:
    return Saying(tuple(who.split()), re.compile(words), reason, source)


_FRENCH: Final = r"(?:ofr|lpn|ouk)(?:[0-9a-z]{3})?_?"

SAYINGS: Final = (
    _row("ofr lpn ouk", rf"\b{_FRENCH}41[68]\b", "userunknown", "Orange and La Poste, OFR and LPN codes"),
    _row("ofr lpn ouk", rf"\b{_FRENCH}417\b", "mailboxfull", "Orange and La Poste"),
    _row("ofr lpn ouk", rf"\b{_FRENCH}42[06]\b", "suspend", "Orange and La Poste"),
    _row("ofr lpn ouk", rf"\b{_FRENCH}(?:40[35]|415|421)\b", "rejected", "Orange and La Poste: the sender"),
    _row("ofr lpn ouk", rf"\b{_FRENCH}(?:401|517)\b", "authfailure", "Orange and La Poste"),
    _row("ofr lpn ouk", rf"\b{_FRENCH}104\b", "toomanyconn", "Orange and La Poste"),
    _row("ofr lpn ouk", rf"\b{_FRENCH}514\b", "mesgtoobig", "Orange and La Poste"),
    _row("facebook", r"\b(?:rcp-p1|int-p[134])\b", "userunknown", "Facebook, response codes"),
    _row("facebook", r"\brcp-p[23]\b", "filtered", "Facebook, response codes"),
    _row("facebook", r"\bpol-[pt][1-4]\b", "blocked", "Facebook, response codes"),
    _row("facebook", r"\b(?:con-t\d|msg-t1)\b", "toomanyconn", "Facebook, response codes"),
    _row("facebook", r"\bdns-[pt][12]\b", "rejected", "Facebook, response codes"),
    _row(
        "aup#",
        r"\baup#(?:cxbl|cdrbl|ipbl\d|\w{0,3}-?(?:1000|12\d\d))",
        "blocked",
        "Cox and Spectrum, AUP codes",
    ),
    _row("aup#", r"\baup#(?:cxdns|\w{0,3}-?11[0-5]\d)", "requireptr", "Cox and Spectrum, AUP codes"),
    _row(
        "aup#",
        r"\baup#(?:cxcnct|cxmxrt|\w{0,3}-?1(?:3\d\d|4\d\d|5[458]0))",
        "toomanyconn",
        "Cox and Spectrum",
    ),
    _row("aup#", r"\baup#cxsndr", "authfailure", "Cox, AUP codes"),
    _row("bl0 comcast", r"\bbl0\d{4,5}\b|\bcomcast bl\d", "blocked", "Comcast, error codes"),
    _row("cox.net", r"recipient rejected", "userunknown", "Cox: not a valid account"),
    _row(
        "sendernot 5.7.1",
        r"sendernot(?:authenticated|in)|\b5\.7\.(?:12|124|13[3-6])\b",
        "rejected",
        "Microsoft, restricted",
    ),
    _row("qq.com", r"mailbox unavailable or access den", "toomanyconn", "QQ: it gets too much just now"),
    _row(".qq. qq.com", r"mail is rejected by recipients", "filtered", "QQ, the reader's own black list"),
    _row(
        "5.1.10",
        r"recipnotfound|recipientnotfound|recipient not found",
        "userunknown",
        "Exchange Online, 5.1.10",
    ),
    _row(
        "wm:bl mi: rp: hl: dt:", r"\bwm:bl[iu]\b|\bhl:(?:rep|mep)\b|\bdt:rbl\b", "blocked", "NetEase, codes"
    ),
    _row(
        "wm:bl mi: rp: hl: dt:",
        r"\b(?:mi:(?:cel|dmc|ccl|sfq)|rp:(?:drc|ccl|cel|qrc)|hl:i[cf]c)\b",
        "toomanyconn",
        "NetEase",
    ),
    _row("zoho destination", r"mail rejected by destination domain", "rejected", "Zoho, 541"),
    _row(
        "docomo.ne.jp",
        r"\b550 unknown user",
        "rejected",
        "docomo refuses by its reader's own filter in these words, after the body",
    ),
    _row(
        "ezweb.ne.jp au.com",
        r"the user\(s\) account is (?:disabled|temporarily limited)",
        "suspend",
        "au (KDDI), the sentence above its list of addresses",
    ),
    _row(
        "ezweb.ne.jp au.com kddi",
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
        "google gsmtp",
        r"5\.2\.1 .{0,80}(?:disabled|inactive)",
        "suspend",
        "Gmail SMTP error reference, 5.2.1",
    ),
    _row(
        "google gsmtp gmail",
        r"4\.7\.28|5\.7\.28|unusual rate of",
        "toomanyconn",
        "Gmail SMTP error reference, 4.7.28",
    ),
    _row("ezweb.ne.jp au.com kddi", r"\b550 <[^>]{3,200}>: user unknown", "userunknown", "au (KDDI)"),
    _row(
        "yahoo aol verizonmedia error:",
        r"554 delivery error: dd (?:requested|this user)|no such user here",
        "userunknown",
        "Yahoo sender hub, SMTP error codes",
    ),
    _row(
        "spectrum charter.net twc.com roadrunner",
        r"sender rejected|e\d{4}",
        "toomanyconn",
        "Spectrum, AUP error codes",
    ),
    _row("icloud.com apple.com .me.com", r"\[cs01\]", "rejected", "Apple, postmaster page for iCloud Mail"),
    _row(
        "groups.google googlegroups",
        r"groups\.google\.com/support",
        "rejected",
        "Google Groups says in one text: no such group, or no right to post",
    ),
    _row(
        "secureserver.net",
        r"account does not exist|invalid recipient",
        "userunknown",
        "GoDaddy, workspace email bounce codes",
    ),
)


def said_by(host: str, said: str) -> str:
    """Give what a provider means by its words, or '' if the table does not know; `said` is in lower case."""
    named = f"{host.lower()} {said}"
    return next(
        (row.reason for row in SAYINGS if any(one in named for one in row.who) and row.words.search(said)),
        "",
    )
