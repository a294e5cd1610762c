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


def order_headings(root: HtmlElement, titles: tuple[str, ...], report: Report) -> None:
    """Drop the body's own copy of the title; then renumber the levels in use to 2, 3, 4…, the title being 1."""
    _drop_title(root, {_SAME.sub("", title).casefold() for title in titles} - {""}, report)
    headings = list(elements(root, *HEADINGS))
    if sum(heading.tag == "h1" for heading in headings) > 1:
        report.note(
            "heading-order",
            "several headings of the first level: the title of the mail is the only one",
            None,
        )
    used = sorted({str(heading.tag) for heading in headings})
    for heading in headings:
        rename(heading, f"h{min(used.index(str(heading.tag)) + 2, 6)}")


def _drop_title(root: HtmlElement, titles: set[str], report: Report) -> None:
    for block in list(root)[:_NEAR_THE_TOP]:
        if block.tag in HEADINGS and _SAME.sub("", text_of(block)).casefold() in titles:
            report.note("dup-title", "the text repeats the title; the mail shows it once", line_of(block))
            drop(block)
            return
