"""HTML blocks end with their tag: text right below `</iframe>` or `</figure>` is Markdown again, as authors mean it.

CommonMark (4.6) ends such a block at a blank line alone, and would print the stars below it. `markdown="1"`
(kramdown, PHP Markdown Extra) asks for the same inside a tag.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.issue.page import Page

_END = re.compile(
    r"(</(?:iframe|figure|video|audio|table|center|script|details|aside|object|form)>"
    r"|<hr[ \t]*/?>)[ \t]*\n(?=[ \t]*[^\s<])",
    re.IGNORECASE,
)
_MARKDOWN = re.compile(
    r"(<(?:div|section|article|aside|details|figure|figcaption|blockquote|td|span|p)\b[^<>]{0,500}?)[ \t]+"
    r"markdown(?:=[\"']?(?:1|block|span|true)[\"']?)?([^<>]{0,500}>)",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^[ \t]*</(?:div|section|article|aside|details|figure|blockquote)>", re.MULTILINE | re.IGNORECASE
)
_BYLINE = re.compile(
    r"^#{2,6}[ \t]+((?:by|von|par|por|di)[ \t]+[^\W\d_a-z][^\n#.:!?]{1,50})[ \t]*#*$", re.MULTILINE
)


def html_blocks(page: Page) -> Page:
    """Give the page with a blank line wherever Markdown begins again."""
    if "<" not in page.text:
        return page
    if "markdown" in page.text and _MARKDOWN.search(page.text):
        page = page.sub(_MARKDOWN, lambda match: f"{match[1]}{match[2]}\n")
        page = page.sub(_CLOSING, lambda match: f"\n{match[0]}")
    return page.sub(_END, lambda match: f"{match[1]}\n\n")


def bylines(page: Page) -> Page:
    """Give "#### by Ann Author" as a line in italics: it is no heading."""
    return page.sub(_BYLINE, lambda match: f"*{match[1].strip()}*") if "#" in page.text[:5000] else page
