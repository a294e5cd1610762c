"""The numbered links of the text.

One URL has one number in the whole mail, and is listed again at the end of each section that speaks of it:
one list at the end of the mail would be far from its readers. A URL is never broken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from mailer.edition.text.measure import Measure

SHORT = 32  # a URL of at most so many columns stands in the text itself
WHOLE = (
    "\ufdd0"  # behind a slot token that is a whole URL, until slots.py cuts the text: no source can hold it
)
_UNSAFE = re.compile("[\x00-\x20\x7f-\xa0\u2028\u2029<>\ud800-\udfff]")
_SCHEME = re.compile(r"(?i)(?:https?://)?(?:www\.)?")


def safe_url(href: str) -> str:
    """Give the URL without spaces, brackets or control characters, which would end it before its end."""
    url = href.strip(" \t\r\n")
    return _UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}" if ord(found[0]) < 0x80 else "", url)


def mail_address(url: str) -> str | None:
    """Give the address of a mailto URL that holds nothing else (RFC 6068)."""
    if url[:7].lower() != "mailto:" or "?" in url or "," in url:
        return None
    return safe_url(unquote(url[7:], errors="replace"))


def same_place(text: str, url: str) -> bool:
    """Say whether a reader sees `url` in `text`: scheme, www and a last slash aside."""
    return _SCHEME.sub("", text, count=1).rstrip("/") == _SCHEME.sub("", url, count=1).rstrip("/")


def bracketed(url: str, measure: Measure) -> str:
    """Give the URL in angle brackets (RFC 3986, appendix C)."""
    return f"<{url}{WHOLE}>" if measure.is_token(url) else f"<{url}>"


class Links:
    """Numbers for URLs, and the list that the current section owes its reader."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._numbers: dict[str, int] = {}
        self._owed: set[str] = set()

    def number(self, url: str) -> int:
        """Give the URL's number, and owe it to the section."""
        self._owed.add(url)
        return self._numbers.setdefault(url, len(self._numbers) + 1)

    @property
    def owed(self) -> int:
        """How many links the section has to list."""
        return len(self._owed)

    def listed(self, width: int) -> list[str]:
        """Give the section's list, in the order of the numbers, and owe nothing any more.

        A URL is never broken. One that is too wide for its line stands in angle brackets.
        """
        owed = sorted((self._numbers[url], url) for url in self._owed)
        self._owed.clear()
        return [self._line(number, url, width) for number, url in owed]

    def _line(self, number: int, url: str, width: int) -> str:
        line = f"[{number}] {url}"
        bare = self._measure(line) <= width and not self._measure.is_token(url)
        return line if bare else f"[{number}] {bracketed(url, self._measure)}"
