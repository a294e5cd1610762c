"""How wide text is in a mail in a fixed-width font.

Widths are columns as wcwidth counts them (Unicode's East Asian Width, UAX 11): two for an ideograph, none for
a combining mark. A slot token counts as the value that will stand in its place. Marks that have no printed
form yet (see marks.py) count as what they will print.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wcwidth import wcswidth, wcwidth

from mailer.edition.text.marks import PRINTED

if TYPE_CHECKING:
    from collections.abc import Mapping

# Joiners, variation selectors, flags and skin tones: only a whole string of these has a width.
_CLUSTERS = re.compile("[\u200d\ufe0f\U0001f1e6-\U0001f1ff\U0001f3fb-\U0001f3ff]")


# Characters of one column each; the marks among them print one sign.
_NARROW = re.compile("[\x01-\x04\x07\x08\x0e -~\u00a0-\u00ac\u00ae-\u02af\u2010-\u2027]*")


class _Widths(dict[str, int]):
    """Columns by character, learnt once: wcwidth searches its tables at every call."""

    def __missing__(self, character: str) -> int:
        printed = PRINTED.get(character)
        self[character] = len(printed) if printed is not None else max(wcwidth(character), 0)
        return self[character]


WIDTHS = _Widths()


def columns(text: str) -> int:
    """Give the columns that `text` takes; control characters take none."""
    if text.isascii() and text.isprintable():
        return len(text)
    if _CLUSTERS.search(text):
        return max(wcswidth("".join(PRINTED.get(character, character) for character in text)), 0)
    return sum(map(WIDTHS.__getitem__, text))


class Measure:
    """Columns of text in which slot tokens count as their values do."""

    def __init__(self, token_widths: Mapping[str, int]) -> None:
        self._extra = {token: width - columns(token) for token, width in token_widths.items() if token}
        longest_first = sorted(map(re.escape, self._extra), key=len, reverse=True)
        self._tokens = re.compile("|".join(longest_first)) if longest_first else None

    def is_narrow(self, text: str) -> bool:
        """Say whether every character of `text` takes one column, and no token is in it."""
        return bool(_NARROW.fullmatch(text)) and (self._tokens is None or not self._tokens.search(text))

    def is_token(self, text: str) -> bool:
        """Say whether `text` is one token and nothing else."""
        return text in self._extra

    def __call__(self, text: str) -> int:
        """Give the columns that `text` will take once its tokens are values."""
        width = columns(text)
        if self._tokens is not None:
            width += sum(self._extra[token] for token in self._tokens.findall(text))
        return max(width, 0)
