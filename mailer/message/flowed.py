"""format=flowed with delsp=no (RFC 3676) for a text that may hold slots.

A line of the text that ends in one space is flowed: the next line continues it. Every other line is fixed and loses
its trailing spaces. Lines that begin with a space, ">" or "From " are space-stuffed, and so are lines that begin with
a value. Gives None where a value could make a fixed line flowed; such a text goes out as plain text/plain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from mailer.edition.model import Slot

if TYPE_CHECKING:
    from mailer.edition.model import Slotted

LONGEST_FLOWED: Final = 78  # with the space (section 4.2)
_SIGNATURE: Final = "-- "
_MARK = re.compile("\0(\\d+)\0")
_MAY_VANISH = re.compile("(?:\0\\d+\0)+$")


def flowed(text: Slotted) -> Slotted | None:
    """Give the text as format=flowed wants it, or None; lines end in LF."""
    slots = [part for part in text if isinstance(part, Slot)]
    lines = _marked(text).split("\n")
    out = []
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        ready = _line(line, after, slots)
        if ready is None:
            return None
        out.append(ready)
    return _unmarked("\n".join(out), slots)


def _line(line: str, after: str, slots: list[Slot]) -> str | None:
    """Give one line, or None where its end depends on a value."""
    if line == _SIGNATURE:
        return line
    bare = line.rstrip(" \t")
    stuffing = " " if _needs_stuffing(bare, slots) else ""
    if _flows(line, bare, after):
        return f"{stuffing}{bare} "
    end = _MAY_VANISH.search(bare)
    if end and all(_may_be_empty(slots[int(number)]) for number in _MARK.findall(end[0])):
        before = stuffing + bare[: end.start()]
        return None if before.endswith(" ") else stuffing + bare
    return stuffing + bare


def _flows(line: str, bare: str, after: str) -> bool:
    """Tell whether the line asks to be continued and the next one can continue it."""
    asks = line == f"{bare} " and bare != "" and len(line) <= LONGEST_FLOWED
    return (
        asks
        and not bare.startswith(">")
        and after.strip() != ""
        and after[0] not in " >"
        and after != _SIGNATURE
    )


def _needs_stuffing(bare: str, slots: list[Slot]) -> bool:
    if bare.startswith((" ", ">", "From ")):
        return True
    first = _MARK.match(bare)
    return bool(first and not slots[int(first[1])].name.startswith("link."))


def _may_be_empty(slot: Slot) -> bool:
    return not slot.name.startswith("link.") and not slot.default.strip()


def _marked(text: Slotted) -> str:
    """Give the text with each slot as its number between two NULs, which no text of an edition holds."""
    number = iter(range(len(text)))
    return "".join(
        part.replace("\0", "") if isinstance(part, str) else f"\0{next(number)}\0" for part in text
    )


def _unmarked(text: str, slots: list[Slot]) -> Slotted:
    parts = _MARK.split(text)
    return tuple(slots[int(part)] if at % 2 else part for at, part in enumerate(parts))
