"""Lines that authors draw as a rule: `########`, `$$$$$$`, `_____`, `=======`, `-=-=-`, `•••` -> a thematic break.

Also a rule that runs into a line's text, and lines of nothing but `&nbsp;`. An underline below a heading's text is
Markdown and stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.page import info

if TYPE_CHECKING:
    from mailer.issue.page import Page

RULE = "***"
_SIGNS = (
    r"#$+^~\u2022\u00b7\u25cf\u25c6\u25c7\u25a0\u25a1\u2605\u2606\u203b\u2026\u2013-\u2015\u2500\u2501\u2550"
    r"\uff0a\uff1d\uff0d\u2042"
)
_DRAWN = re.compile(
    rf"^[ \t]{{0,3}}(?:(#)(?:[ \t]?#){{3,}}|([{_SIGNS}])(?:[ \t]?\2){{2,}}|[-=~*_]{{6,}}|\u2042|"
    rf"[*_]{{0,3}}([#$=~])\3{{5,}}[*_]{{0,3}})[ \t]*$",
    re.MULTILINE,
)
_UNDER_BLANK = re.compile(r"(?:\A|(?<=\n\n))[ \t]{0,3}={3,}[ \t]*$", re.MULTILINE)
_BEFORE_TEXT = re.compile(
    r"^([ \t]{0,3})[*_]{0,3}([#$=~])\2{5,}(?:[*_]{1,3}(?=[ \t]))?(?=[^\s#$=~])", re.MULTILINE
)
_AFTER_TEXT = re.compile(r"(?<=[^\s#$=~])[*_ ]{0,3}([#$=~])\1{6,}[*_]{0,3}[ \t]*$", re.MULTILINE)
_HOLLOW = re.compile(
    r"^[ \t]*(?:(?:&nbsp;|&#160;|&#xa0;|\u00a0|\u200b|<br[ \t]*/?>)[ \t]*)+$", re.MULTILINE | re.IGNORECASE
)
_TWICE = re.compile(r"^\*\*\*[ \t]*(?:\n[ \t]*){1,20}\*\*\*[ \t]*$", re.MULTILINE)
_NOTE = info("rule", "A drawn line became a rule.")


def rules(page: Page) -> Page:
    """Give the page with drawn lines as thematic breaks."""
    text = page.text
    if "\u00a0" in text or "&nbsp;" in text or "&#" in text or "\u200b" in text or "<br" in text:
        page = page.sub(_HOLLOW, "")
    page = page.sub(_DRAWN, _drawn, _NOTE)
    page = page.sub(_UNDER_BLANK, RULE, _NOTE)
    page = page.sub(_BEFORE_TEXT, f"\n{RULE}\n\n", _NOTE)
    page = page.sub(_AFTER_TEXT, f"\n\n{RULE}\n", _NOTE)
    return page.sub(_TWICE, RULE)


def _drawn(match: re.Match[str]) -> str | None:
    line = match[0].strip()
    # "---" and "***" are breaks already; as the underline of a heading they are none of ours.
    if not line.strip("-") or not line.strip("=") or not line.strip("*") or not line.strip("_"):
        return None
    return f"\n{RULE}\n"
