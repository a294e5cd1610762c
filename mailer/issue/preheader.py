"""The preheader: the line that an inbox shows after the subject, and the summary of an issue.

The author's own words first (excerpt, description, …), then what stands before `<!--more-->`, then the first paragraph
of prose. At most 140 characters, without tags or entities, cut at a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.page import BLOCK_MARK, MORE_MARK
from mailer.issue.prose import one_line, plain, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mailer.issue.page import Page

LIMIT = 140
_SUMMARY_LIMIT = 2000
_NO_PROSE = re.compile(
    r"[ \t]*(?:#{1,6}(?:[ \t]|$)|>|[-*+][ \t]|\d{1,9}[.)][ \t]|\||\[[^\]]{1,80}\]:|:::|(?:[-*_][ \t]*){3,}$)"
)
_SALUTATION = re.compile(r"[^.!?]{1,40}[,\uff0c:\uff1a!\uff01]$")
_ADDRESS = re.compile(r"\bhttps?://[^\s<>]+[ \t]*")
_ENOUGH = 20


def preheader(own: Sequence[str], page: Page, title: str) -> str:
    """Give the preheader; `own` are the author's words in the front matter, decoded, best first."""
    for text in own:
        found = _marks_off(text)
        if found and found != title:
            return shorten(found, LIMIT)
    summary_ = summary(page)
    if summary_:
        return shorten(summary_, LIMIT)
    return shorten(next(_paragraphs(page, title), ""), LIMIT)


def summary(page: Page) -> str:
    """Give the prose before `<!--more-->`, or nothing."""
    before, mark, _ = page.text.partition(MORE_MARK)
    if not mark:
        return ""
    found = " ".join(_prose(page, before[: _SUMMARY_LIMIT * 4]))
    return shorten(found, _SUMMARY_LIMIT)


def _marks_off(text: str) -> str:
    return plain(text) if re.search(r"\]\(|\*\*|`|(?<!\w)_\w", text) else text


def _paragraphs(page: Page, title: str) -> Iterator[str]:
    short = ""
    for text in _prose(page, page.text[:20_000]):
        if len(text) < _ENOUGH or _SALUTATION.fullmatch(text) or text == title:
            short = short or text
        else:
            yield text
    yield short


def _prose(page: Page, text: str) -> Iterator[str]:
    for block in re.split(r"\n[ \t]*\n", text):
        block = block.strip("\n")  # noqa: PLW2901 - the block without its ends
        lines = [line for line in block.split("\n") if not _NO_PROSE.match(line) and BLOCK_MARK not in line]
        if not lines or len(lines) < len(block.strip().split("\n")) / 2 or _setext(lines):
            continue
        found = _ADDRESS.sub("", plain(page.reveal(one_line(" ".join(lines))))).rstrip()
        if any(char.isalpha() for char in found):
            yield found


def _setext(lines: list[str]) -> bool:
    return len(lines) == 2 and bool(lines[1].strip()) and not lines[1].strip("=- \t")
