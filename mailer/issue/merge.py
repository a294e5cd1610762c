"""Merge fields: `{{ subscriber.first_name | default("friend") }}` -> a MergeField and its token.

A token is 24 lower-case ASCII letters and digits, so that no later step changes it, and holds a digest of the whole
source, so that no source can contain it. Only the namespaces subscriber, list and issue are ours. Names of site
generators are residue: `{{ page.title }}` is answered from the front matter, the rest is dropped. Anything else is
an error, because a reader would see it.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from mailer.issue.model import MergeField
from mailer.issue.page import Edit, Note, Page, between, error, warning
from mailer.issue.prose import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NAMESPACES = ("subscriber", "list", "issue")
LIST_FIELDS = frozenset({"name", "key"})
ISSUE_FIELDS = frozenset({"number", "title", "subject", "slug", "date"})
_FIELD = re.compile(
    r"\{\{-?[ \t\n]*(subscriber|list|issue)\.([\w-]{1,60})[ \t\n]*"
    r"(?:\|[ \t\n]*default[ \t\n]*(?::[ \t\n]*|\([ \t\n]*|[ \t\n]+)"
    "(?:\"([^\"{}]{0,200})\"|'([^'{}]{0,200})'|[\u201c\u201e]([^\u201c\u201d{}]{0,200})[\u201c\u201d])"
    r"[ \t\n]*\)?)?[ \t\n]*-?\}\}",
)
_GENERATOR = re.compile(
    r"\{\{[-<%]?[ \t\n]*(?:[.$]|(?:site|page|include|layout|post|content|paginator|theme|jekyll|forloop|item|"
    r"section|collection|now|request|params)\b)"
)
_PAGE = re.compile(r"\{\{-?[ \t\n]*page\.([\w-]{1,60})[ \t\n]*-?\}\}$")
_LITERAL = re.compile(r"\{\{-?[ \t\n]*(?:\"([^\"]{0,500})\"|'([^']{0,500})')[^{}]*\}\}$")
_FOREIGN = re.compile(r"\*\|[A-Z][A-Z0-9_:]{1,40}\|\*|%%[a-z_]{3,30}%%|\{\$[a-z_.]{2,40}\}")
_TOKEN = re.compile(r"mf[0-9a-f]{18}[0-9]{4}")
_MOST = 9_999


class _Reading(NamedTuple):
    text: str
    note: Note | None = None


class Merge:
    """Finds the merge fields of one source and remembers them, each name and default once."""

    def __init__(self, source: bytes, values: Mapping[str, object]) -> None:
        self._digest = hashlib.sha256(source).hexdigest()[:18]
        self._values = values
        self._fields: dict[tuple[str, str | None], MergeField] = {}

    @property
    def fields(self) -> tuple[MergeField, ...]:
        """All fields found so far, in the order of their first use."""
        return tuple(self._fields.values())

    def tokenise(self, page: Page) -> Page:
        """Replace the merge fields of a page by tokens, and drop or report what else stands in braces."""
        if "{{" in page.text:
            page = page.splice(self._edits(page))
        if "*|" in page.text or "%%" in page.text or "{$" in page.text:
            page = page.sub(_FOREIGN, lambda match: match[0], lambda match: _foreign(match[0]))
        return page

    def tokenise_value(self, text: str, file: str, line: int) -> Page:
        """Do the same for one value of the front matter; the page's text is the value on one line."""
        return self.tokenise(Page.of(one_line(text), file, line))

    def _edits(self, page: Page) -> Iterator[Edit]:
        row = at = 0
        for start, end in between(page.text, "{{", "}}", 1000):
            source = page.text[start:end]
            row += page.text.count("\n", at, start)
            at = start
            field = _FIELD.match(source)
            reading = self._field(field, page.numbers[row]) if field and field.end() == len(source) else None
            reading = reading or self._other(source)
            yield Edit(start, end, reading.text, reading.note)

    def _field(self, match: re.Match[str], line: int) -> _Reading | None:
        namespace, attribute = match[1], match[2]
        known = {"list": LIST_FIELDS, "issue": ISSUE_FIELDS}.get(namespace)
        if known and attribute not in known:
            names = ", ".join(f"{namespace}.{name}" for name in sorted(known))
            return _Reading(match[0], _unknown(match[0], f"there are {names}"))
        default = next((text for text in match.groups()[2:] if text is not None), None)
        name = f"{namespace}.{attribute}"
        if len(self._fields) >= _MOST:
            return _Reading("", _unknown(match[0], "there are too many of them"))
        token = f"mf{self._digest}{len(self._fields):04d}"
        field = self._fields.setdefault((name, default), MergeField(token, name, default, line))
        return _Reading(field.token)

    def _other(self, source: str) -> _Reading:
        literal = _LITERAL.match(source)
        if literal:
            note = warning("residue", "A filter of a site generator was taken off; its text stays.")
            return _Reading(literal[1] or literal[2] or "", note)
        page = _PAGE.match(source)
        if page and isinstance(self._values.get(page[1]), str | int):
            return _Reading(one_line(str(self._values[page[1]])))
        if _GENERATOR.match(source):
            return _Reading(
                "", warning("residue", f"{one_line(source)[:60]} of a site generator was dropped.")
            )
        return _Reading(source, _unknown(source, "a merge field begins with subscriber., list. or issue."))


def tokens(text: str) -> list[str]:
    """Give everything in a text that has the shape of a token."""
    return _TOKEN.findall(text)


def _unknown(source: str, why: str) -> Note:
    return error("merge-unknown", f"{one_line(source)[:80]} is no merge field: {why}.")


def _foreign(source: str) -> Note:
    return _unknown(source, "write {{ subscriber.first_name }} and the like")
