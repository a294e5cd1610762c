"""A mail as a flat row of parts, found in bounded time: no mail can make this slow, deep or wrong enough to fail.

The standard library's parser recurses and takes seconds on 1,000 nested parts, so the structure is found here by
searching for boundaries: at most DEEPEST levels, MOST_PARTS parts and LARGEST octets. What lies beyond belongs to
the message that came back, whose body says nothing about why. Follows RFC 2045, 2046 and 6522, and forgives what
is broken in practice: bare CR, mbox lines, a missing last boundary, a header that is none (D13, D16, D21).
Never: descends into an attached message, save where the whole mail is nothing but that message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mailer.feedback.reading.octets import text_of, unwrapped, words

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST: Final = 1 << 20  # octets that are looked at
LARGEST_HEADER: Final = 1 << 17
LARGEST_TEXT: Final = 1 << 16  # characters of one part
DEEPEST: Final = 8
MOST_PARTS: Final = 40
MOST_FIELDS: Final = 400

_FIELD: Final = re.compile(r"([!-9;-~]{1,80})[ \t]*:[ \t]*(.*)", re.DOTALL)
_FOLD: Final = re.compile(r"\n[ \t]+")
_PARAMETER: Final = re.compile(
    r";\s*([\w!#$%&'*+.^`{|}~-]{1,40})\s*=\s*(?:\"((?:[^\"\\]|\\.){0,300})\"|([^\s;]{1,300}))"
)
_COMMENT: Final = re.compile(r"\([^()]{0,200}\)")


class Header:
    """The fields of a header, unfolded, in order; names without regard to case."""

    __slots__ = ("fields",)

    def __init__(self, text: str) -> None:
        lines = _FOLD.sub(" ", text).split("\n")[:MOST_FIELDS]
        found = (_FIELD.match(line) for line in lines)
        self.fields = tuple((match[1].lower(), match[2].strip()) for match in found if match)

    def get(self, name: str) -> str:
        """Give the first field of a name, encoded words decoded, or ''."""
        return next((words(value) for key, value in self.fields if key == name), "")

    def all(self, *names: str) -> list[str]:
        """Give every field of these names, encoded words decoded."""
        return [words(value) for key, value in self.fields if key in names]

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.fields)


@dataclass(frozen=True, slots=True)
class Part:
    """A leaf of the tree: `type` is `text/plain` and the like in lower case, `octets` are not decoded yet."""

    type: str
    parameters: dict[str, str]
    header: Header
    octets: bytes
    inside: str = ""  # the type of the multipart that it stands in

    def text(self) -> str:
        """Give the part as text, decoded and bounded."""
        plain = unwrapped(self.octets[: 2 * LARGEST_TEXT], self.header.get("content-transfer-encoding"))
        return text_of(plain.replace(b"\r\n", b"\n"), self.parameters.get("charset", ""))[:LARGEST_TEXT]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail: its own header, its type, its leaves in order."""

    header: Header
    type: str
    parameters: dict[str, str]
    parts: tuple[Part, ...]


def opened(raw: bytes) -> Mail:
    """Give the structure of any octets."""
    octets = raw[:LARGEST]
    if b"\r" in octets:
        octets = octets.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    octets = _without_envelope(octets.lstrip(b"\n\xef\xbb\xbf\0"))
    header, body = split(octets)
    kind, parameters = content_type(header.get("content-type"))
    boundary = parameters.get("boundary", "")
    if not boundary or f"--{boundary}".encode() not in body:  # a wrong one, or its header was lost
        told = kind.startswith("multipart/") or body.lstrip().startswith(
            (b"--", b"This is a M", b"This is a m")
        )
        boundary = _seen_boundary(body) if told else ""
        kind = "multipart/mixed" if boundary and not kind.startswith("multipart/") else kind
    parts: list[Part] = []
    _walk(header, body, kind, {**parameters, "boundary": boundary}, parts)
    return Mail(header, kind, parameters, tuple(parts))


def split(octets: bytes) -> tuple[Header, bytes]:
    """Part header and body at the first empty line, or where the header stops looking like one."""
    if octets.startswith(b"\n"):
        return Header(""), octets[1:]
    end = octets.find(b"\n\n")
    head = octets[: end if end >= 0 else len(octets)]
    body = octets[end + 2 :] if end >= 0 else b""
    return Header(text_of(head[:LARGEST_HEADER])), body


def content_type(value: str) -> tuple[str, dict[str, str]]:
    """Give the type in lower case and its parameters; text/plain where there is none (RFC 2045, 5.2)."""
    kind = value.partition(";")[0].strip().lower()[:80]
    if "/" not in kind:
        kind = "text/plain"
    found = _PARAMETER.findall(value[:4000])
    parameters = {name.lower(): (quoted or bare).strip() for name, quoted, bare in reversed(found)}
    return kind, parameters


def _without_envelope(octets: bytes) -> bytes:
    """Drop what mbox files and pipes put before the header."""
    while octets.startswith((b"From ", b">From ")):
        octets = octets.partition(b"\n")[2]
    return octets


def _seen_boundary(body: bytes) -> str:
    """Find the boundary of a mail that was cut off from its Content-Type: `--x`, then a header of content."""
    found = re.search(
        rb"(?:\A|\n)--([^\s]{5,70})[ \t]*\n(?:[^\n]{0,200}\n){0,12}?content-type:", body[:4000], re.IGNORECASE
    )
    return found[1].decode("latin-1") if found else ""


def _walk(header: Header, body: bytes, kind: str, parameters: dict[str, str], parts: list[Part]) -> None:
    """Lay the leaves of a tree in a row, depth first, with a stack of our own."""
    waiting = [(header, body, kind, parameters, 0, "")]
    while waiting and len(parts) < MOST_PARTS:
        header, body, kind, parameters, depth, inside = waiting.pop()
        boundary = parameters.get("boundary", "") or (
            _seen_boundary(body) if kind.startswith("multipart/") else ""
        )
        pieces = list(_pieces(body, boundary)) if boundary and depth < DEEPEST else []
        if not kind.startswith("multipart/") or not pieces:
            whole = "text/plain" if kind.startswith("multipart/") else kind
            parts.append(Part(whole, parameters, header, body, inside))
            continue
        for piece in reversed(pieces):
            below, content = split(piece)
            type_, named = content_type(below.get("content-type"))
            waiting.append((below, content, type_, named, depth + 1, kind))


def _pieces(body: bytes, boundary: str) -> Iterator[bytes]:
    """Give what stands between the boundary lines; the last one may be missing."""
    mark = b"\n--" + boundary.encode("utf-8", "surrogateescape")
    octets = b"\n" + body
    start = octets.find(mark)
    for _ in range(MOST_PARTS):
        if start < 0:
            return
        line = octets.find(b"\n", start + 1)
        if octets.startswith(b"--", start + len(mark)) or line < 0:
            return
        end = octets.find(mark, line)
        yield octets[line + 1 : end if end >= 0 else len(octets)]
        start = end
