"""What a feed reader or bot makes of a post: one line is one paragraph, titles and first words run together.

Found by the length of the lines: nobody who breaks lines by hand writes lines of 300 characters without a blank line.
"Title:…subtitle…Body" is taken apart again, and labels become bold. Where only some lines are so long, a line begins a
paragraph if it opens with a label, or the line before ends in hard spaces: both were line breaks once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailer.issue.dialects.labels import em, label_end, strong, with_label
from mailer.issue.page import BLOCK_MARK, info

if TYPE_CHECKING:
    from mailer.issue.page import Page

_NO_PROSE = re.compile(
    r"[ \t]*(?:[-+*][ \t]|\d{1,9}[.)][ \t]|#{1,6}(?:[ \t]|$)|>|\||</?[a-z]|"
    r"\[\^?[^\]\n]{1,80}\]:|:[ \t]|[-*_=]{3,}[ \t]*$|\t| {4}|$)"
)
_ELLIPSIS = r"(?:&hellip;|\u2026|\.\.\.)"
_HEADED = re.compile(
    rf"([^\W_a-z\u2026&][^\n\u2026]{{8,180}}?[:?!.])(?:{_ELLIPSIS})([^\u2026&\n](?:(?!{_ELLIPSIS})[^\n]){{4,250}}){_ELLIPSIS}(?=\S)"
)
_TITLED = re.compile(r"([^\W\d_a-z\u2026&][^\n:.\u2026]{8,120}:)(?=[A-Z][^\n]{100})")
_ELLIPSIS_SIGN = "\u2026"
_AVERAGE, _LONG = 220, 350
_UNBROKEN = 200  # columns of a line that nobody has broken by hand
_SENTENCE_END = re.compile(r"[.!?:\u2026\u3002][\"'\u2019\u201d)\]*_]*[ \t]*$")
_HARD_END = re.compile(r"[ \t]*(?:&nbsp;|&#160;|&#xa0;|\u00a0)(?:[ \t]|&nbsp;|&#160;|&#xa0;|\u00a0)*$")


def feed(page: Page) -> Page:
    """Give the page with each of its lines as a paragraph, if that is what its lines are."""
    lines = page.lines()
    runs = [_is_prose(line) for line in lines]
    if not _one_line_paragraphs(lines, runs):
        return _labelled_lines(page, lines, runs)
    made: list[tuple[int, str]] = []
    for row, (number, line) in enumerate(zip(page.numbers, lines, strict=True)):
        if runs[row] and row and runs[row - 1]:
            made.append((number, ""))
        shown = _paragraph(_HARD_END.sub("", line)) if runs[row] else line
        made += [(number, part) for part in shown.split("\n")]
        if runs[row] and row + 1 < len(lines) and not runs[row + 1] and lines[row + 1].strip():
            made.append((number, ""))
    return page.with_lines(
        made, [(page.numbers[0], info("paragraphs", "Each line was taken as a paragraph."))]
    )


def _labelled_lines(page: Page, lines: list[str], runs: list[bool]) -> Page:
    """Part the lines that open with a label, or follow hard spaces, from what stands above them."""
    made: list[tuple[int, str]] = []
    parted = False
    for row, (number, line) in enumerate(zip(page.numbers, lines, strict=True)):
        above = lines[row - 1] if row and runs[row] and runs[row - 1] else ""
        hard = bool(_HARD_END.search(above))
        labelled = bool(label_end(line)) and len(above) >= _UNBROKEN and bool(_SENTENCE_END.search(above))
        if hard:
            made[-1] = (made[-1][0], _HARD_END.sub("", made[-1][1]))
        if hard or labelled:
            parted = True
            made.append((number, ""))
        made.append((number, with_label(line) if hard or labelled else line))
    note = info("paragraphs", "A line that a feed had broken was taken as a paragraph.")
    return page.with_lines(made, [(page.numbers[0], note)]) if parted else page


def _is_prose(line: str) -> bool:
    return not _NO_PROSE.match(line) and BLOCK_MARK not in line


def _one_line_paragraphs(lines: list[str], runs: list[bool]) -> bool:
    lengths = [
        len(line)
        for row, line in enumerate(lines)
        if runs[row] and ((row and runs[row - 1]) or (row + 1 < len(runs) and runs[row + 1]))
    ]
    return len(lengths) > 1 and max(lengths) >= _LONG and sum(lengths) >= _AVERAGE * len(lengths)


def _paragraph(line: str) -> str:
    headed = _HEADED.match(line)
    if headed:
        rest = line[headed.end() :]
        return (
            f"{strong(headed[1])}<br>{em(_ELLIPSIS_SIGN + headed[2] + _ELLIPSIS_SIGN)}\n\n{with_label(rest)}"
        )
    titled = _TITLED.match(line)
    if titled:
        return f"{strong(titled[1])}\n\n{line[titled.end() :]}"
    return with_label(line)
