"""Addresses as they stand in bounces: in fields, in prose, obfuscated, routed, in xtext; and whose they are.

Follows RFC 5321 (forgiving), RFC 3461 (xtext), RFC 3464 section 2.3 (type; address), RFC 6533.
"""

from __future__ import annotations

import re
from typing import Final

from mailer.feedback.reading.octets import storable

# Letters of alphabets: what is written without spaces (Chinese, Japanese) would run into the words around it.
_LOCAL: Final = (
    r"[A-Za-z0-9\u00aa-\u1fff!#$%&'*+/=?^_`{|}~-][A-Za-z0-9\u00aa-\u1fff!#$%&'*+/=?^_`{|}~.-]{0,127}"
)
_DOMAIN: Final = (
    r"[A-Za-z0-9\u00aa-\u1fff_](?:[A-Za-z0-9\u00aa-\u1fff_.-]{0,251}[A-Za-z0-9\u00aa-\u1fff])?"
    r"|\[[0-9A-Fa-f:.]{3,60}\]"
)
_ALONE: Final = re.compile(r"[^\s<>@\"]{1,128}@[^\s<>@\",;:]{1,255}")
LONGEST: Final = 1000  # characters of a field that are looked at

ADDRESS: Final = re.compile(rf"(?:\"[^\"\n]{{1,64}}\"|{_LOCAL})@(?:{_DOMAIN})")
"""An address anywhere in a text; `tidy` takes off what the text put around it."""

_XTEXT: Final = re.compile(r"\+([0-9A-F]{2})")
_UNICODE_ESCAPE: Final = re.compile(r"\\x\{([0-9A-Fa-f]{2,6})\}")
_ROUTE: Final = re.compile(r"@[^:\s]{1,255}:")
_TYPED: Final = re.compile(r"\s*([A-Za-z0-9/._-]{1,20})\s*;\s*(.*)", re.DOTALL)
_IN_BRACKETS: Final = re.compile(r"<([^<>\s]{1,320})>")
_COMMENT: Final = re.compile(r"\s*\([^()]*\)")
# Nobody subscribes as these, and every bounce is full of them.
_DAEMONS: Final = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|mdaemon|daemon|post-?_?master|poostmaster|mailerdaemon|double-?bounce"
    r"|mail\.delivery\.system|mail-delivery-sub\w*|uucp|nobody)(?:[+._-].*)?\Z",
    re.IGNORECASE,
)
_OFFICES: Final = re.compile(
    r"(?:abuse|hostmaster|help-?desk|support|noc|security|bounces?|no-?reply|do-?not-?reply|returns?|sysadmin"
    r"|administrator|admin|unblock\w*|delist\w*|webmaster)(?:[+._-].*)?\Z"
    r"|.{1,60}-(?:ctl|request|owner|admin|bounces|help|subscribe|unsubscribe)\Z",
    re.IGNORECASE,
)


def tidy(text: str) -> str:
    """Give the one address that a piece of text is, or ''; brackets, mailto, routes and quotes come off."""
    piece = text[:LONGEST].strip().strip("<>()[]{}\"',;:").removeprefix("mailto:")
    piece = _ROUTE.sub("", piece) if piece.startswith("@") else piece
    found = ADDRESS.fullmatch(piece) or _ALONE.fullmatch(piece) or ADDRESS.search(piece)
    if found is None:
        return ""
    local, _, domain = found[0].rpartition("@")
    return f"{local}@{domain.rstrip('.-')}"


def in_field(value: str) -> str:
    """Give the address of a Final-Recipient or Original-Recipient, or '' (D05)."""
    typed = _TYPED.match(value[:LONGEST].strip())
    kind, rest = (typed[1].lower(), typed[2]) if typed else ("", value[:LONGEST])
    if kind in {"x400", "x500", "ex"} or rest.lstrip().startswith("|"):
        return ""
    bracketed = _IN_BRACKETS.search(rest)
    rest = bracketed[1] if bracketed else _COMMENT.sub("", rest)
    rest = storable(_UNICODE_ESCAPE.sub(lambda match: chr(int(match[1], 16) % 0x110000), rest))
    address = tidy(rest)
    return address or tidy(unescaped(rest))


def unescaped(text: str) -> str:
    """Undo xtext: `+2B` is a plus. Right for ORCPT only, where a plus cannot stand for itself."""
    return _XTEXT.sub(lambda match: chr(int(match[1], 16)), text)


def in_text(text: str) -> list[str]:
    """Give every address of a text once, in order."""
    found = (tidy(match[0]) for match in ADDRESS.finditer(text))
    return list(dict.fromkeys(address for address in found if address))


def is_daemon(address: str) -> bool:
    """Say whether a mail system writes from that address, rather than a person."""
    return bool(_DAEMONS.match(address.rpartition("@")[0] or address))


def is_office(address: str) -> bool:
    """Say whether a text names that address for those who want help."""
    local = address.rpartition("@")[0]
    return bool(_OFFICES.match(local)) or is_daemon(address)


def same(one: str, other: str) -> bool:
    """Say whether two spellings reach one mailbox: case apart."""
    return one.lower() == other.lower()
