"""Callouts of every dialect -> a quote that opens with a bold label.

Obsidian's and GitHub's `> [!note] Title`, Docusaurus's and Pandoc's `:::note`, MkDocs' `!!! note "Title"`. The depth of
nesting is limited; a directive that is never closed ends with the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects.embeds import attributes, first, label
from mailer.issue.page import BLOCK_MARK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailer.issue.page import Page

_CALLOUT = re.compile(
    r"^((?:[ \t]{0,3}>[ \t]?)+)\[!([\w -]{1,40})(?:\|[^\]\n]{0,40})?\][+-]?[ \t]*([^\n]*)$", re.MULTILINE
)
_OPEN = re.compile(
    r"[ \t]{0,3}(:{3,})[ \t]*(?:\{([^{}\n]{0,200})\}|([A-Za-z][\w-]{0,40}))?[ \t]*(?:\[([^\]\n]{0,200})\])?([^\n]*)$"
)
_CLOSE = re.compile(r"[ \t]{0,3}:{3,}[ \t]*$")
_ADMONITION = re.compile(
    r"[ \t]*(?:!!!|\?\?\?\+?)[ \t]+([\w-]{1,40})(?:[ \t]+(?:inline|end))*[ \t]*(?:\"([^\"\n]{0,200})\")?[ \t]*$"
)
_LAYOUT = frozenset(
    {"columns", "column", "center", "row", "grid", "left", "right", "section", "figure", "wide"}
)
_DEEPEST, _MOST_OPEN = 8, 50


def quoted(text: str, name: str) -> str:
    """Give the text as a quote that begins with a bold name, or without a name as a bare one."""
    head = f"> **{name}**\n>\n" if name else ""
    return head + "\n".join(f"> {line}" if line.strip() else ">" for line in text.split("\n"))


def callouts(page: Page) -> Page:
    """Give the page with all callouts as quotes."""
    if "[!" in page.text:
        page = page.sub(_CALLOUT, _callout)
    if ":::" in page.text:
        page = _directives(page)
    if "!!! " in page.text or "???" in page.text:
        page = _admonitions(page)
    return page


def _callout(match: re.Match[str]) -> str:
    name = match[3].strip() or label(match[2])
    # A line of its own below the label, or the first line would run into it.
    return f"{match[1]}**{name.strip('*')}**\n{match[1].rstrip()}"


def _directives(page: Page) -> Page:
    made: list[tuple[int, str]] = []
    open_: list[bool] = []  # for each open directive: is it shown as a quote?
    for number, line in zip(page.numbers, page.lines(), strict=True):
        depth = sum(open_)
        prefix = "> " * depth
        if ":::" not in line:
            made.append((number, f"{prefix}{line}".rstrip(" ") if prefix else line))
        elif _CLOSE.match(line):
            if open_:
                open_.pop()
            made.append((number, ("> " * sum(open_)).rstrip()))
        elif len(open_) < _MOST_OPEN and (match := _OPEN.match(line)) and (match[2] is not None or match[3]):
            kind, name = _directive(match)
            shown = kind not in _LAYOUT and depth < _DEEPEST
            open_.append(shown)
            made.append((number, prefix.rstrip()))
            if shown:
                made += [(number, f"{prefix}> **{name}**"), (number, f"{prefix}>")]
        else:
            made.append((number, prefix + line))
    return page.with_lines(made)


def _directive(match: re.Match[str]) -> tuple[str, str]:
    values = attributes(match[2] or "")
    kind = match[3] or next((word for word in (match[2] or "").split() if word.startswith(".")), "note")
    kind = kind.lstrip(".").removeprefix("callout-").lower()
    title = match[4] or first(values, "title") or match[5].strip().strip('"').rstrip(":").strip()
    return kind, title if title and not title.startswith("{") else label(kind)


def _admonitions(page: Page) -> Page:
    made: list[tuple[int, str]] = []
    code: dict[int, int] = {}  # the rows that were hidden as code, and where in them it begins
    open_: list[int] = []  # how deep each open admonition stands: its text stands four columns deeper
    shown = page.lines()
    lines = [page.reveal(line) if line.startswith(BLOCK_MARK) else line for line in shown]
    for index, (number, line) in enumerate(zip(page.numbers, lines, strict=True)):
        while open_ and line.strip() and _indent(line) < open_[-1] + 4:
            open_.pop()
            made.append((number, _within(open_).rstrip()))
        match = _ADMONITION.match(shown[index]) if len(open_) < _DEEPEST else None
        if match and (match[2] is not None or _has_text(lines, index)):
            made.append((number, _within(open_).rstrip()))
            open_.append(_indent(line))
            name = match[2] if match[2] is not None else label(match[1])
            if name:
                made += [(number, f"{_within(open_)}**{name}**"), (number, _within(open_).rstrip())]
        elif open_:
            if line != shown[index]:
                code[len(made)] = len(_within(open_))
            text = _within(open_) + _dedented(line, open_[-1] + 4)
            made.append((number, text if line.strip() else text.rstrip()))
        else:
            made.append((number, shown[index]))
    return _hidden(page.with_lines(made), code)


def _hidden(page: Page, code: Mapping[int, int]) -> Page:
    """Hide the lines of code again; `code` gives where in its row each begins."""
    spans, at = [], 0
    for row, line in enumerate(page.lines()):
        if code.get(row, len(line)) < len(line):
            spans.append((at + code[row], at + len(line)))
        at += len(line) + 1
    return page.hide(spans, mark=BLOCK_MARK)


def _indent(line: str) -> int:
    """Give the columns of white space before a line."""
    return len(line[: len(line) - len(line.lstrip(" \t"))].expandtabs(4))


def _dedented(line: str, columns: int) -> str:
    """Take so many columns of white space off a line that begins with at least as many."""
    text = line.lstrip(" \t")
    return " " * (_indent(line) - columns) + text


def _has_text(lines: list[str], index: int) -> bool:
    """Say whether text stands below an admonition without a title; "??? really" alone is a sentence."""
    below = next((line for line in lines[index + 1 : index + 3] if line.strip()), "")
    return _indent(below) >= _indent(lines[index]) + 4


def _within(open_: list[int]) -> str:
    """Give what a line in these admonitions begins with; the first may stand in the item of a list."""
    return f"{' ' * open_[0]}{'> ' * len(open_)}" if open_ else ""
