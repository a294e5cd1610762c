"""What the columns of one file mean.

Columns are found by their names in any case and several languages, with spaces, hyphens or underscores; what no
table of vocabulary.py names is an attribute of the person. A file may be mapped by hand: `mapping` says
{column: field}, with `-` for a column that is left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from subscribers.errors import BadFile
from subscribers.exchange.fields import Field, Standing
from subscribers.exchange.vocabulary import NAMES, STANDINGS, Tool, plain_name, recognise, standing_of_file
from subscribers.profile import clean_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


REJECTS_HEADER = ("line", "reason", "file")
"""What our own file of rejects puts before the columns; it can be mended and imported as it is.

`file` is kept because Mailchimp says in the name of a file how its people stood.
"""
RECORD = "record (JSON)"
"""The column of a file of rejects that holds a line of JSON as it stood."""


_GUARDED = re.compile(r"'+[=+\-@\t\r]")


def unguarded(text: str) -> str:
    """Take off the apostrophe by which an export keeps a spreadsheet from seeing a formula."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text


def guarded(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula, or `unguarded` for guarded."""
    risky = text[:1] in {"=", "+", "-", "@", "\t", "\r"} or _GUARDED.match(text)
    return f"'{text}" if risky else text


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column is: a field, or the name of an attribute (text).

    `standing` holds for a whole file, `words` are those that a status may be.
    """

    meanings: tuple[Field | str, ...]
    tool: str | None
    standing: Standing
    words: Mapping[str, Standing] = field(default_factory=lambda: STANDINGS)

    def __str__(self) -> str:
        """Give it in words, for a person to check."""
        known = [str(meaning) for meaning in self.meanings if isinstance(meaning, Field) and meaning != "-"]
        others = [meaning for meaning in self.meanings if not isinstance(meaning, Field)]
        return ", ".join(known) + (f"; attributes: {', '.join(others)}" if others else "")


def understand(
    header: Sequence[str], file: str, mapping: Mapping[str, str] | None = None, *, kind: str = "csv"
) -> Columns:
    """Say what the columns of a file mean; raises BadFile if none holds addresses, or two do."""
    tool = recognise(header) if kind == "csv" else None
    by_hand = {plain_name(column): meaning for column, meaning in (mapping or {}).items()}
    unknown = set(by_hand) - {plain_name(column) for column in header}
    if unknown and kind == "csv":
        raise BadFile(f"there is no column {', '.join(sorted(unknown))}; there are: {', '.join(header)}", 1)
    meanings = tuple(meaning_of(column, tool, by_hand) for column in header)
    if tuple(header[:3]) == REJECTS_HEADER:
        rest = (
            Field.RECORD if name == RECORD else found for name, found in zip(header, meanings, strict=True)
        )
        meanings = (Field.IGNORED, Field.IGNORED, Field.FILE, *islice(rest, 3, None))
    # By identity: an attribute may be called as a field is, and is equal to it then.
    emails = sum(meaning is Field.EMAIL for meaning in meanings)
    if kind == "csv" and emails != 1 and not any(meaning is Field.RECORD for meaning in meanings):
        found = "more than one column" if emails else "no column"
        raise BadFile(f"{found} holds addresses; the columns are: {', '.join(header) or 'none'}", 1)
    name = "Mailman" if kind == "list" else tool.name if tool else None
    words = STANDINGS if tool is None else {**STANDINGS, **tool.words}
    return Columns(meanings, name, standing_of_file(file), words)


def meaning_of(column: str, tool: Tool | None, by_hand: Mapping[str, str]) -> Field | str:
    """Give a field, or the name of an attribute."""
    column = clean_line(unguarded(column))
    name = plain_name(column)
    if name in by_hand:
        return _by_hand(by_hand[name])
    if tool and name in tool.fields:
        return tool.fields[name]
    if column.startswith("attributes."):
        return column.removeprefix("attributes.")[:64] or Field.IGNORED
    if name in NAMES:
        return NAMES[name]
    return column[:64] or Field.IGNORED


def _by_hand(meaning: str) -> Field | str:
    return Field(meaning) if meaning in Field._value2member_map_ else meaning
