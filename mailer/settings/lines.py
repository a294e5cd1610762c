"""The line of a TOML file that each key stands on.

The standard library's parser gives values without places. This scanner reads a text that tomllib has
already accepted (TOML 1.0) and maps the path of every key and table header to its line. It never judges the
text: keys inside inline tables and elements of arrays have the line of the key that holds them.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KeyPath: TypeAlias = tuple[str | int, ...]

_TOKEN: Final = re.compile(
    r"""(?P<string>"{3}(?:\\.|[^\\])*?"{3,5}|'{3}.*?'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')"""
    r"""|(?P<comment>\#[^\n]*)|(?P<end>\n)|(?P<mark>[\[\]{}=,.])|(?P<bare>[^\s\[\]{}=,.\#"']+)""",
    re.DOTALL,
)
_DEEPER: Final = {"[": 1, "{": 1, "]": -1, "}": -1}


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """Give the line (from 1) of every key and table of a valid TOML text."""
    lines: dict[KeyPath, int] = {}
    tables: dict[KeyPath, int] = {}
    here: KeyPath = ()
    for line, words in _statements(text):
        if words[0] == "[":
            here = _table(words, tables)
            _note(here, line, lines)
        else:
            _note(here + tuple(_keys(words)), line, lines)
    return lines


def line_of(lines: Mapping[KeyPath, int], path: KeyPath) -> int | None:
    """Give the line of the key, or of the nearest thing around it that has one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return None


def _statements(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each header and each assignment as its line and its tokens; comments are left out."""
    words: list[str] = []
    line = start = 1
    depth = 0
    for token in _TOKEN.finditer(text.replace("\r\n", "\n") + "\n"):
        word = token.group()
        if token.lastgroup == "end" and depth == 0 and words:
            yield start, words
            words = []
        elif token.lastgroup not in {"end", "comment"}:
            start = start if words else line
            words.append(word)
            depth += _DEEPER.get(word, 0)
        line += word.count("\n")


def _keys(words: list[str]) -> Iterator[str]:
    for word in words:
        if word == "=":
            return
        if word not in ".[]":
            yield tomllib.loads(f"key = {word}")["key"] if word[0] in "\"'" else word


def _table(words: list[str], tables: dict[KeyPath, int]) -> KeyPath:
    """Resolve a header: `[[x]]` begins the next element of x, `[x.y]` belongs to the newest element of x."""
    keys = tuple(_keys(words))
    path: KeyPath = ()
    for key in keys[:-1]:
        path = (*path, key)
        path = (*path, tables[path]) if path in tables else path
    path = (*path, keys[-1])
    if words[:2] == ["[", "["]:
        tables[path] = tables.get(path, -1) + 1
        return (*path, tables[path])
    return path


def _note(path: KeyPath, line: int, lines: dict[KeyPath, int]) -> None:
    for length in range(1, len(path) + 1):
        lines.setdefault(path[:length], line)
