"""The marks that inline text carries between the tree and the page: emphasis, glue and line breaks.

They are control characters, which no HTML text may hold and which `clean` takes out of everything that comes
in, so they can never be the author's. Emphasis is marked first and judged later, when its neighbours are
known: a mark inside a word would tear the word apart (`*W*orld`), and a mark with a space inside it is read
by nobody.
"""

from __future__ import annotations

import re

from mailer.edition.text.scripts import runs_together

STRONG, STRONG_END = "\x01", "\x02"
EMPHASIS, EMPHASIS_END = "\x03", "\x04"
DELETED, DELETED_END = "\x05", "\x06"
CODE, CODE_END = "\x07", "\x08"
GLUE = "\x0e"  # a space that never becomes a line break
BREAK = "\x0f"  # a line break that is meant

OPENERS = frozenset((STRONG, EMPHASIS, DELETED, CODE))
CLOSERS = frozenset((STRONG_END, EMPHASIS_END, DELETED_END, CODE_END))
PRINTED = {
    STRONG: "*",
    STRONG_END: "*",
    EMPHASIS: "_",
    EMPHASIS_END: "_",
    DELETED: "~~",
    DELETED_END: "~~",
    CODE: "`",
    CODE_END: "`",
    GLUE: " ",
}
ENDS = {STRONG: STRONG_END, EMPHASIS: EMPHASIS_END, DELETED: DELETED_END, CODE: CODE_END}

_PRINT = str.maketrans(PRINTED)
# C0 and C1 controls, the soft hyphen and the byte order mark: shown as boxes, or as hyphens in mid-line.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\ufeff\ud800-\udfff]")
_SPACES = re.compile("[ \t\n\r\x0c\x85\u2028\u2029]+")
_RUN_OF_SPACES = re.compile("  +")
_ANY = re.compile("([\x01-\x08])")
_OPEN_THEN_SPACE = re.compile("([\x01\x03\x05\x07]+)([ \x0f]+)")
_SPACE_THEN_CLOSE = re.compile("([ \x0f]+)([\x02\x04\x06\x08]+)")
_AROUND_BREAK = re.compile(" *\x0f *")
_AROUND_GLUE = re.compile(" *\x0e *")


def clean(text: str) -> str:
    """Give text with its spaces collapsed and without anything unprintable."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text
    return _SPACES.sub(" ", _UNPRINTABLE.sub("", text))


def clean_lines(text: str) -> str:
    """Give preformatted text: as `clean`, but its line breaks and spaces stand, tabs become spaces."""
    lines = re.split("\r\n|[\n\r\x0c\x85\u2028\u2029]", text)
    return "\n".join(_UNPRINTABLE.sub("", line).expandtabs(4).rstrip() for line in lines)


def tidy(text: str) -> str:
    """Give inline text as it will be wrapped: single spaces, emphasis that hugs its words or is dropped."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip(" ")
    if _ANY.search(text):
        for _ in range(3):
            text = _SPACE_THEN_CLOSE.sub(r"\2\1", _OPEN_THEN_SPACE.sub(r"\2\1", text))
        text = _judge(_ANY.split(text))
    text = _AROUND_GLUE.sub(GLUE, _AROUND_BREAK.sub(BREAK, _RUN_OF_SPACES.sub(" ", text)))
    return text.strip(" \x0e\x0f")


def _judge(parts: list[str]) -> str:
    """Drop the pairs of marks that hold nothing or stand inside a word. Texts are even, marks are odd."""
    follows = _next_characters(parts)
    seen = 0
    last = ""
    opened: list[tuple[int, int, str]] = []
    for index, part in enumerate(parts):
        if index % 2 == 0:
            seen += len(part)
            last = part[-1:] or last
        elif part in OPENERS:
            opened.append((index, seen, last))
        elif opened:
            start, before, left = opened.pop()
            glued = part != CODE_END and (_in_word(left) or _in_word(follows[index]))
            if seen == before or glued or ENDS[parts[start]] != part:
                parts[start] = parts[index] = ""
    return "".join(parts)


def _next_characters(parts: list[str]) -> list[str]:
    follows = [""] * len(parts)
    upcoming = ""
    for index in range(len(parts) - 1, -1, -1):
        follows[index] = upcoming
        if index % 2 == 0:
            upcoming = parts[index][:1] or upcoming
    return follows


def _in_word(character: str) -> bool:
    return character.isalnum() and not runs_together(character)


def printed(text: str) -> str:
    """Give the text with its marks as they are printed."""
    return text.translate(_PRINT)


def bare(text: str) -> str:
    """Give the words alone: no marks, breaks as spaces."""
    return _SPACES.sub(" ", _ANY.sub("", text).replace(GLUE, " ").replace(BREAK, " ")).strip()
