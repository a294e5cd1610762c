"""Reads what `NAME.expect.toml` expects of the issue `NAME.md` beside it, and says where the mail differs.

The keys are described in tests/samples/README.md. An unknown key is an error, so that no expectation is misspelt
and never tested.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from mailer.edition.model import Masthead, Slot
from tests.corpus.prose import same_address
from tests.corpus.rules import Mail, filled

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from mailer.issue.model import Issue

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass(frozen=True)
class Expectation:
    """What is expected of one sample. None means: nothing is said of it."""

    number: int | bool | None = None
    slug: str | None = None
    title: str | None = None
    subject: str | None = None
    subject_contains: list[str] = field(default_factory=list)
    subject_given: str | None = None
    asks_for: str | None = None
    preheader: str | None = None
    preheader_contains: list[str] = field(default_factory=list)
    language: str | None = None
    direction: str | None = None
    date: str | None = None
    draft: bool = False
    base_url: str | None = None
    list_name: str = ""
    headings: list[str] | None = None
    headings_include: list[str] = field(default_factory=list)
    links: list[str] | None = None
    links_include: list[str] = field(default_factory=list)
    link_count: int | None = None
    images: list[str] | None = None
    images_include: list[str] = field(default_factory=list)
    slots: list[str] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    findings_absent: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    html_has: list[str] = field(default_factory=list)
    html_lacks: list[str] = field(default_factory=list)
    text_has: list[str] = field(default_factory=list)
    text_lacks: list[str] = field(default_factory=list)
    text_width: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Expectation:
        """Read the file; an unknown key is a TypeError that names it."""
        return cls(**tomllib.loads(path.read_text(encoding="utf-8")))

    @property
    def masthead(self) -> Masthead:
        """The list that the sample is compiled for."""
        return Masthead(base_url=self.base_url, list_name=self.list_name, postal_address="1 Quay Street")


def differences(expected: Expectation, issue: Issue, mail: Mail) -> list[str]:
    """Give everything in which the mail is not what was expected."""
    return [
        *_facts(expected, issue, mail),
        *_findings(expected, mail),
        *_addresses(expected, mail),
        *_outline(expected, mail),
        *_pieces(expected, mail),
    ]


def _facts(expected: Expectation, issue: Issue, mail: Mail) -> Iterator[str]:
    edition = mail.edition
    facts: dict[str, Any] = {
        "number": edition.number if edition.number is not None else False,
        "slug": edition.slug,
        "title": issue.title,
        "subject": filled(edition.subject),
        "preheader": edition.preheader,
        "language": edition.language,
        "direction": edition.direction,
        "draft": edition.draft,
        "date": (edition.date or "")[:10] or None,
        "link_count": len(edition.links),
    }
    for name, found in facts.items():
        wanted = getattr(expected, name)
        if wanted is not None and wanted != found:
            yield f"{name} is {found!r}, not {wanted!r}"
    for name in ("subject", "preheader"):
        for piece in getattr(expected, f"{name}_contains"):
            if piece not in facts[name]:
                yield f"the {name} lacks {piece!r}: {facts[name]!r}"


def _findings(expected: Expectation, mail: Mail) -> Iterator[str]:
    found = {finding.rule for finding in mail.edition.findings}
    stopped = {finding.rule for finding in mail.edition.errors}
    yield from (
        f"no finding {rule}; there are {sorted(found)}" for rule in expected.findings if rule not in found
    )
    yield from (f"finding {rule} is wrong" for rule in expected.findings_absent if rule in found)
    if stopped != set(expected.errors):
        yield f"the errors are {[str(error) for error in mail.edition.errors]}, not {expected.errors}"
    slots = {part.name for part in (*mail.edition.html, *mail.edition.text) if isinstance(part, Slot)}
    yield from (f"no slot {name}; there are {sorted(slots)}" for name in expected.slots if name not in slots)


def _addresses(expected: Expectation, mail: Mail) -> Iterator[str]:
    for name in ("links", "images"):
        found = [same_address(item.url) for item in getattr(mail.edition, name)]
        exact = getattr(expected, name)
        if exact is not None and found != list(map(same_address, exact)):
            yield f"{name} are {found}, not {exact}"
        for url in map(same_address, getattr(expected, f"{name}_include")):
            if url not in found:
                yield f"{name} lack {url}: {found}"


def outline(mail: Mail) -> list[str]:
    """Give the headings below the title, each indented by two spaces for every heading it stands under."""
    found, open_levels = [], []
    for element in mail.tree.iter(*_HEADINGS):
        said = " ".join(element.text_content().split())
        if element.tag == "h1" or not said:
            continue
        level = int(element.tag[1])
        while open_levels and open_levels[-1] >= level:
            open_levels.pop()
        found.append("  " * len(open_levels) + said)
        open_levels.append(level)
    return found


def _outline(expected: Expectation, mail: Mail) -> Iterator[str]:
    found = outline(mail)
    if expected.headings is not None and found != expected.headings:
        yield f"the headings are {found}, not {expected.headings}"
    for heading in expected.headings_include:
        if heading not in found:
            yield f"no heading {heading!r}; there are {found}"


def _pieces(expected: Expectation, mail: Mail) -> Iterator[str]:
    for name, whole in (("html", mail.html), ("text", mail.text)):
        # HTML may fold its lines anywhere; the text's lines are what a reader sees.
        said = re.sub(r"\s+", " ", whole) if name == "html" else whole
        flat = re.sub(r"[ \n]+", " ", whole)
        bare = re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", flat)
        for piece in getattr(expected, f"{name}_has"):
            if not any(piece in form for form in (said, flat, bare, mail.shown if name == "html" else "")):
                yield f"the {name} lacks {piece!r}"
        for piece in getattr(expected, f"{name}_lacks"):
            if piece in said:
                at = said.index(piece)
                yield f"the {name} has {piece!r}: …{said[max(0, at - 40) : at + len(piece) + 40]!r}…"
    yield from _counts(expected, mail)


def _counts(expected: Expectation, mail: Mail) -> Iterator[str]:
    for path, wanted in expected.counts.items():
        found = mail.tree.xpath(path)
        if len(found) != wanted:
            yield f"{path} is there {len(found)} times, not {wanted}"
    if expected.text_width is not None:
        from wcwidth import wcswidth

        wide = [
            line
            for line in mail.text.splitlines()
            if wcswidth(line) > expected.text_width and "://" not in line
        ]
        if wide:
            yield f"lines wider than {expected.text_width} columns: {wide}"


KEYS = frozenset(item.name for item in fields(Expectation))
