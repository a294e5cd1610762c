"""Header fields: text and names encoded (RFC 2047), addresses written or refused (RFC 5322, 5891, 6531).

Promises: every line of a field has at most 76 octets unless a single address or URL is longer, none passes 998;
nothing that a name, a subject or an address holds can end its field. Never: quotes a name that an encoded-word says
better, or puts an encoded-word where none may stand (E03).
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from mailer.errors import Problem, UserError
from mailer.message.value import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE: Final = 76
LONGEST_ADDRESS: Final = 254  # of a path of 256 with its brackets (RFC 5321, section 4.5.3.1.3)
LONGEST_LOCAL: Final = 64
_QUOTED_NAME: Final = 60  # characters; a longer name is cut into encoded-words, which can be folded
_EW_OVERHEAD: Final = len("=?utf-8?b??=")
_EW_OCTETS: Final = 45  # make an encoded-word of 72, with a space and a comma within 76
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*").fullmatch
_USUAL_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?"
).fullmatch
_LOCAL = re.compile(
    r"""[^\x00-\x20\x7f-\xa0()<>\[\]:;@\\,"\s]+|"(?:[^\x00-\x1f\x7f-\x9f"\\\s]|[ ]|\\[\x20-\x7e])*\""""
).fullmatch


class Address(NamedTuple):
    """An address as it stands in the envelope and in headers, and whether it needs SMTPUTF8 (RFC 6531)."""

    text: str
    smtputf8: bool


def address(email: str) -> Address:
    """Give the address with its domain in A-labels (I05); raises UserError if it cannot stand in a header."""
    if len(email) <= LONGEST_ADDRESS and _USUAL_ADDRESS(email):
        return Address(email, smtputf8=False)
    local, at, domain = email.rpartition("@")
    ascii_domain = ascii_form(domain) if at else ""
    whole = f"{local}@{ascii_domain}"
    too_long = len(whole.encode("utf-8", "replace")) > LONGEST_ADDRESS
    if not ascii_domain or not _LOCAL(local) or too_long or _has_surrogates(local):
        raise UserError(Problem(f"{email[:80]!r} is no address that a mail can carry", key="email"))
    return Address(whole, smtputf8=not local.isascii())


@lru_cache(maxsize=1024)
def ascii_form(domain: str) -> str:
    """Give the domain in A-labels, or "" if it is none (RFC 5891, with the mapping of UTS 46)."""
    import idna  # noqa: PLC0415 - its tables are for the few domains that are not ASCII

    if re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Za-z.:]+\]", domain):
        return domain
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def field(name: str, value: str) -> bytes:
    """Give a field whose value is ASCII and needs no folding."""
    return f"{name}: {value}\r\n".encode("ascii")


def unstructured(name: str, text: str) -> bytes:
    """Give a field of free text (Subject), made clean, and folded or encoded where it must be."""
    text = clean(text)
    if text.isascii() and text.isprintable() and "=?" not in text:
        if len(name) + 2 + len(text) <= LINE:
            return f"{name}: {text}\r\n".encode("ascii") if text else f"{name}:\r\n".encode("ascii")
        folded = _folded(name, text)
        if folded:
            return folded
    return f"{name}: ".encode("ascii") + _words(text, len(name) + 2) + b"\r\n"


def mailbox(name: str, display: str, email: Address) -> bytes:
    """Give a field of one mailbox (From, To): `display` is any clean text and may be empty."""
    spec = email.text.encode()
    start = len(name) + 2
    if not display:
        return f"{name}: ".encode("ascii") + spec + b"\r\n"
    phrase = _phrase(display, start)
    used = len(phrase) - phrase.rfind(b"\n") - 1 + (0 if b"\n" in phrase else start)
    gap = b" <" if used + len(spec) + 3 <= LINE else b"\r\n <"
    return f"{name}: ".encode("ascii") + phrase + gap + spec + b">\r\n"


def _phrase(display: str, start: int) -> bytes:
    if len(display) <= _QUOTED_NAME and display.isascii() and display.isprintable() and "=?" not in display:
        if _ATOMS(display):
            return display.encode("ascii")
        return b'"' + display.replace("\\", "\\\\").replace('"', '\\"').encode("ascii") + b'"'
    return _words(display, start)


def _folded(name: str, text: str) -> bytes:
    """Fold ASCII text before words, or give nothing if a word is longer than a line, or the first than its own."""
    first, *words = text.split(" ")
    lines = [f"{name}: {first}"]
    if len(lines[0]) > LINE or any(len(word) + 1 > LINE for word in words):
        return b""
    for word in words:
        if len(lines[-1]) + 1 + len(word) > LINE:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines).encode("ascii") + b"\r\n"


def _words(text: str, start: int) -> bytes:
    """Give the text in encoded-words of whole characters, one a line (E01, E02, E04)."""
    return b"\r\n ".join(
        b"=?utf-8?b?" + b2a_base64(octets, newline=False) + b"?=" for octets in _slices(text, start)
    )


def _slices(text: str, start: int) -> Iterator[bytes]:
    octets = text.encode("utf-8", "replace")
    room = min(_EW_OCTETS, (LINE - start - _EW_OVERHEAD) // 4 * 3)
    at = 0
    while at < len(octets):
        end = at + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # within a character of UTF-8
            end -= 1
        yield octets[at:end]
        at, room = end, _EW_OCTETS


def list_id(display: str, identifier: str) -> bytes:
    """Give List-Id (RFC 2919): the name, then the identifier in brackets; raises UserError if it is none (L05)."""
    plain = ascii_form(identifier)
    if not re.fullmatch(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+", plain) or len(plain) > 253:
        raise UserError(Problem(f"{identifier!r} is no List-Id: write label.domain", key="list_id"))
    if not display:
        return field("List-Id", f"<{plain}>")
    return mailbox("List-Id", display, Address(plain, smtputf8=False))
