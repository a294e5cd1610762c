"""What the edition room gives, and what it needs to know of the list: frozen values, JSON in and out."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from mailer.issue.model import Finding, Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Context(StrEnum):
    """Where a slot stands, which decides how its value is made harmless."""

    HEADER = "header"  # an unstructured header field: no CR, LF or control character
    TEXT = "text"  # the plain-text part: no control characters, line breaks become spaces
    HTML = "html"  # between tags
    ATTRIBUTE = "attribute"  # inside a quoted attribute
    URL = "url"  # a component of a URL in an attribute: percent-encoded
    LINK = "link"  # a whole URL in an attribute: http, https or mailto, else empty
    ADDRESS = "address"  # a whole URL in the text part: a space and the URL in angle brackets, else empty


@dataclass(frozen=True, slots=True)
class Slot:
    """One place that differs per reader.

    `name` is `subscriber.<attribute>` or one of ours: `link.unsubscribe`, `link.preferences`, `link.browser`.
    """

    name: str
    context: Context
    default: str = ""


Slotted: TypeAlias = tuple[str | Slot, ...]
"""Text with slots. Neighbouring strings are joined, so strings and slots alternate or slots touch."""


@dataclass(frozen=True, slots=True)
class Link:
    """A link of the edition, numbered in the order of the mail (from 1)."""

    number: int
    url: str
    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the edition, with the width in CSS pixels that the mail gives it."""

    url: str
    alt: str
    width: int | None = None


@dataclass(frozen=True, slots=True)
class Masthead:
    """What an edition needs to know of its list and sender. The defaults serve a file without a mailer.toml."""

    list_key: str = "main"
    list_name: str = ""
    sender_name: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    base_url: str | None = None
    permalink: str | None = None
    public_url: str | None = None
    postal_address: str = ""
    why: str = ""
    theme: Mapping[str, str] = field(default_factory=dict)
    templates: Path | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Edition:
    """An issue compiled and frozen. What is sent is an edition, never a file."""

    file: str
    number: int | None
    slug: str
    subject: Slotted
    preheader: str
    date: str | None
    language: str
    direction: str
    html: Slotted
    text: Slotted
    draft: bool = False
    canonical: str | None = None
    links: tuple[Link, ...] = ()
    images: tuple[Image, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop a send."""
        return tuple(finding for finding in self.findings if finding.level is Level.ERROR)

    @property
    def content_hash(self) -> str:
        """SHA-256 (hex) over everything that a reader can see; findings and file names do not count."""
        seen = [self.subject, self.preheader, self.language, self.direction, self.html, self.text]
        plain = json.dumps(seen, default=asdict, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()

    def to_json(self) -> str:
        """Give the whole edition as JSON, for the database and between processes."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Edition:
        """Read what to_json wrote."""
        raw: dict[str, Any] = json.loads(text)
        for name in ("subject", "html", "text"):
            raw[name] = tuple(part if isinstance(part, str) else _slot(part) for part in raw[name])
        raw["links"] = tuple(Link(**link) for link in raw["links"])
        raw["images"] = tuple(Image(**image) for image in raw["images"])
        raw["findings"] = tuple(
            Finding(**{**finding, "level": Level(finding["level"])}) for finding in raw["findings"]
        )
        return cls(**raw)


def _slot(raw: Mapping[str, str]) -> Slot:
    return Slot(raw["name"], Context(raw["context"]), raw["default"])
