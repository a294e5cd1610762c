"""What a web page wraps around a post: share buttons, "Like this: Loading…", "Related", counting pixels.

Only whole lines go, and each is reported. "Related" goes only when nothing but such lines follows it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.page import Edit, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.issue.page import Page

_ITEM = r"^[ \t]*(?:[-*+][ \t]+)?(?:#{1,6}[ \t]+)?[*_]{0,3}"
_SHARE = (
    r"(?:\[)?Click to (?:share|print|email|e-mail)[^\n]{0,200}\(Opens in new window\)[^\n]{0,300}"
    r"|(?:\[)?(?:Share|Tweet|Pin|Print|Email|Facebook|Twitter|LinkedIn|Reddit|Pocket|WhatsApp|Telegram|Tumblr|Pinterest)"
    r"(?:\]\([^()\n]{0,500}(?:[?&]share=|sharer|/intent/|shareArticle|submit\?)[^()\n]{0,500}\))"
)
# Authors write "Share this", too: it goes where nothing but share links, or nothing at all, stands below it.
_SHARE_TITLE = re.compile(
    _ITEM
    + rf"Share this:?[*_]{{0,3}}[ \t]*(?:\n[ \t]*){{1,4}}(?=(?:[-*+][ \t]+)?(?:{_SHARE})|#{{1,6}}[ \t]|\Z)",
    re.MULTILINE | re.IGNORECASE,
)
_LINE = re.compile(
    _ITEM
    + r"(?:Like this:[ \t]*(?:Like)?[ \t]*(?:Loading)?(?:\.{3}|\u2026)?|(?:Like[ \t]*)?Loading(?:\.{3}|\u2026)"
    rf"|{_SHARE}|Powered by (?:WordPress|Jetpack|Ghost)|jp-relatedposts)[*_]{{0,3}}[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_RELATED = re.compile(_ITEM + r"Related(?: posts| articles)?:?[*_]{0,3}[ \t]*$", re.MULTILINE | re.IGNORECASE)
_PIXEL = (
    r"pixel\.wp\.com|stats\.wordpress\.com|feeds\.feedburner\.com/~r|feeds\.feedburner\.com/~ff|google-analytics\.com|"
    r"medium\.com/_/stat|b\.scorecardresearch\.com|pixel\.quantserve\.com|list-manage\.com/track|mailchi\.mp/track|"
    r"doubleclick\.net|facebook\.com/tr\?|open\.substack\.com/pixel|/pixel\.gif|/1x1\.gif|/spacer\.gif|/open\.aspx"
)
_PICTURE = re.compile(
    rf"!\[[^\[\]\n]{{0,200}}\]\([^()\s]{{0,300}}(?:{_PIXEL})[^()\s]{{0,1000}}\)|<img\b(?=[^<>]{{0,1000}}(?:{_PIXEL}))[^<>]{{0,3000}}>",
    re.IGNORECASE,
)


def cruft(page: Page) -> Page:
    """Give the page without share widgets and counting pixels."""
    if "![" in page.text or "<img" in page.text:
        page = page.sub(
            _PICTURE, "", warning("foreign-pixel", "A picture that counts readers for others was dropped.")
        )
    note = warning("cruft", "A share or like widget of a web page was dropped.")
    page = page.sub(_SHARE_TITLE, "\n", note)
    page = page.sub(_LINE, "", note)
    return page.splice(_related(page.text)) if "elated" in page.text or "RELATED" in page.text else page


def _related(text: str) -> Iterator[Edit]:
    for match in _RELATED.finditer(text):
        if not text[match.end() :].strip():
            yield Edit(
                match.start(),
                match.end(),
                "",
                warning("cruft", "The empty \u201cRelated\u201d of a web page was dropped."),
            )
