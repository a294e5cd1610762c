"""Split a file into its front matter and its body: YAML, TOML, JSON, a MultiMarkdown header, or none.

A `---` that opens no mapping is a thematic break and stays. Every error names the file and the line. Values are
plain: text, numbers, true and false, lists, mappings, and TOML's own dates; all text is cleaned as the file was.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mailer.errors import Problem, UserError
from mailer.issue.decode import clean, mend_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.issue.page import Note, Page
    from mailer.issue.yaml_header import Header

_LONGEST = 262_144
_DEEPEST = 30
_KEY = re.compile(r"[A-Za-z_][\w .-]{0,40}[ \t]*:(?:[ \t\u00a0]|$)", re.MULTILINE)
_YAML_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_TOO_MUCH = "The front matter is too deeply nested, or holds a number of thousands of digits."
_TOML_END = re.compile(r"^\+\+\+[ \t]*$", re.MULTILINE)
_TOML_KEY = re.compile(r"^[ \t]*[\"']?([\w-]+)[\"']?[ \t]*=", re.MULTILINE)
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")
_HEADER_LINE = re.compile(r"([A-Za-z][\w -]{0,30}):[ \t]+(\S.*)$")
_HEADER_KEYS = frozenset(
    [
        "title",
        "subject",
        "subtitle",
        "date",
        "author",
        "issue",
        "number",
        "slug",
        "language",
        "lang",
        "list",
        "draft",
        "preheader",
        "excerpt",
    ]
)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The values by key; `raw` is the text of top-level scalars as it stands; `lines` says where a key stands."""

    kind: str = "none"
    values: Mapping[str, Any] = field(default_factory=dict)
    raw: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[tuple[int, Note], ...] = ()


def split(page: Page) -> tuple[FrontMatter, Page]:
    """Give the front matter and the page of the body; raises UserError for front matter that cannot be read."""
    lead = len(page.text) - len(page.text.lstrip(" \t\n\u200b\ufeff"))
    first_line = page.text[lead:].split("\n", 1)[0].rstrip()
    head = page.text[lead : lead + _LONGEST]
    found: tuple[FrontMatter, int] | None = None
    row = page.text.count("\n", 0, lead)
    if first_line == "---":
        found = _yaml(head, page, row)
    elif first_line == "+++":
        found = _toml(head, page, row)
    elif first_line.startswith("{") and not first_line.startswith(("{{", "{%", "{:")):
        found = _json(head, page, row)
    elif _HEADER_LINE.match(first_line):
        found = _header(head, row)
    if not found:
        return FrontMatter(), page
    matter, length = found
    at = lead + length
    rows = page.text.count("\n", 0, at)
    return _cleaned(matter), replace(page, text=page.text[at:], numbers=page.numbers[rows:])


def _yaml(head: str, page: Page, row: int) -> tuple[FrontMatter, int] | None:
    start = head.find("\n") + 1
    end = _YAML_END.search(head, start) if start else None
    if not end:
        if start and _KEY.match(head.lstrip("-\n \t")):
            said = "The front matter opens here and is never closed by a line of \u201c---\u201d."
            raise UserError(Problem(said, page.file, page.numbers[row]))
        return None
    block = head[start : end.start()]
    if block.strip() and not _KEY.search(block):
        return None
    from mailer.issue.yaml_header import read_yaml  # noqa: PLC0415 - PyYAML is for files that need it

    header = read_yaml(block, page.file, page.numbers[row] + 1)
    return (_of("yaml", header), end.end() + 1) if header else None


def _of(kind: str, header: Header) -> FrontMatter:
    return FrontMatter(kind, header.values, header.raw, header.lines, tuple(header.notes))


def _toml(head: str, page: Page, row: int) -> tuple[FrontMatter, int] | None:
    start = head.find("\n") + 1
    end = _TOML_END.search(head, start) if start else None
    first = page.numbers[row] + 1
    if not end:
        said = "The front matter opens here and is never closed by a line of \u201c+++\u201d."
        raise UserError(Problem(said, page.file, page.numbers[row]))
    block = head[start : end.start()]
    try:
        values = tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        place = _TOML_LINE.search(str(error))
        line = first + int(place[1]) - 1 if place else first
        said = f"The front matter is not valid TOML: {_TOML_LINE.sub('', str(error)).strip()}."
        raise UserError(Problem(said, page.file, line)) from None
    except (RecursionError, ValueError):
        raise UserError(Problem(_TOO_MUCH, page.file, first)) from None
    lines = {
        match[1]: first + block.count("\n", 0, match.start())
        for match in list(_TOML_KEY.finditer(block))[:200]
    }
    raw = {key: value for key, value in values.items() if isinstance(value, str)}
    return FrontMatter("toml", values, raw, lines), end.end() + 1


def _json(head: str, page: Page, row: int) -> tuple[FrontMatter, int] | None:
    try:
        values, length = json.JSONDecoder().raw_decode(head)
    except json.JSONDecodeError as error:
        if not re.match(r"\{\s*\"", head):
            return None
        line = page.numbers[row] + error.lineno - 1
        raise UserError(
            Problem(f"The front matter is not valid JSON: {error.msg}.", page.file, line)
        ) from None
    except (RecursionError, ValueError):
        raise UserError(Problem(_TOO_MUCH, page.file, page.numbers[row])) from None
    raw = {key: value for key, value in values.items() if isinstance(value, str)}
    lines = dict.fromkeys(values, page.numbers[row])
    rest = head[length : length + 200].split("\n", 1)[0]
    return FrontMatter("json", values, raw, lines), length + len(rest) + 1


def _header(head: str, row: int) -> tuple[FrontMatter, int] | None:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    at, key = 0, ""
    for offset, line in enumerate(head.split("\n")[:60]):
        at += len(line) + 1
        match = _HEADER_LINE.match(line)
        if match and not line.startswith((" ", "\t")):
            key = match[1].strip()
            if offset == 0 and key.lower() not in _HEADER_KEYS:
                return None
            values[key], lines[key] = match[2].strip(), row + offset + 1
        elif key and line.startswith(("    ", "\t")):
            values[key] += " " + line.strip()
        elif not line.strip():
            break
        else:
            return None
    return FrontMatter("header", values, dict(values), lines), at


def _cleaned(matter: FrontMatter) -> FrontMatter:
    values = {clean(str(key)): _clean(value) for key, value in matter.values.items()}
    raw = {key: mend_value(clean(value)) for key, value in matter.raw.items()}
    return replace(matter, values=values, raw=raw)


def _clean(value: Any, depth: int = 0) -> Any:
    if isinstance(value, str):
        return mend_value(clean(value))
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [_clean(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): _clean(item, depth + 1) for key, item in value.items()}
    return value
