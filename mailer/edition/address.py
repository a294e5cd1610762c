"""Relative addresses -> absolute ones, and local files behind them. Never touches the network.

A site-relative path belongs to the newsletter's base URL; a path beside the issue's own file (a page bundle) to the
issue's own page. Local files are only looked for inside the newsletter's folder, links resolved.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urljoin, urlsplit

if TYPE_CHECKING:
    from pathlib import Path

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_WEB = re.compile(r"https?://[^/?#\s]", re.IGNORECASE)
_SAFE = "%/:?#[]@!$&'()*+,;=~-._"
_ROOTS = ("", "static", "public", "assets", "docs", "source")
_LONGEST = 2_000  # characters of a URL; mail programs and servers give up beyond


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where an issue lives: on the web (`base`, `page`) and on the disk (`folder`, `beside`)."""

    base: str | None
    page: str | None
    folder: Path | None
    beside: Path | None
    fields: frozenset[str] = frozenset()
    """Tokens of merge fields: where one is the whole address, the reader's own is judged when it is filled in."""

    def absolute(self, address: str) -> str | None:
        """Give the absolute form of `address`, or None where nothing says what it is relative to."""
        address = address.strip()
        if address in self.fields:
            return address
        if address.startswith("//"):
            address = "https:" + address
        if not _SCHEME.match(address):
            root = self._root(address)
            if root is None:
                return None
            address = urljoin(root, address)
        try:
            urlsplit(address)
        except ValueError:
            return None
        return quote(address, safe=_SAFE) if len(address) <= _LONGEST else None

    def _root(self, address: str) -> str | None:
        if self.page and not address.startswith("/") and (self.base is None or self._beside(address)):
            return self.page
        return self.base or self.page

    def _beside(self, address: str) -> Path | None:
        return self._inside(self.beside, address) if self.beside else None

    def local(self, address: str) -> Path | None:
        """Give the file of the newsletter's folder that `address` names, or None."""
        address = address.strip()
        if is_web(address):
            if not self.base or not address.startswith(self.base):
                return None
            address = address[len(self.base) :]
        elif _SCHEME.match(address) or address.startswith("//"):
            return None
        if not address.startswith("/") and (found := self._beside(address)):
            return found
        if self.folder is None:
            return None
        places = (self._inside(self.folder / root, address.lstrip("/")) for root in _ROOTS)
        return next((place for place in places if place), None)

    def _inside(self, start: Path, address: str) -> Path | None:
        if self.folder is None:
            return None
        name = unquote(address.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0])
        if not name or "\0" in name or len(name) > 500:
            return None
        try:
            path = (start / name).resolve()
            return path if path.is_relative_to(self.folder.resolve()) and path.is_file() else None
        except (OSError, RuntimeError):
            return None


def is_web(address: str) -> bool:
    """Say whether `address` is http or https, with a host."""
    return _WEB.match(address) is not None


def web_root(address: str | None) -> str | None:
    """Give `address` as something to join paths to: with http(s), and a slash at its end."""
    if not address or not is_web(address):
        return None
    return address if address.endswith("/") else address + "/"
