"""Find the code of a Markdown text, which no dialect may touch: CommonMark 0.31, sections 4.4, 4.5 and 6.1.

Fences (also in quotes and lists), indented code, `<pre>` and its like, and code spans are hidden line by line behind
marks. Liquid's and Hugo's `highlight` blocks become fences first. What is not closed is reported, never guessed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import TYPE_CHECKING

from mailer.issue.page import BLOCK_MARK, Edit, Page, enclosed, warning

if TYPE_CHECKING:
    from collections.abc import Iterator

_FENCE = re.compile(r"((?:[ \t]{0,3}>)*[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?)(`{3,}(?=[^`]*$)|~{3,})(.*)$")
_PREFIX = re.compile(r"(?:[ \t]{0,3}>)*[ \t]*")
_HIGHLIGHT = re.compile(
    r"\{%-?[ \t]*(?:highlight|codeblock)\b[ \t]*([\w+#-]*)[^%\n]*%\}"
    r"|\{\{[<%][ \t]*(?:highlight|code)\b[ \t]*\"?([\w+#-]*)[^<>%{}\n]*[>%]\}\}"
)
_HIGHLIGHT_END = re.compile(
    r"\{%-?[ \t]*end(?:highlight|codeblock)[ \t]*-?%\}|\{\{[<%][ \t]*/[ \t]*(?:highlight|code)[ \t]*[>%]\}\}"
)
_RAW_TAG = re.compile(r"\{%-?[ \t]*(?:end)?raw[ \t]*-?%\}\n?")
_HTML = {
    name: (
        re.compile(rf"<{name}\b[^<>]{{0,2000}}>", re.IGNORECASE),
        re.compile(rf"</{name}[ \t]*>", re.IGNORECASE),
    )
    for name in ("pre", "script", "style", "textarea", "code", "kbd", "samp")
}
_TICKS = re.compile(r"`+")
_BLANK = re.compile(r"\n[ \t]*(?=\n)")
_ITEM = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])(?:[ \t]|$)")
_COMPONENT = re.compile(r"^ {0,3}</[A-Z][A-Za-z0-9.]{1,60}>[ \t]*$", re.MULTILINE)  # MDX has no indented code
_INDENTED = re.compile(r"\n(?: {4}|\t)")


def hide_code(page: Page, *, indented: bool = True) -> Page:
    """Give the page with all code hidden; a text without Markdown has no indented code."""
    text = page.text
    if "```" in text or "~~~" in text:
        page = _hide_fences(page)
    page = _hide_highlights(page)
    for name, (opens, closes) in _HTML.items():
        if f"</{name}" in text or f"</{name.upper()}" in text:
            page = page.hide((o.start(), c.end()) for o, c in enclosed(page.text, opens, closes))
    if indented and _INDENTED.search(text) and not _COMPONENT.search(page.text):
        page = page.hide(_indented(page.text), mark=BLOCK_MARK)
    if "`" in page.text:
        page = page.hide(_spans(page.text))
    return page


def show_code(page: Page) -> Page:
    """Put the code back, without the `raw` tags that Jekyll's authors write into it."""
    hidden = tuple(_RAW_TAG.sub("", part) if "raw" in part else part for part in page.hidden)
    return Page(page.text, page.numbers, page.file, page.findings, hidden).shown()


def _hide_fences(page: Page) -> Page:
    spans, unclosed = _fences(page.text)
    if unclosed is not None:
        note = warning("fence-open", "A code fence opens here and never closes: all that follows is code.")
        page = page.noting(note, page.numbers[unclosed])
    return page.hide(spans, mark=BLOCK_MARK)


def _fences(text: str) -> tuple[list[tuple[int, int]], int | None]:
    spans: list[tuple[int, int]] = []
    fence, quoted, opened, at = "", False, 0, 0
    for row, line in enumerate(text.split("\n")):
        if fence:
            prefix = _PREFIX.match(line)
            inside = prefix.end() if prefix else 0
            if quoted and ">" not in line[:inside]:
                fence = ""
            else:
                rest = line[inside:].rstrip()
                spans.append((at + (inside if quoted or rest.startswith(fence) else 0), at + len(line)))
                if rest.startswith(fence) and not rest.strip(fence[0]):
                    fence = ""
        if not fence and (not spans or spans[-1][1] != at + len(line)):
            match = _FENCE.match(line)
            if match:
                fence, quoted, opened = match[2], ">" in match[1], row
                spans.append((at + match.start(2), at + len(line)))
        at += len(line) + 1
    return spans, opened if fence else None


def _hide_highlights(page: Page) -> Page:
    if "highlight" not in page.text and "code" not in page.text:
        return page
    pairs = list(enclosed(page.text, _HIGHLIGHT, _HIGHLIGHT_END))
    if not pairs:
        return page
    edits = []
    for opening, closing in pairs:
        inner = page.reveal(page.text[opening.end() : closing.start()])
        fence = "`" * max(3, 1 + max(map(len, _TICKS.findall(inner)), default=0))
        language = opening[1] or opening[2] or ""
        new = f"\n{fence}{language}\n{inner.strip(chr(10))}\n{fence}\n"
        edits.append(Edit(opening.start(), closing.end(), new))
    page = page.splice(edits)
    return page.hide(_fences(page.text)[0], mark=BLOCK_MARK)


def _indented(text: str) -> Iterator[tuple[int, int]]:
    at, after_blank, in_list, in_code = 0, True, False, False
    for line in text.split("\n"):
        blank = not line.strip()
        deep = line.startswith(("    ", "\t"))
        if not blank:
            if deep and not in_list and (after_blank or in_code):
                in_code = True
                yield at, at + len(line)
            else:
                in_code = False
                if _ITEM.match(line) or line.startswith(("!!! ", "??? ", "???+ ")):
                    in_list = True
                elif after_blank and not line.startswith((" ", "\t")):
                    in_list = line.startswith("[^")  # a footnote's own paragraphs are indented, too
        after_blank = blank
        at += len(line) + 1


def _spans(text: str) -> Iterator[tuple[int, int]]:
    runs = [match for match in _TICKS.finditer(text) if not _escaped(text, match.start())]
    breaks = [match.start() for match in _BLANK.finditer(text)]
    by_length: dict[int, list[int]] = {}
    for run in runs:
        by_length.setdefault(len(run[0]), []).append(run.start())
    at = 0
    for run in runs:
        if run.start() < at:
            continue
        starts = by_length[len(run[0])]
        index = bisect_right(starts, run.start())
        if index == len(starts):
            continue
        end = starts[index]
        if bisect_right(breaks, run.start()) == bisect_right(breaks, end):
            at = end + len(run[0])
            yield run.start(), at


def _escaped(text: str, at: int) -> bool:
    before = text[max(0, at - 50) : at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
