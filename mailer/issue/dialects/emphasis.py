"""Stars that CommonMark (6.2) would print: wrong flanking, as in `**bold **text` or before a CJK letter, and lone `**`.

Each stretch of text is read as CommonMark reads it; only stars that would stay are repaired: two on one line become
tags, a lone `**` at a word goes. Single stars stay, they may mark a footnote. Stars that would go and should not, as in
"A*STAR shows A*3D", are escaped: a pair inside words, with a space between them, was never meant as one.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from mailer.issue.dialects.labels import em, strong
from mailer.issue.page import Edit, info, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.issue.page import Page

_RUN = re.compile(r"\*+")
# Where a new paragraph, item, heading, quote or table row begins, stars start afresh.
_FRESH = re.compile(r"^[ \t>]*(?:[-+*][ \t]|\d{1,9}[.)][ \t]|#{1,6}[ \t]|\||$)|^[ \t]*>", re.MULTILINE)
# `the *word *and`: the closing star stands on the wrong side of the space.
_TORN = re.compile(r"(?:^|(?<=[ (]))\*([^\W\d][^*\n]{0,60}[^\s*])[ ]\*(?=[^\W\d])(?![^*\n]*\*)", re.MULTILINE)
_INSIDE = re.compile(
    r"(?<=[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7af\uf900-\ufaff])\*"
    r"(?=[^\W_\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7af\uf900-\ufaff])"
)
_NO_WORD = re.compile(r"\s|\*[\d.,]+\*")  # between two stars: more than a word, or the middle of a product
_LONGEST = 300
_DEEPEST_SEARCH = 12
_JOINED = info("emphasis", "Stars that would have been printed became bold text.")
_LONE = warning("residue", "A lone ** that would have been printed was taken off.")


@dataclass(slots=True)
class _Stars:
    start: int
    length: int
    opens: bool
    closes: bool
    pairs: list[int] = field(default_factory=list)  # where the stars stand that these close


def emphasis(page: Page) -> Page:
    """Give the page with all stars mended that would be printed."""
    if "*" not in page.text:
        return page
    page = page.sub(_TORN, lambda match: f"{em(match[1])} ", _JOINED)
    if len(_INSIDE.findall(page.text)) > 1:
        page = page.splice(_escapes(page.text))
    return page.splice(_edits(page.text)) if "**" in page.text else page


def literal_stars(text: str) -> bool:
    """Say whether CommonMark would print `**` somewhere in one stretch of text."""
    return any(stars.length > 1 for stars in _unmatched(text, 0, len(text)))


def _stretches(text: str) -> Iterator[tuple[int, int]]:
    return pairwise([0, *(match.end() for match in _FRESH.finditer(text)), len(text)])


def _edits(text: str) -> Iterator[Edit]:
    for start, end in _stretches(text):
        if text.find("**", start, end) >= 0:
            yield from _mended(text, start, end)


def _escapes(text: str) -> Iterator[Edit]:
    """Escape both stars of each pair that opens and closes inside words and has a space or a number in it."""
    for start, end in _stretches(text):
        inside = {match.start() for match in _INSIDE.finditer(text, start, end)}
        if len(inside) < 2:
            continue
        torn = {
            at
            for stars in _read(text, start, end)
            for opened in stars.pairs
            if {opened, stars.start - 1} <= inside and _NO_WORD.search(text, opened, stars.start)
            for at in (opened, stars.start - 1)
        }
        yield from (Edit(at, at + 1, "\\*") for at in sorted(torn))


def _mended(text: str, start: int, end: int) -> Iterator[Edit]:
    loose = [stars for stars in _unmatched(text, start, end) if stars.length > 1 and not _alone(text, stars)]
    index = 0
    while index < len(loose):
        stars = loose[index]
        following = loose[index + 1] if index + 1 < len(loose) else None
        inner = text[stars.start + stars.length : following.start] if following else ""
        if following and 0 < len(inner.strip()) <= _LONGEST and "\n" not in inner and "*" not in inner:
            yield Edit(stars.start, following.start + following.length, strong(inner), _JOINED)
            index += 2
        else:
            yield Edit(stars.start, stars.start + stars.length, "", _LONE)
            index += 1


def _alone(text: str, stars: _Stars) -> bool:
    """Say whether stars are a power (`2**8`), or stand in white space: `2 ** 8`, a line of nothing but stars."""
    end = stars.start + stars.length
    before, after = text[stars.start - 1 : stars.start] or " ", text[end : end + 1] or " "
    return (before.isspace() and after.isspace()) or (before.isdigit() and after.isdigit())


def _unmatched(text: str, start: int, end: int) -> list[_Stars]:
    """Give the stars that CommonMark leaves over in text[start:end], each with what is left of it."""
    return [stars for stars in _read(text, start, end) if stars.length]


def _read(text: str, start: int, end: int) -> list[_Stars]:
    """Give all runs of stars in text[start:end] as CommonMark pairs them: what is left of each, and what it closes."""
    runs: list[_Stars] = []
    openers: list[_Stars] = []
    for match in _RUN.finditer(text, start, end):
        if match.start() and text[match.start() - 1] == "\\":
            continue
        stars = _stars(text, match.start(), match.end(), start, end)
        runs.append(stars)
        original = stars.length
        while stars.closes and stars.length and openers:
            opener = _opener(openers, stars, original)
            if opener is None:
                break
            del openers[opener + 1 :]
            used = 2 if openers[opener].length > 1 and stars.length > 1 else 1
            openers[opener].length -= used
            stars.length -= used
            stars.start += used
            stars.pairs.append(openers[opener].start + openers[opener].length)
            if not openers[opener].length:
                openers.pop()
        if stars.length and stars.opens:
            openers.append(stars)
    return runs


def _opener(openers: list[_Stars], closer: _Stars, original: int) -> int | None:
    for index in range(len(openers) - 1, max(-1, len(openers) - 1 - _DEEPEST_SEARCH), -1):
        opener = openers[index]
        both = opener.closes or closer.opens
        if not both or (opener.length + original) % 3 or (not opener.length % 3 and not original % 3):
            return index
    return None


def _stars(text: str, at: int, to: int, start: int, end: int) -> _Stars:
    before = _kind(text[at - 1] if at > start else " ")
    after = _kind(text[to] if to < end else " ")
    left = after != "space" and (after != "sign" or before != "letter")
    right = before != "space" and (before != "sign" or after != "letter")
    return _Stars(at, to - at, left, right)


def _kind(char: str) -> str:
    if char.isspace():
        return "space"
    # Marks of hidden tags and links are noncharacters, and what they hide begins and ends with a sign.
    return "sign" if "\ufdd0" <= char <= "\ufdef" or unicodedata.category(char)[0] in "PS" else "letter"
