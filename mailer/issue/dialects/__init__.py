"""The dialects of Markdown that issues are written in -> CommonMark and GFM, one module for each family.

Each pass takes a Page and gives a Page; code is hidden before the first. `translate` works on what stands in tags and
addresses too (includes and shortcodes do); `repair` on the prose alone, with tags and addresses hidden.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects.callouts import callouts
from mailer.issue.dialects.cruft import cruft
from mailer.issue.dialects.embeds import lone_urls
from mailer.issue.dialects.emphasis import emphasis
from mailer.issue.dialects.feed import feed
from mailer.issue.dialects.html2md import html2md
from mailer.issue.dialects.html_blocks import bylines, html_blocks
from mailer.issue.dialects.hugo import hugo
from mailer.issue.dialects.kramdown import kramdown
from mailer.issue.dialects.liquid import liquid
from mailer.issue.dialects.mdx import mdx
from mailer.issue.dialects.obsidian import highlights, obsidian
from mailer.issue.dialects.plain_text import looks_plain, plain_text
from mailer.issue.dialects.rules import rules
from mailer.issue.dialects.signs import signs
from mailer.issue.dialects.wordpress import more, wordpress
from mailer.issue.page import MORE_MARK, Edit

if TYPE_CHECKING:
    from mailer.issue.page import Page

__all__ = ["looks_plain", "repair", "translate"]

_ADDRESSES = re.compile(
    r"(?<=\]\()[^()\s]*(?:\([^()\s]*\)[^()\s]*)*(?:[ \t]+\"[^\"\n]*\")?(?=\))"
    r"|<[A-Za-z/][^<>]*>|https?://[^\s<>)\]\"*]+|^[ \t]{0,3}\[[^\[\]\n]{1,200}\]:[ \t][^\n]*$",
    re.MULTILINE,
)


def translate(page: Page, separator: str = "") -> Page:
    """Translate the dialects; `separator` is the front matter's own sign for `<!--more-->`."""
    if separator and separator in page.text:
        at = page.text.index(separator)
        page = page.splice([Edit(at, at + len(separator), MORE_MARK)])
    for step in (more, hugo, liquid, wordpress, mdx):
        page = step(page)
    return page


def repair(page: Page, *, markdown: bool) -> Page:
    """Repair the prose; a text without markup gets its implied structure."""
    page = cruft(page)
    for step in (html_blocks, bylines, lone_urls, obsidian, kramdown, callouts) if markdown else ():
        page = step(page)
    page = page.hide(match.span() for match in _ADDRESSES.finditer(page.text))
    page = rules(page)
    page = emphasis(html2md(feed(page))) if markdown else plain_text(page)
    return signs(highlights(page))
