"""What the front matter says about an issue, typed: date, language, list, draft, hero, links, preheader.

Keys are found whatever their case and hyphens. A value of the wrong kind is a finding (`fm-type`) and counts as
missing; it is never guessed. Nothing here may be trusted as HTML; only http, https and relative addresses pass.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mailer.issue.dates import is_zone, read_date, read_moment
from mailer.issue.model import Hero
from mailer.issue.page import Note, error, warning
from mailer.issue.prose import decoded, one_line

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from mailer.issue.dates import Moment
    from mailer.issue.front_matter import FrontMatter

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,3}$")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LIQUID = re.compile(r"\{\{[^{}]{0,200}\}\}|\{%[^{}]{0,200}%\}")
_URL = re.compile(r"https?://[^\s<>\"'\u3000\uff09)]+")
_REPOST = re.compile(
    r"(?:\u8f6c\u8f7d\u81ea|\u8f49\u8f09\u81ea|\u539f\u6587|\u8f6c\u81ea|\u51fa\u5904|"
    r"cross-?posted|(?:originally|first) (?:published|posted|appeared))"
    r"[^\n]{0,60}?(https?://[^\s<>\"']+)",
    re.IGNORECASE,
)
_TRUE = frozenset({"true", "yes", "on", "1", "y"})
_FALSE = frozenset({"false", "no", "off", "0", "n"})
_HERO_KEYS = (
    "image",
    "hero",
    "cover",
    "cover_image",
    "coverimage",
    "featured_image",
    "featuredimage",
    "feature_image",
    "feature",
    "banner",
    "og_image",
    "hero_image",
    "heroimage",
    "images",
)
_SRC_KEYS = ("feature", "src", "url", "path", "image", "file", "filename", "relative", "large")
_PREHEADER_KEYS = (
    "preheader",
    "preview_text",
    "previewtext",
    "excerpt",
    "description",
    "summary",
    "subtitle",
    "tagline",
    "lead",
)


class Fields:
    """Reads one file's front matter; `notes` collects what was wrong with it, each with its line."""

    def __init__(self, matter: FrontMatter) -> None:
        self._keys = {str(key).lower().replace("-", "_"): str(key) for key in reversed(list(matter.values))}
        self._matter = matter
        self.notes: list[tuple[int, Note]] = list(matter.notes)

    def get(self, *names: str) -> Any:
        """Give the first value under one of these names that is not empty."""
        for name in names:
            value = self._matter.values.get(self._keys.get(name, ""))
            if value not in (None, "", [], {}):
                return value
        return None

    def plain_values(self) -> dict[str, Any]:
        """Give all values with their keys in lower case and underscores."""
        return {name: self._matter.values[key] for name, key in self._keys.items()}

    def line(self, name: str) -> int:
        """Give the line of the file on which a key stands."""
        return self._matter.lines.get(self._keys.get(name, ""), 1)

    def wrong(self, name: str, message: str) -> None:
        """Report a value of the wrong kind."""
        self.notes.append((self.line(name), warning("fm-type", f"{name}: {message}")))

    def text(self, *names: str) -> str:
        """Give a value as one line of text, as it stands in the file: `title: 3.10` is "3.10"."""
        for name in names:
            value = self.get(name)
            if isinstance(value, str | int | float):
                raw = self._matter.raw.get(self._keys[name])
                return decoded(raw if raw is not None else str(value))
            if value is not None and not isinstance(value, dict | list):
                return str(value)
        return ""

    def flag(self, name: str) -> bool | None:
        """Give a switch, or None when it is missing or no switch."""
        value = self.get(name)
        word = str(value).strip().lower() if isinstance(value, str | int) else ""
        return True if word in _TRUE else False if word in _FALSE else None

    def date(self, local: tzinfo) -> datetime | None:
        """Give the date of the issue."""
        for name in (
            "date",
            "publishdate",
            "publish_date",
            "published_at",
            "pubdate",
            "published",
            "created",
        ):
            value = self.get(name)
            if value is None or isinstance(value, bool):
                continue
            found = read_date(value, local)
            if found:
                return found
            if name in {"date", "publishdate"}:
                self.wrong(
                    name, f"\u201c{one_line(str(value))[:40]}\u201d is no date; write 2024-07-01 09:00."
                )
        return None

    def send(self) -> Moment | None:
        """Give when the issue is to go out by itself; what cannot be read stops it, for nobody would notice."""
        value = self.get("send")
        if value is None or isinstance(value, bool):
            return None
        found = read_moment(value)
        if found is None or not is_zone(found.zone):
            said = f"send: \u201c{one_line(str(value))[:40]}\u201d is no date with an hour; write 2026-12-01 08:00."
            self.notes.append((self.line("send"), error("fm-send", said)))
            return None
        return found

    def language(self) -> str | None:
        """Give the language as a BCP 47 tag."""
        for name in ("language", "lang", "locale"):
            value = self.get(name)
            if isinstance(value, str) and _LANGUAGE.match(value.strip()):
                return value.strip().replace("_", "-")
            if value is not None:
                self.wrong(name, "write a language tag such as en, de or zh-Hans.")
        return None

    def draft(self, file: str) -> bool:
        """Say whether the author holds the issue back."""
        held = self.flag("draft") is True or self.flag("published") is False
        status = str(self.get("status") or "").strip().lower()
        return held or status == "draft" or "_drafts/" in file.replace("\\", "/")

    def address(self, *names: str) -> str | None:
        """Give an http(s) or relative address; anything else is reported and dropped."""
        for name in names:
            value = self.get(name)
            if isinstance(value, str):
                found = safe_address(value)
                if found:
                    return found
                self.wrong(name, "this is no web address that a mail may carry.")
        return None

    def canonical(self) -> str | None:
        """Give the address of the issue on the web: declared, or that of the text it was taken from."""
        declared = self.address("canonical", "canonical_url", "canonicalurl", "url")
        if declared:
            return declared
        link = self.get("permalink")
        if isinstance(link, str) and not re.search(r"[:{]\w", link.split("://")[-1]):
            return self.address("permalink")
        for name in _PREHEADER_KEYS:
            value = self.get(name)
            source = _REPOST.search(value) if isinstance(value, str) else None
            if source:
                return source[1]
        return None

    def separator(self) -> str:
        """Give the author's own sign for the end of the excerpt (Jekyll's `excerpt_separator`)."""
        value = self.get("excerpt_separator")
        return value.strip()[:100] if isinstance(value, str) else ""

    def hero(self) -> Hero | None:
        """Give the picture at the top; `header-img` and the like decorate a web page and are none."""
        for name in _HERO_KEYS:
            value = self.get(name)
            if isinstance(value, list):
                value = value[0]
            found = self._hero_of(value)
            if found:
                src = safe_address(found.src)
                if src:
                    return Hero(src, found.alt, found.credit)
                self.wrong(name, "this is no picture that a mail may carry.")
        return None

    def _hero_of(self, value: Any) -> Hero | None:
        if isinstance(value, str):
            alt = self.text("image_alt", "imagealt", "cover_alt", "featured_image_alt", "hero_alt", "alt")
            return Hero(value, alt, self._credit(self.get("image_credit", "image_caption", "cover_caption")))
        if not isinstance(value, dict):
            return None
        src = next((value[key] for key in _SRC_KEYS if isinstance(value.get(key), str) and value[key]), None)
        alt = next((value[key] for key in ("alt", "title") if isinstance(value.get(key), str)), "")
        credit = self._credit(value.get("credit") or value.get("caption") or value.get("attribution"))
        link = value.get("creditlink") or value.get("credit_link")
        if credit and isinstance(link, str) and "<" not in credit and safe_address(link):
            credit = f"[{credit}]({safe_address(link)})"
        return Hero(src, one_line(alt), credit) if src else None

    @staticmethod
    def _credit(value: Any) -> str:
        return one_line(value)[:1000] if isinstance(value, str) else ""

    def preheaders(self) -> list[str]:
        """Give the author's own words for the preheader, best first."""
        values = [self.text(name) for name in _PREHEADER_KEYS]
        return [
            value for value in values if value and not _REPOST.search(value) and not _URL.fullmatch(value)
        ]


def safe_address(text: str) -> str | None:
    """Give the address if it is http, https or relative, without what a site generator left in it."""
    text = "".join(_LIQUID.sub("", text).split())
    scheme = _SCHEME.match(text)
    if not text or (scheme and scheme[0].lower() not in {"http:", "https:"}):
        return None
    return text[:2000]
