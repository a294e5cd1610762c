"""A message in pieces: fixed octets, and places that each reader's values fill. Making a message is one join.

A hole names a value by its number and says how it is escaped; a part of the body (RFC 2045, 2046) is encoded as
quoted-printable or base64, whichever is shorter, and is 7-bit in either.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from mailer.message.transfer import Base64Text, qp_fixed, qp_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Escape: TypeAlias = Callable[[str], str]

_BASE64_GROWTH: Final = 4 / 3 * 78 / 76


class Hole(NamedTuple):
    """A place for value `number`; a token (`token`) holds only letters, digits, "-" and "_" and needs no care."""

    number: int
    escape: Escape
    token: bool = False


Holed: TypeAlias = "Sequence[str | Hole]"


class Layout:
    """The pieces of a message in order, and where the values go."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._tokens: dict[int, list[int]] = {}
        self._quoted: dict[int, dict[Escape, list[int]]] = {}
        self._base64: list[tuple[int, int, Base64Text]] = []

    def fixed(self, octets: bytes) -> int:
        """Add fixed octets as a piece of their own; give its index."""
        self.pieces.append(octets)
        return len(self.pieces) - 1

    def token(self, number: int) -> None:
        """Add a place for a token."""
        self._tokens.setdefault(number, []).append(self.fixed(b""))

    def part(self, media: str, text: Holed) -> None:
        """Add the header and the body of one MIME part; lines of the text end in LF, the last one too."""
        quoted = _quoted_pieces(text)
        octets = sum(len(part.encode("utf-8", "replace")) for part in text if isinstance(part, str))
        coding = "quoted-printable"
        if sum(map(len, quoted)) > octets * _BASE64_GROWTH:
            coding = "base64"
        head = f"Content-Type: {media}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
        self.fixed(head.encode("ascii"))
        if coding == "base64":
            self._add_base64(text)
        else:
            self._add_quoted(text, quoted)

    def _add_quoted(self, text: Holed, quoted: Sequence[bytes]) -> None:
        for part, octets in zip(text, quoted, strict=True):
            at = self.fixed(octets)
            if isinstance(part, Hole) and part.token:
                self._tokens.setdefault(part.number, []).append(at)
            elif isinstance(part, Hole):
                self._quoted.setdefault(part.number, {}).setdefault(part.escape, []).append(at)

    def _add_base64(self, text: Holed) -> None:
        parts = [part.replace("\n", "\r\n") if isinstance(part, str) else part[:2] for part in text]
        encoded = Base64Text(parts)
        start = len(self.pieces)
        self.pieces.extend([b""] * encoded.size)
        self._base64.append((start, len(self.pieces), encoded))

    def filler(self) -> Callable[[Sequence[str]], list[bytes]]:
        """Give the function that makes the pieces of one message from its values; the layout is complete.

        The pieces are those of this moment, and the function may be used by several threads.
        """
        fixed, order = self.pieces.copy(), list(range(len(self.pieces)))
        filled = len(fixed)
        tokens = list(self._tokens)
        for number in tokens:
            _point(order, self._tokens[number], filled)
            filled += 1
        quoted = [(number, escape) for number, by_escape in self._quoted.items() for escape in by_escape]
        for number, escape in quoted:
            _point(order, self._quoted[number][escape], filled)
            filled += 1
        encoded = [text for _, _, text in self._base64]
        for start, end, _ in self._base64:
            order[start:end] = range(filled, filled + end - start)
            filled += end - start
        # What is to be put together is chosen by one call, in place of one assignment for each piece.
        chosen = itemgetter(*order)

        def fill(values: Sequence[str]) -> list[bytes]:
            made = [values[number].encode() for number in tokens]
            made += [qp_value(escape(values[number])) for number, escape in quoted]
            for text in encoded:
                made += text.render(values)
            return list(chosen(fixed + made))

        return fill


def _point(order: list[int], places: Iterable[int], at: int) -> None:
    for place in places:
        order[place] = at


def _quoted_pieces(text: Holed) -> list[bytes]:
    """Give each part in quoted-printable, empty for a hole; what stands between two holes begins a line."""
    around: list[str | Hole | None] = [None, *text, None]
    return [
        qp_fixed(part, after_slot=isinstance(before, Hole), before_slot=isinstance(after, Hole))
        if isinstance(part, str)
        else b""
        for part, before, after in zip(text, around, around[2:], strict=False)
    ]


def tidy(text: Sequence[str | Hole]) -> list[str | Hole]:
    """Give the text with a last LF, and fixed text before, between and after the holes."""
    out: list[str | Hole] = [""]
    for part in text:
        if isinstance(part, Hole):
            out += [part, ""]
        else:
            out[-1] = f"{out[-1]}{part}"
    last = out[-1]
    if not str(last).endswith("\n"):
        out[-1] = f"{last}\n"
    return out
