"""Lines of at most so many columns. Nothing is hyphenated; no word, URL or slot token is ever cut.

A line never begins with what a reader would take for a bullet, a quote or a list's number, where the word
before it can be taken along. A word wider than the page stands alone on its line and sticks out. Time is
linear in the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from mailer.edition.text.marks import BREAK, CLOSERS, GLUE, OPENERS, printed
from mailer.edition.text.measure import WIDTHS
from mailer.edition.text.scripts import IDEOGRAPHIC, NEVER_FIRST, NEVER_LAST, STICKY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.edition.text.measure import Measure

_MISREAD = re.compile(r"(?:[-+*>#=|–—]{1,6}|\d{1,3}[.)])$")  # noqa: RUF001 - dashes of prose
_ATOM = re.compile(r"<[^<>\s]*>")
_IDEOGRAPHIC = re.compile(f"[{IDEOGRAPHIC}]")
_BREAKS_INSIDE = re.compile(f"[{IDEOGRAPHIC}\u200b]")
_WIDE, _NO_START, _NO_END = 1, 2, 4


class _Unit(NamedTuple):
    """What stays together, and whether a space stands before it."""

    text: str
    width: int
    spaced: bool


class _Classes(dict[str, int]):
    """What a character says about a break beside it, as bits, learnt once."""

    def __missing__(self, character: str) -> int:
        bits = _WIDE if _IDEOGRAPHIC.match(character) else 0
        sticky = character in STICKY or character == GLUE
        if sticky or character in NEVER_FIRST or character in CLOSERS or not WIDTHS[character]:
            bits |= _NO_START
        if sticky or character in NEVER_LAST or character in OPENERS:
            bits |= _NO_END
        self[character] = _WIDE | _NO_START if character == "\u200b" else bits
        return self[character]


_CLASSES = _Classes()


def wrap(text: str, width: int, measure: Measure, *, flowed: bool = False) -> list[str]:
    """Give tidy inline text as lines of at most `width` columns, marks printed, no space at either end.

    Two breaks in a row leave one blank line, as between paragraphs. With `flowed`, a line that ends where the
    text has a space keeps it, so that a mail program may join it with the next (RFC 3676); it counts to no
    width.
    """
    lines: list[str] = []
    for line in text.split(BREAK):
        stripped = line.strip(" ")
        if stripped:
            rows = _fill(stripped, width, measure)
            lines.extend(printed(row if flowed else row.rstrip(" ")) for row in rows)
        elif lines and lines[-1]:
            lines.append("")
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _fill(line: str, width: int, measure: Measure) -> Iterator[str]:
    """Give rows; one that breaks at a space ends in it."""
    if len(line) <= width and measure(line) <= width:
        yield line
        return
    if measure.is_narrow(line):
        yield from _fill_narrow(line, width)
        return
    row: list[str] = []
    used = 0
    for unit in _units(line, measure):
        if row and used + unit.width + unit.spaced > width:
            yield "".join(row) + " " * unit.spaced
            row, used = [], 0
        if row and unit.spaced:
            row.append(" ")
            used += 1
        row.append(unit.text)
        used += unit.width
    yield "".join(row)


def _fill_narrow(line: str, width: int) -> Iterator[str]:
    """Do what _fill does with a line whose characters take one column each: most lines, so it is worth the speed."""
    row = last = ""  # `last` is the word that one behind it may be joined to
    for word in line.split(" "):
        joins = not word[:1].isalpha() and last and _MISREAD.match(word) and not _MISREAD.match(last)
        if len(row) + 1 + len(word) <= width or not row or (joins and row == last):
            row = f"{row} {word}" if row else word
        elif joins:
            yield row[: len(row) - len(last)]
            row = f"{last} {word}"
        else:
            yield row + " "
            row = word
        last = "" if joins else word
    yield row


def _units(line: str, measure: Measure) -> Iterator[_Unit]:
    """Give the units of a line; a word that would be misread at a line's head joins the one before it."""
    held: _Unit | None = None
    for word in line.split(" "):
        if held is not None and _MISREAD.match(word) and not _MISREAD.match(held.text):
            yield _Unit(f"{held.text} {word}", held.width + 1 + measure(word), held.spaced)
            held = None
            continue
        spaced = True
        for piece in pieces(word):
            if held is not None:
                yield held
            held = _Unit(piece, measure(piece), spaced)
            spaced = False
    if held is not None:
        yield held


def pieces(word: str) -> list[str]:
    """Cut a word where a line may end inside it; `<URL>` and runs of letters stay whole."""
    if _BREAKS_INSIDE.search(word) is None:
        return [word]
    cut: list[str] = []
    start = at = 0
    before = _NO_END
    while at < len(word):
        bits = _CLASSES[word[at]]
        if (before | bits) & _WIDE and not bits & _NO_START and not before & _NO_END:
            cut.append(word[start:at])
            start = at
        # A mark without width belongs to the character before it, whose class stands.
        before = bits if bits & _WIDE or WIDTHS[word[at]] else before
        atom = _ATOM.match(word, at) if word[at] == "<" else None
        at = atom.end() if atom else at + 1
    cut.append(word[start:])
    return cut
