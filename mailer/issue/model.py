"""What the issue room gives: an Issue, its findings and its merge fields. Plain frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mailer.issue.dates import Moment


class Level(StrEnum):
    """How much a finding matters: an error stops check, test mails, send and schedules."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that check reports: `rule` is its stable name (`size-clip`), `line` counts from 1."""

    rule: str
    level: Level
    message: str
    file: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class MergeField:
    """A `{{ subscriber.name | default("friend") }}` of the source, replaced in the body by `token`.

    The token is ASCII letters and digits only, so every later step leaves it alone in text, attributes and URLs,
    and holds a hash of the source, so no source can contain it.
    """

    token: str
    name: str
    default: str | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Hero:
    """The picture at the top, from the front matter. `credit` is unsanitised HTML or Markdown."""

    src: str
    alt: str = ""
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue as its author wrote it, understood and repaired.

    `body` is CommonMark with GFM tables, strikethrough, footnotes, definition lists, task lists and raw HTML that
    is not yet sanitised: whatever dialect the file was in has been translated. `lines[i]` is the line of the file
    (from 1) that the body's line i (from 0) came from.
    """

    file: str
    number: int | None
    slug: str
    subject: str
    body: str
    lines: tuple[int, ...] = ()
    title: str = ""
    preheader: str = ""
    summary: str = ""
    date: datetime | None = None
    language: str | None = None
    list: str | None = None
    draft: bool = False
    canonical: str | None = None
    more_url: str | None = None
    hero: Hero | None = None
    send: Moment | None = None
    merge_fields: tuple[MergeField, ...] = ()
    front_matter: Mapping[str, object] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
