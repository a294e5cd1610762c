"""Tables: columns where they fit the page, else one record a row, each line `Header: value`.

Cells are placed as HTML places them, with their spans; a span is capped, so that no attribute can ask for
memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.edition.text.inline import BLOCKS
from mailer.edition.text.marks import BREAK, printed
from mailer.edition.text.wrap import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lxml.etree import _Element

    from mailer.edition.text.measure import Measure

_MOST_COLUMNS = 60
_NO_DATA = BLOCKS - {"p", "div"}
_GAP = "  "
_NUMBER = re.compile(r"[^\w\s]*[\d][\d.,:'\u00a0 ]*\s?[\w%°€$£¥₽₹]{0,3}[^\w\s]*")
_SPAN = re.compile("[0-9]{1,4}")
_RIGHT = re.compile(r"text-align:\s*(right|end)")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell where it stands: its text, tidy and on one line."""

    text: str = ""
    header: bool = False
    right: bool = False


EMPTY = Cell()


def is_layout(table: _Element) -> bool:
    """Say whether a table arranges blocks on a page instead of showing data."""
    if table.get("role") in ("presentation", "none"):
        return True
    rows = list(_rows(table))
    # A row of thousands of cells would make every other row as wide: that is no table for a reader either.
    if not 2 <= max(map(len, rows), default=0) <= _MOST_COLUMNS:
        return True
    return any(part.tag in _NO_DATA for row in rows for cell in row for part in cell.iterdescendants())


def cells_of(table: _Element) -> Iterator[_Element]:
    """Give the cells of a table in reading order, its caption first."""
    yield from (part for part in table if part.tag == "caption")
    for row in _rows(table):
        yield from row


def grid(table: _Element, text: Callable[[_Element], str]) -> list[list[Cell]]:
    """Give the rows of a data table, all of one length; `text` gives the tidy text of a cell."""
    rows: list[list[Cell]] = []
    hanging: dict[int, int] = {}
    for row in _rows(table):
        placed: list[Cell] = []
        for element in row:
            _skip(placed, hanging)
            span = _span(element, "colspan")
            for column in range(len(placed), len(placed) + span):
                hanging[column] = _span(element, "rowspan") - 1
            placed += [_cell(element, text), *[EMPTY] * (span - 1)]
        _skip(placed, hanging)
        rows.append(placed)
    rows = [row for row in rows if any(cell.text for cell in row)]
    widest = max(map(len, rows), default=0)
    return [row + [EMPTY] * (widest - len(row)) for row in rows]


def laid_out(rows: Sequence[Sequence[Cell]], width: int, measure: Measure) -> list[str]:
    """Give the table as lines of at most `width` columns."""
    used = [column for column in zip(*rows, strict=True) if any(cell.text for cell in column)]
    widths = [max(measure(cell.text) for cell in column) for column in used]
    kept = list(zip(*used, strict=True))
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return _aligned(kept, widths, measure)
    return _records(kept, width, measure)


def _aligned(rows: Sequence[Sequence[Cell]], widths: Sequence[int], measure: Measure) -> list[str]:
    rights = [_is_right(column) for column in zip(*rows, strict=True)]
    lines = [
        printed(
            _GAP.join(
                _padded(cell.text, room, measure, right=right)
                for cell, room, right in zip(row, widths, rights, strict=True)
            )
        ).rstrip(" ")
        for row in rows
    ]
    if _has_head(rows):
        lines.insert(1, _GAP.join("-" * room for room in widths))
    return lines


def _records(rows: Sequence[Sequence[Cell]], width: int, measure: Measure) -> list[str]:
    heads = [cell.text for cell in rows[0]] if _has_head(rows) else []
    lines: list[str] = []
    for row in rows[1:] if heads and len(rows) > 1 else rows:
        if lines:
            lines.append("")
        for column, cell in enumerate(row):
            head = heads[column] if heads and row is not rows[0] else ""
            if cell.text:
                lines += _hanging(f"{head.rstrip(':')}: {cell.text}" if head else cell.text, width, measure)
    return lines


def _hanging(text: str, width: int, measure: Measure) -> list[str]:
    lines = wrap(text, width - 2, measure)
    return [*lines[:1], *("  " + line for line in lines[1:])]


def _rows(table: _Element) -> Iterator[list[_Element]]:
    for part in table:
        if part.tag == "tr":
            yield _cells(part)
        elif part.tag in ("thead", "tbody", "tfoot"):
            yield from (_cells(row) for row in part if row.tag == "tr")


def _cells(row: _Element) -> list[_Element]:
    return [cell for cell in row if cell.tag in ("td", "th")]


def _skip(placed: list[Cell], hanging: dict[int, int]) -> None:
    """Leave the places free that cells of earlier rows reach down into."""
    while hanging.get(len(placed), 0) > 0:
        hanging[len(placed)] -= 1
        placed.append(EMPTY)


def _span(cell: _Element, name: str) -> int:
    value = cell.get(name)
    return max(1, min(int(value), _MOST_COLUMNS)) if value and _SPAN.fullmatch(value) else 1


def _cell(element: _Element, text: Callable[[_Element], str]) -> Cell:
    right = element.get("align") == "right" or bool(_RIGHT.search(element.get("style") or ""))
    return Cell(text(element).replace(BREAK, " "), element.tag == "th", right)


def _has_head(rows: Sequence[Sequence[Cell]]) -> bool:
    return all(cell.header or not cell.text for cell in rows[0])


def _is_right(column: Sequence[Cell]) -> bool:
    body = [cell for cell in column if cell.text and not cell.header]
    return bool(body) and all(cell.right or _NUMBER.fullmatch(printed(cell.text)) for cell in body)


def _padded(text: str, room: int, measure: Measure, *, right: bool) -> str:
    free = " " * (room - measure(text))
    return free + text if right else text + free
