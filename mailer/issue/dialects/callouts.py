"""Callouts of every dialect -> a quote that opens with a bold label.

Obsidian's and GitHub's `> [!note] Title`, Docusaurus's and Pandoc's `:::note`, MkDocs' `!!! note "Title"`. The depth of
nesting is limited; a directive that is never closed ends with the text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects.embeds import attributes, first, label

if TYPE_CHECKING:
    from mailer.issue.page import Page

_CALLOUT = re.compile(
    r"^((?:[ \t]{0,3}>[ \t]?)+)\[!([\w -]{1,40})(?:\|[^\]\n]{0,40})?\][+-]?[ \t]*([^\n]*)$", re.MULTILINE
)
_OPEN = re.compile(
    r"[ \t]{0,3}(:{3,})[ \t]*(?:\{([^{}\n]{0,200})\}|([A-Za-z][\w-]{0,40}))?[ \t]*(?:\[([^\]\n]{0,200})\])?([^\n]*)$"
)
_CLOSE = re.compile(r"[ \t]{0,3}:{3,}[ \t]*$")
_ADMONITION = re.compile(
    r"(?:!!!|\?\?\?\+?)[ \t]+([\w-]{1,40})(?:[ \t]+(?:inline|end))*[ \t]*(?:\"([^\"\n]{0,200})\")?[ \t]*$"
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
    inside = False
    for number, line in zip(page.numbers, page.lines(), strict=True):
        match = _ADMONITION.match(line)
        if match:
            name = match[2] if match[2] is not None else label(match[1])
            made += [(number, ""), (number, f"> **{name}**"), (number, ">")]
            inside = True
        elif inside and (line.startswith(("    ", "\t")) or not line.strip()):
            made.append((number, f"> {line.removeprefix('    ').removeprefix(chr(9))}".rstrip()))
        else:
            if inside:
                made.append((number, ""))
            inside = False
            made.append((number, line))
    return page.with_lines(made)
