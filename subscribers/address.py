"""Mail addresses: parsed, normalised and compared. Pure, and no DNS.

RFC 5321 section 4.1.2 and 2.4, RFC 6531 (SMTPUTF8), RFC 5891 (IDNA). `email` is what mail is sent to: the
local part as its owner wrote it, the domain in lower-case A-labels. `normalized` is what addresses are
compared by: no large provider tells upper from lower case in a local part, so it ignores case; it does keep
dots and "+tags", because whether they matter is the provider's business, and ß apart from ss. Quoted local
parts and a dot at the end are refused: nobody's form or tool writes them. email-validator decides what is
valid; a strict ASCII pattern, which accepts only what email-validator accepts unchanged, saves its 22 µs for
the addresses that nearly everybody has.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from hashlib import blake2b

from subscribers.errors import InvalidAddress

HASH_OCTETS = 16

_PLAIN = re.compile(
    r"(?=[^@]{1,64}@)(?=.{6,254}\Z)"
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*"
    r"@(?:(?!..--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+"
    r"(?!(?:test|local|localhost|invalid|onion|arpa|alt)\Z)[a-z]{2,24}\Z",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Address:
    """One valid address: `email` to send to, `normalized` to compare by, `domain` in lower-case A-labels."""

    email: str
    normalized: str
    domain: str

    def hash(self, key: bytes) -> bytes:
        """Give the keyed hash by which a suppression knows the address."""
        return hashed(self.normalized, key)


def hashed(normalized: str, key: bytes) -> bytes:
    """Give the 16 octets of the keyed BLAKE2b (RFC 7693) of a normalised address."""
    return blake2b(normalized.encode(), key=key[:64], digest_size=HASH_OCTETS).digest()


def parse_address(text: str) -> Address:
    """Give the address that `text` holds, blanks around it aside.

    Raises InvalidAddress, which says why. Never looks anything up.
    """
    text = text.strip()
    return _plain(text) or _other(text)


def parse_domain(text: str) -> str:
    """Give a domain as addresses keep it, in lower-case A-labels by the same rules; raises InvalidAddress."""
    return text.lower() if text.isascii() else parse_address(f"x@{text}").domain


def readable_domain(domain: str) -> str:
    """Give the letters that A-labels stand for (RFC 5891), or the domain as it is where they stand for none."""
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415

    try:
        return validate_email(f"x@{domain}", check_deliverability=False).domain
    except EmailNotValidError:
        return domain


def _plain(text: str) -> Address | None:
    if _PLAIN.match(text) is None:
        return None
    local, _, domain = text.rpartition("@")
    domain = domain.lower()
    return Address(f"{local}@{domain}", text.lower(), domain)


def _other(text: str) -> Address:
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 40 ms that few need

    if len(text) > 320:
        raise InvalidAddress(text[:40] + "…", "it is longer than an address can be")
    try:
        valid = validate_email(text, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise InvalidAddress(text, str(error)) from None
    except (UnicodeError, ValueError):
        raise InvalidAddress(text, "it holds characters that no address can hold") from None
    domain = valid.ascii_domain.lower()
    if len(f"{valid.local_part}@{domain}".encode()) > 254:
        raise InvalidAddress(text, "it is longer than an address can be")
    # The sigma at the end of a word is no letter of its own: in capitals both are the same.
    folded = unicodedata.normalize("NFC", valid.local_part.lower().replace("\u03c2", "\u03c3"))
    return Address(f"{valid.local_part}@{domain}", f"{folded}@{domain}", domain)
