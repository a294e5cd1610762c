"""Headings: the issue's title once, and levels that begin at two and leave none out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.edition.tree import drop, elements, line_of, rename, text_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from mailer.edition.report import Report

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_SAME = re.compile(r"[\W_]+")
_NEAR_THE_TOP = 4  # blocks
_TELLING = 20  # letters of a title that no heading begins with by chance


def order_headings(root: HtmlElement, titles: tuple[str, ...], report: Report) -> str | None:
    """Drop the body's own copy of the title; then number the levels 2, 3, 4… as the headings lie under each other.

    The title is 1. Authors begin with h3, leave levels out and come back to h2: a heading is one level below the one
    it stands under, whatever its number. Gives the copy's words where it is a longer form of the title: the mail
    shall begin with them.
    """
    longer = _drop_title(root, {_SAME.sub("", title).casefold() for title in titles} - {""}, report)
    headings = list(elements(root, *HEADINGS))
    if sum(heading.tag == "h1" for heading in headings) > 1:
        report.note(
            "heading-order",
            "several headings of the first level: the title of the mail is the only one",
            None,
        )
    above: list[str] = []
    for heading in headings:
        level = str(heading.tag)
        if above and int(level[1]) > int(above[-1][1]) + 1:
            left_out = f'"{text_of(heading)[:60]}" leaves out a level; the mail closes the gap'
            report.note("heading-order", left_out, line_of(heading))
        above = [*(other for other in above if other < level), level]
        rename(heading, f"h{len(above) + 1}")
    return longer


def _drop_title(root: HtmlElement, titles: set[str], report: Report) -> str | None:
    for place, block in enumerate(list(root)[:_NEAR_THE_TOP]):
        text = text_of(block) if block.tag in HEADINGS else ""
        same = _SAME.sub("", text).casefold()
        longer = not place and any(_is_longer(same, title) for title in titles)
        if longer and next(block.iter("a"), None) is not None:
            return None  # its link would be lost
        if text and (same in titles or longer):
            report.note("dup-title", "the text repeats the title; the mail shows it once", line_of(block))
            drop(block)
            return text if longer and same not in titles else None
    return None


def _is_longer(same: str, title: str) -> bool:
    """Say whether a heading begins with the title, and with one that is more than a word or two."""
    return len(title) >= _TELLING and same.startswith(title)
