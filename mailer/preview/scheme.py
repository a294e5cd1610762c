"""The mail as a frame of the preview shows it: light or dark, with links that open beside the page.

A frame follows the browser's own colour scheme, and no page may change that for it. So the queries for it are
replaced by ones that are always or never true; everything else of the mail is untouched.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

Scheme: TypeAlias = Literal["light", "dark"]

_STYLE = re.compile(r"(<style\b[^>]*>)(.*?)(</style>)", re.IGNORECASE | re.DOTALL)
_QUERY = re.compile(r"\(\s*prefers-color-scheme\s*:\s*(light|dark)\s*\)", re.IGNORECASE)
_BOTH = re.compile(r"(color-scheme\s*:\s*)light\s+dark(?:\s+only)?", re.IGNORECASE)
_META = re.compile(r"<meta\b[^>]*\bname=\"(?:supported-)?color-schemes?\"[^>]*>", re.IGNORECASE)
_HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
ALWAYS: Final = "(min-width:0)"
NEVER: Final = "(max-width:0)"


def framed(html: str, scheme: Scheme) -> str:
    """Give the mail's HTML for a frame in this colour scheme."""
    html = _STYLE.sub(lambda style: style[1] + _styled(style[2], scheme) + style[3], html)
    html = _META.sub("", html)
    head = f'<base target="_blank"><meta name="color-scheme" content="{scheme}">'
    return _HEAD.sub(lambda found: found[0] + head, html, count=1)


def _styled(css: str, scheme: Scheme) -> str:
    css = _QUERY.sub(lambda query: ALWAYS if query[1].lower() == scheme else NEVER, css)
    return _BOTH.sub(lambda both: both[1] + scheme, css)
