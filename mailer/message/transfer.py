"""Quoted-printable and base64 with slots: the fixed text is encoded once, a value is encoded on lines of its own.

Follows RFC 2045, sections 6.7 and 6.8. Promises: only CRLF line ends; no line passes 76 octets, begins with a dot or
with "From ", or ends in white space; no line of quoted-printable holds two white-space characters in a row, so that
the octets are their own relaxed DKIM form (RFC 6376, section 3.4.4). Never: encodes fixed text again.
"""

from __future__ import annotations

import re
from binascii import b2a_base64
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Values: TypeAlias = Sequence[str]
    Escape: TypeAlias = Callable[[str], str]

WIDTH: Final = 75  # one less than a line may have: the soft break needs it
_B64_OCTETS: Final = 57  # make a line of 76
_PHASES: Final = 3
_TABLE = tuple(
    chr(octet) if 33 <= octet <= 126 and octet != ord("=") else f"={octet:02X}" for octet in range(256)
)
_SIMPLE = re.compile(rb"(?!\.|From )[!-<>-~]+(?: [!-<>-~]+)*").fullmatch
_RUN = re.compile("(?:=20|=09)+")
_SOFT = "=\r\n"


def qp_fixed(text: str, *, after_slot: bool, before_slot: bool) -> bytes:
    """Give fixed text, whose lines end in LF, between the slots that it touches: each begins and ends at a line."""
    lines = "\r\n".join(map(_qp_line, text.split("\n")))
    opening = _SOFT if after_slot and not lines.startswith("\r\n") else ""
    closing = _SOFT if before_slot and lines and not lines.endswith("\r\n") else ""
    return (opening + lines + closing).encode("ascii")


def qp_value(text: str) -> bytes:
    """Give a value (one line, clean) for a place between two soft breaks."""
    octets = text.encode()
    if len(octets) <= WIDTH and _SIMPLE(octets):
        return octets
    return _qp_line(text).encode("ascii")


def _qp_line(text: str) -> str:
    """Encode one line of text; it may become several, with soft breaks between them."""
    encoded = "".join([_TABLE[octet] for octet in text.encode("utf-8", "replace")])
    # A space stands as itself between two characters that are none: never doubled, never at an end.
    encoded = _RUN.sub(_spaced, encoded)
    if encoded.endswith(" "):
        encoded = encoded[:-1] + "=20"
    lines: list[str] = []
    start = 0
    while start < len(encoded) or not lines:
        line, start = _cut(encoded, start)
        lines.append(line)
    return _SOFT.join(lines)


def _spaced(run: re.Match[str]) -> str:
    codes = run[0]
    spaces = [codes[at : at + 3] for at in range(0, len(codes), 3)]
    for at in range(0, len(spaces), 2):
        if spaces[at] == "=20":
            spaces[at] = " "
    return "".join(spaces)


def _cut(encoded: str, start: int) -> tuple[str, int]:
    """Give the line that begins at `start`, and where the next one does."""
    opening = ""
    if encoded[start : start + 1] == ".":
        opening, start = "=2E", start + 1
    elif encoded.startswith("From ", start):
        opening, start = "=46", start + 1
    end = min(start + WIDTH - len(opening), len(encoded))
    if end < len(encoded):
        mark = encoded.rfind("=", end - 2, end)
        end = mark if mark >= 0 else end
    return opening + encoded[start:end], end


def base64_lines(octets: bytes) -> bytes:
    """Give the octets in base64, in lines of at most 76 characters that each end in CRLF."""
    if 0 < len(octets) <= _B64_OCTETS:
        return b2a_base64(octets, newline=False) + b"\r\n"
    starts = range(0, len(octets), _B64_OCTETS)
    return b"".join(b2a_base64(octets[at : at + _B64_OCTETS], newline=False) + b"\r\n" for at in starts)


class Base64Text:
    """A text with slots whose fixed pieces are encoded once for each of the three phases of base64.

    A value shifts what follows it by 0, 1 or 2 octets, so each fixed piece is kept as (head, middle, tail) for every
    length of head: the head completes the value's last group, the middle is encoded, the tail opens the next group.
    Pieces too short for that are joined to the values.
    """

    __slots__ = ("_first", "_runs", "_tail", "size")

    def __init__(self, parts: Sequence[str | tuple[int, Escape]]) -> None:
        """Take fixed text (lines end in CRLF) and values as (number, escape)."""
        fixed: list[bytes] = [b""]
        runs: list[list[bytes | tuple[int, Escape]]] = []
        for part in parts:
            in_run = len(fixed) == len(runs)
            if not isinstance(part, str):
                runs.extend([] if in_run else [[]])
                runs[-1].append(part)
                continue
            octets = part.encode("utf-8", "replace")
            if not in_run:
                fixed[-1] += octets
            elif len(octets) < _PHASES - 1:
                runs[-1].append(octets)
            else:
                fixed.append(octets)
        fixed.extend([b""] if len(fixed) == len(runs) else [])
        last = len(fixed) - 1
        _, self._first, self._tail = _phase(fixed[0], 0, last=not runs)
        self._runs = [
            (tuple(run), tuple(_phase(piece, head, last=number == last) for head in range(_PHASES)))
            for number, (run, piece) in enumerate(zip(runs, fixed[1:], strict=True), 1)
        ]
        self.size = 1 + 2 * len(self._runs)

    def render(self, values: Values) -> list[bytes]:
        """Give the `size` pieces that joined are the encoded text."""
        out = [self._first]
        carry = self._tail
        for run, phases in self._runs:
            octets = carry
            for part in run:
                octets += part if isinstance(part, bytes) else part[1](values[part[0]]).encode()
            head, middle, carry = phases[-len(octets) % _PHASES]
            out.append(base64_lines(octets + head))
            out.append(middle)
        return out


def _phase(octets: bytes, head: int, *, last: bool) -> tuple[bytes, bytes, bytes]:
    tail = 0 if last else max(len(octets) - head, 0) % _PHASES
    end = len(octets) - tail
    return octets[:head], base64_lines(octets[head:end]), octets[end:]
