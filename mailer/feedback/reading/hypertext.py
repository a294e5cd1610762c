"""HTML that says why, as text: tags become breaks, nothing is evaluated, fetched or kept (D22)."""

from __future__ import annotations

import re
from typing import Final

from mailer.issue.prose import unescaped

LARGEST: Final = 1 << 16

_SILENT: Final = ("style", "script", "head", "title")
_BREAKS: Final = re.compile(
    r"/?(?:p|br|div|tr|td|th|li|ul|ol|table|h[1-6]|hr|blockquote|pre|body|html|center)\b", re.IGNORECASE
)
_NAME: Final = re.compile(r"/?[a-z][a-z0-9]*", re.IGNORECASE)
_BLANK: Final = re.compile(r"[ \t\xa0]+")


def plain(source: str) -> str:
    """Give the words of an HTML text, a line a block, in one pass over its tags."""
    words: list[str] = []
    silent = ""
    for piece in source[:LARGEST].split("<"):
        tag, closed, text = piece.partition(">")
        name = _NAME.match(tag)
        word = name[0].lower() if name else ""
        if not closed or _is_text(tag, named=name is not None):
            tag, text = "", piece if not words else f"<{piece}"
        if silent:
            silent = "" if word == f"/{silent}" or (silent == "head" and word == "body") else silent
            if silent or not closed:
                continue
        elif word in _SILENT and not tag.endswith("/"):
            silent = word
            continue
        if word and _BREAKS.match(tag):
            words.append("\n")
        words.append(text)
    return _tidy(unescaped("".join(words)))


def _is_text(tag: str, *, named: bool) -> bool:
    """Say whether what stands in angle brackets is text: `<reader@example.com>`, or a lone `<`."""
    return not (named or tag.startswith(("!", "?"))) or ("@" in tag and "=" not in tag and " " not in tag)


def _tidy(text: str) -> str:
    lines = (_BLANK.sub(" ", line).strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line)
