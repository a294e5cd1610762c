"""Labels that open a paragraph, "Why it matters: …", and how a piece of text is made bold or italic without fail."""

from __future__ import annotations

import re

# A capital letter, or a letter of a script without capitals; then anything but the end of a sentence.
_LABEL = re.compile(
    r"(?:[\u2013-][ \u00a0])?[^\W\d_a-z]"
    r"[^:\uff1a.!?*\[\]()<>\u2026\u3002\uff0c\uff01\uff1f|\n\ufdd0-\ufddd]{1,45}([:\uff1a])"
)
_ENTITY = re.compile(r"&[a-z]{2,8};")
_SPACES = " \t\u00a0"
_MOST_WORDS, _MOST_WORDS_WITH_COMMA = 6, 3


def label_end(text: str) -> int:
    """Give the position after the colon of a label that opens the text, or 0."""
    match = _LABEL.match(text)
    if not match:
        return 0
    words = _ENTITY.sub("&", match[0])
    if ";" in words or len(words.split()) > (_MOST_WORDS_WITH_COMMA if "," in words else _MOST_WORDS):
        return 0
    # "http://" and "10:30" have no space after the colon; a full-width colon needs none.
    spaced = text[match.end() : match.end() + 1] in {" ", "\u00a0"}
    return match.end() if spaced or match[1] == "\uff1a" else 0


def with_label(text: str) -> str:
    """Give the text with its opening label in bold, if it has one and words follow it."""
    end = label_end(text)
    rest = text[end:].strip(_SPACES)
    return f"{strong(text[:end])} {rest}" if end and rest else text


def strong(text: str) -> str:
    """Give bold text; tags and not stars, because stars fail between CJK letters and punctuation."""
    return _wrapped(text, "strong")


def em(text: str) -> str:
    """Give italic text."""
    return _wrapped(text, "em")


def _wrapped(text: str, tag: str) -> str:
    inner = text.strip(_SPACES)
    if not inner:
        return text
    before = text[: len(text) - len(text.lstrip(_SPACES))]
    after = text[len(text.rstrip(_SPACES)) :]
    return f"{before}<{tag}>{inner}</{tag}>{after}"
