"""The labels of list items, as HTML numbers them: start, value, reversed, type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml.etree import _Element

BULLET = "- "
_TASKS = ("☐", "☑", "☒")
_ROMAN = (
    *((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl")),
    *((10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i")),
)


def is_task(lines: Sequence[str]) -> bool:
    """Say whether an item is a task, whose box takes the place of the bullet."""
    return bool(lines) and lines[0].startswith(_TASKS)


def labels_of(element: _Element) -> list[str]:
    """Give a label, with the space after it, for each `li` directly inside a list."""
    items = [child for child in element if child.tag == "li"]
    if element.tag != "ol":
        return [BULLET] * len(items)
    style = _STYLES.get(element.get("type") or "1", str)
    step = -1 if element.get("reversed") is not None else 1
    number = _integer(element.get("start"), len(items) if step < 0 else 1)
    labels = []
    for item in items:
        number = _integer(item.get("value"), number)
        labels.append(f"{style(number)}. ")
        number += step
    return labels


def _integer(text: str | None, otherwise: int) -> int:
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,9}", text) else otherwise


def _letters(number: int) -> str:
    if number < 1:
        return str(number)
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _roman(number: int) -> str:
    if not 0 < number < 4000:
        return str(number)
    numeral = ""
    for value, letters in _ROMAN:
        numeral += letters * (number // value)
        number %= value
    return numeral


_STYLES: dict[str, Callable[[int], str]] = {
    "1": str,
    "a": _letters,
    "A": lambda number: _letters(number).upper(),
    "i": _roman,
    "I": lambda number: _roman(number).upper(),
}
