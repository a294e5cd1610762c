"""Whether a kept mail names somebody: however the address stands in it, it must be found when a person is erased.

Looks at the octets, at every part decoded (base64, quoted-printable, its charset), at encoded words, at attached
messages, and at runs of base64 that no structure announces; bounded in depth, so the work is linear in the octets.
It would rather find somebody in a mail that names another than miss one (RFC 2045, 2047, 6522).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mailer.feedback.reading.mime import opened
from mailer.feedback.reading.octets import text_of, unwrapped, words
from mailer.issue.prose import unescaped
from mailer.message.header import ascii_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from mailer.feedback.reading.mime import Part

_DEEPEST: Final = 4  # mails within mails, encodings within encodings
_RUN: Final = re.compile(rb"(?:[A-Za-z0-9+/]{4}[\r\n]*){4,}[A-Za-z0-9+/]{0,3}={0,2}")
_FOLD: Final = re.compile(r"\r?\n[ \t]+")


def spellings(addresses: Iterable[str]) -> tuple[str, ...]:
    """Give the forms in which addresses may stand in a mail, in lower case: also within return paths and links."""
    forms: list[str] = []
    for address in filter(None, addresses):
        local, _, domain = address.lower().rpartition("@")
        hosts = {domain, *_spellings(domain)}
        forms += [f"{local}{sign}{host}" for host in hosts for sign in ("@", "=", "%40")]
    return tuple(forms)


def mentions(raw: bytes, forms: tuple[str, ...]) -> bool:
    """Say whether a mail holds one of these spellings."""
    return any(form in text for text in map(str.lower, _texts(raw, 0)) for form in forms) if forms else False


def _spellings(domain: str) -> tuple[str, ...]:
    """Give a domain as A-labels and as the letters that they stand for (RFC 5891)."""
    plain = ascii_form(domain)
    if "xn--" not in plain:
        return ()
    import idna  # noqa: PLC0415 - its tables are for the few domains that are not ASCII

    try:
        return plain, idna.decode(plain)
    except UnicodeError:
        return (plain,)


def _texts(raw: bytes, depth: int) -> Iterator[str]:
    """Give the texts of a mail, the plain ones first, for most mails need no more."""
    plain = text_of(raw)
    yield _FOLD.sub("", plain)
    yield words(_FOLD.sub(" ", plain))
    if "&" in plain:
        yield unescaped(plain)
    if depth >= _DEEPEST:
        return
    for part in opened(raw).parts:
        yield from _of_part(part, depth)
    if b"=" in raw:
        yield text_of(unwrapped(raw, "quoted-printable"))
    for run in _RUN.findall(raw):
        yield from _texts(unwrapped(run, "base64"), _DEEPEST)


def _of_part(part: Part, depth: int) -> Iterator[str]:
    """Give the texts of a part, and of the message that it is."""
    octets = unwrapped(part.octets, part.header.get("content-transfer-encoding"))
    text = text_of(octets, part.parameters.get("charset", ""))
    yield text
    if "&" in text:
        yield unescaped(text)
    if part.type.startswith("message/") or part.type == "text/rfc822-headers":
        yield from _texts(octets, depth + 1)
