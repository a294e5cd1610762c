"""The pages of the documentation as the tests see them: sections, tables, code, links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = (*sorted(ROOT.glob("*.md")), *sorted(DOCS.glob("*.md")), ROOT / "tests/samples/README.md")
_HEADING = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def read(name: str) -> str:
    """Give a page of docs/."""
    return (DOCS / name).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    """Give a page without its fenced blocks."""
    return _FENCE.sub("", text)


def blocks(text: str, language: str) -> list[str]:
    """Give the fenced blocks of a language."""
    return [body for name, body in _FENCE.findall(text) if name == language]


def spans(text: str) -> list[str]:
    r"""Give what stands in backticks, outside of fenced blocks; `\|` of tables is a bar."""
    return [span.replace("\\|", "|") for span in re.findall(r"`([^`\n]+)`", without_code(text))]


def sections(text: str) -> dict[str, str]:
    """Give {heading: what stands below it, up to the next heading of any level}."""
    text = without_code(text)
    found = list(_HEADING.finditer(text))
    ends = [match.start() for match in found[1:]] + [len(text)]
    return {match[2]: text[match.end() : end] for match, end in zip(found, ends, strict=True)}


def rows(text: str) -> list[list[str]]:
    """Give the cells of all tables, without their head rows."""
    lines = [line.strip() for line in without_code(text).split("\n")]
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))] if line.startswith("|") else []
        for line in lines
    ]
    ruled = [bool(row) and all(re.fullmatch(r":?-+:?", cell) for cell in row) for row in cells]
    return [
        row
        for number, row in enumerate(cells)
        if row and not ruled[number] and not (number + 1 < len(cells) and ruled[number + 1])
    ]


def names(cell: str) -> list[str]:
    """Give what stands in backticks in a cell."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(text: str) -> set[str]:
    """Give the anchors that GitHub makes of a page's headings."""
    titles = (re.sub(r"[`*]", "", match[2]).lower() for match in _HEADING.finditer(without_code(text)))
    return {re.sub(r"[^\w\- ]", "", title).strip().replace(" ", "-") for title in titles}


def links(text: str) -> Iterator[str]:
    """Give the targets of all links and pictures."""
    yield from re.findall(r"\]\(([^()\s]+)\)", without_code(text))
