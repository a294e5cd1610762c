"""YAML front matter -> values, without PyYAML's constructors: YAML 1.2, the core schema.

Built from libyaml's flat events, because its composer recurses in C and dies (SIGSEGV) on deep nesting. Dates stay
text (fields.py understands them), `072` is 72 and not octal 58, aliases of collections are refused (bombs), keys
that stand twice are reported. What YAML would silently cut at ` #`, or refuse at `: `, is quoted beforehand.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from mailer.errors import Problem, UserError
from mailer.issue.page import Note, error, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 30
_MOST_EVENTS = 20_000
TEXT_KEYS = frozenset(
    [
        "title",
        "subject",
        "subtitle",
        "excerpt",
        "description",
        "preheader",
        "preview",
        "preview_text",
        "summary",
        "author",
        "tagline",
        "lead",
    ]
)
_PLAIN = re.compile(r"([A-Za-z][\w.-]*)([ \t]*:[ \t\u00a0]+)([^\s'\"|>\[{&*!%@`#].*)$")
_CUT = re.compile(r"[ \t]#(?=\S|[ \t]\d)")
_COMMENT = re.compile(r"[ \t]#[ \t]+(?!\d).*$")
_SPACE = re.compile(r"^[A-Za-z][\w.-]*[ \t]*:\u00a0+", re.MULTILINE)
_INT = re.compile(r"[-+]?\d{1,18}$")
_FLOAT = re.compile(r"[-+]?(?:\d{1,18}\.\d{0,18}|\.\d{1,18})(?:e[-+]?\d{1,3})?$", re.IGNORECASE)
_WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
}  # fmt: skip


class Header:
    """What front matter holds: values by key, the source text of top-level scalars, and the lines of the keys."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.raw: dict[str, str] = {}
        self.lines: dict[str, int] = {}
        self.notes: list[tuple[int, Note]] = []


def read_yaml(text: str, file: str, first: int) -> Header | None:
    """Give the header of a text whose first line is line `first`; None if it is no mapping at all."""
    header = Header()
    text = _quoted(text, first, header.notes)
    try:
        _Builder(header, file, first).build(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error_:
        mark = getattr(error_, "problem_mark", None) or getattr(error_, "context_mark", None)
        what = getattr(error_, "problem", None) or "it cannot be read"
        line = first + (mark.line if mark else 0)
        advice = "put the value in quotes" if "mapping values" in what else "compare it with the lines above"
        raise UserError(
            Problem(f"The front matter is not valid YAML: {what}; {advice}.", file, line)
        ) from None
    except _NoMappingError:
        return None
    return header


class _NoMappingError(Exception):
    """The document is a text or a list, so it is no front matter."""


class _Builder:
    """Builds values from events with a stack of its own, so that depth is ours to limit."""

    def __init__(self, header: Header, file: str, first: int) -> None:
        self._header, self._file, self._first = header, file, first
        self._stack: list[tuple[Any, list[Any]]] = []  # a container, and the key that waits for its value
        self._anchors: dict[str, Any] = {}
        self._result: Any = None

    def build(self, events: Iterator[Any]) -> None:
        for count, event in enumerate(events):
            if count > _MOST_EVENTS or len(self._stack) > _DEEPEST:
                self._refuse("too large or too deeply nested", event)
            self._take(event)
        if self._result is not None and not isinstance(self._result, dict):
            raise _NoMappingError

    def _take(self, event: Any) -> None:
        if isinstance(event, yaml.ScalarEvent):
            if not self._stack:
                if event.value:
                    raise _NoMappingError
                return
            value = event.value if event.style or not event.implicit[0] else _scalar(event.value)
            if event.anchor:
                self._anchors[event.anchor] = value
            self._put(value, event)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._open({} if isinstance(event, yaml.MappingStartEvent) else [], event)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            anchor = event.anchor or ""
            if anchor not in self._anchors:
                self._refuse(f"the alias *{event.anchor} is not supported, write the value out", event)
            self._put(self._anchors[anchor], event)

    def _open(self, container: Any, event: Any) -> None:
        if self._stack:
            self._put(container, event)
        elif isinstance(container, dict):
            self._result = self._header.values = container
        else:
            raise _NoMappingError
        self._stack.append((container, []))

    def _put(self, value: Any, event: Any) -> None:
        container, waiting = self._stack[-1]
        if isinstance(container, list):
            container.append(value)
        elif not waiting:
            waiting += (str(event.value if hasattr(event, "value") else value), event.start_mark.line)
        else:
            self._enter(container, waiting, value, event)
            waiting.clear()

    def _enter(self, mapping: dict[str, Any], waiting: list[Any], value: Any, event: Any) -> None:
        key, row = waiting
        line = self._first + row
        if key in mapping:
            note = error("yaml-safe", f"The key \u201c{key}\u201d stands twice in the front matter.")
            self._header.notes.append((line, note))
        mapping[key] = value
        if len(self._stack) == 1:
            self._header.lines[key] = line
            if isinstance(event, yaml.ScalarEvent):
                self._header.raw[key] = event.value

    def _refuse(self, why: str, event: Any) -> None:
        raise UserError(
            Problem(f"The front matter is refused: {why}.", self._file, self._first + event.start_mark.line)
        )


def _scalar(value: str) -> Any:
    if value in _WORDS:
        return _WORDS[value]
    if _INT.match(value):
        return int(value)
    return float(value) if _FLOAT.match(value) else value


def _quoted(text: str, first: int, notes: list[tuple[int, Note]]) -> str:
    """Quote the plain values of text keys that YAML would cut or refuse, and undo tabs and hard spaces."""
    if "\u00a0" in text:
        text = _SPACE.sub(lambda match: match[0].rstrip("\u00a0") + " ", text)
    lines = text.split("\n")
    for row, line in enumerate(lines):
        if "\t" in line:
            stem = line.lstrip(" \t")
            line = lines[row] = line[: len(line) - len(stem)].replace("\t", "  ") + stem  # noqa: PLW2901 - mended
        following = lines[row + 1] if row + 1 < len(lines) else ""
        match = None if following.startswith(" ") and following.strip() else _PLAIN.match(line)
        if match and match[1].lower().replace("-", "_") in TEXT_KEYS:
            lines[row] = _requoted(match, first + row, notes)
    return "\n".join(lines)


def _requoted(match: re.Match[str], line: int, notes: list[tuple[int, Note]]) -> str:
    key, colon, value = match.groups()
    cut = _CUT.search(value)
    if cut:
        said = f"YAML would end \u201c{key}\u201d before \u201c#\u201d; the whole line was taken. Quote it to be sure."
        notes.append((line, warning("fm-hash", said)))
    elif ": " not in value and not value.endswith(":"):
        return match[0]
    else:
        value = _COMMENT.sub("", value)
    doubled = value.rstrip().replace("'", "''")
    return f"{key}{colon}'{doubled}'"
