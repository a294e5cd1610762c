"""The records of a file, one after the other, each with the line it begins on. Memory stays flat.

CSV (RFC 4180) with commas, semicolons, tabs or bars, Excel's `sep=;` line included; JSON lines; or one
address a line, as Mailman lists its members. A record that cannot be read is given as Broken and costs
nothing but itself: a quote that is never closed would swallow the file, so of a record of more than 100 lines
the first is taken alone, and reading goes on with the second; unless it is one long cell, closed as it should
be: whoever is named within is no reader.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from subscribers.address import parse_address
from subscribers.errors import BadFile, InvalidAddress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MOST_LINES = 100
MOST_COLUMNS = 500
MOST_LETTERS = 1 << 17  # of one line
DELIMITERS = ",;\t|"
_LONG = f"a cell of more than {MOST_LINES} lines: shorten it, or leave its column out of the file"
_DOUBTFUL = "may be words of a cell: a quotation mark before it is never closed"


@dataclass(frozen=True, slots=True)
class Broken:
    """A record that cannot be read: why, and what stands there."""

    reason: str
    text: str


Record: TypeAlias = "Sequence[str] | dict[str, Any] | Broken"


@dataclass(frozen=True, slots=True)
class Table:
    """What a part holds: the names of its columns (none for JSON lines), and its records with their lines."""

    kind: str
    header: tuple[str, ...]
    records: Iterator[tuple[int, Record]]


def read_table(stream: IO[str]) -> Table:
    """Find out what a part is, and give its records; raises BadFile for one that holds no records at all."""
    lines = _Lines(stream)
    first = lines.peek()
    if first is None:
        raise BadFile("the file is empty")
    if first.lstrip().startswith("{"):
        return Table("jsonl", (), _json_records(lines))
    if first.strip().startswith("["):
        raise BadFile("a JSON array cannot be read piece by piece: give JSON lines, one object a line", 1)
    delimiter = _declared(first)
    if delimiter:
        lines.skip()
        first = lines.peek() or ""
    elif is_plain_list(first):
        return Table("list", ("email",), _plain_records(lines))
    delimiter = delimiter or _likeliest(first)
    return _csv_table(lines, delimiter)


class _Lines:
    """The lines of a stream: counted, bounded, and given back where a record has taken too many."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._again: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0  # of lines that records were made of
        self.doubtful = False  # a quotation was not closed: what follows may be words of a cell

    def peek(self) -> str | None:
        """Give the next line that is not blank without taking it; blank ones before it are skipped."""
        while line := self._next():
            if line.strip("\r\n \t\ufeff"):
                self._again.appendleft(line)
                return line
            self.number += 1
        return None

    def skip(self) -> None:
        """Leave one line out."""
        self._next()
        self.number += 1

    def _next(self) -> str:
        return self._again.popleft() if self._again else self._stream.readline(MOST_LETTERS)

    def __iter__(self) -> Iterator[str]:
        while line := self._next():
            self.taken.append(line)
            if len(self.taken) > MOST_LINES:
                raise csv.Error("a quotation mark is opened and never closed")
            yield line

    def record_done(self) -> int:
        """Forget the lines of a record; give the line it began on."""
        began = self.number + 1
        self.number += len(self.taken)
        self.taken.clear()
        return began

    def only_first(self) -> str:
        """Take the first line alone to be the record, and give the others back."""
        first, *others = self.taken
        self._again.extendleft(reversed(others))
        self.doubtful = self.doubtful or bool(others)
        self.taken[1:] = []
        return first

    def onward(self) -> Iterator[str]:
        """Give what was taken once more, and take on from there."""
        yield from self.taken.copy()
        while line := self._next():
            self.taken.append(line)
            yield line


def _csv_table(lines: _Lines, delimiter: str) -> Table:
    records = _csv_records(lines, delimiter)
    _, header = next(records, (0, None))
    if header is None or isinstance(header, (Broken, dict)):
        raise BadFile("the first line does not name columns", 1)
    if len(header) > MOST_COLUMNS:
        raise BadFile(f"{len(header)} columns; {MOST_COLUMNS} are the most", 1)
    return Table("csv", tuple(name.strip().lstrip("\ufeff") for name in header), records)


def _csv_records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, Record]]:
    taken, width = lines.taken, 0
    while True:
        reader = csv.reader(iter(lines), delimiter=delimiter)
        try:
            for row in reader:
                if len(taken) == 1:  # the usual case, spelt out for speed
                    lines.number += 1
                    taken.clear()
                    began = lines.number
                else:
                    began = lines.record_done()
                if row and lines.doubtful and len(row) != width:
                    yield began, Broken(_DOUBTFUL, delimiter.join(row))
                elif row:
                    width = width or len(row)
                    yield began, row
        except csv.Error as error:
            broken = _broken(lines, delimiter, error)
            yield lines.record_done(), broken
        else:
            return


def _broken(lines: _Lines, delimiter: str, error: csv.Error) -> Broken:
    if len(lines.taken) > MOST_LINES and _is_one_cell(lines, delimiter):
        return Broken(_LONG, "".join(lines.taken).rstrip("\r\n"))
    return Broken(str(error), lines.only_first().rstrip("\r\n"))


def _is_one_cell(lines: _Lines, delimiter: str) -> bool:
    """Whether a quotation of many lines is closed after all, where a cell may end; csv bounds what a cell may hold."""
    try:
        next(csv.reader(lines.onward(), delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return True


def _json_records(lines: _Lines) -> Iterator[tuple[int, Record]]:
    for line in lines:
        began = lines.record_done()
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as error:
            yield began, Broken(f"no JSON: {error}", line.rstrip("\r\n"))
            continue
        yield began, value if isinstance(value, dict) else Broken("no JSON object", line.rstrip("\r\n"))


def _plain_records(lines: _Lines) -> Iterator[tuple[int, Record]]:
    for line in lines:
        began = lines.record_done()
        if line.strip():
            yield began, [line.strip()]


def is_plain_list(line: str) -> bool:
    """Whether a first line is an address, alone or as `Name <address>`: then the file has no header."""
    _, email = split_mailbox(line.strip())
    if "@" not in email or any(delimiter in email for delimiter in DELIMITERS):
        return False
    try:
        parse_address(email)
    except InvalidAddress:
        return False
    return True


def split_mailbox(text: str) -> tuple[str, str]:
    """Give (name, address) of `Name <address>` or of a bare address."""
    name, bracket, rest = text.rpartition("<")
    if bracket and rest.endswith(">"):
        return name.strip().strip('"'), rest[:-1].strip()
    return "", text


def _declared(line: str) -> str | None:
    """Give the delimiter that Excel's first line declares."""
    text = line.strip('\ufeff\r\n"')
    return text[4] if len(text) == 5 and text.lower().startswith("sep=") else None


def _likeliest(header: str) -> str:
    return max(DELIMITERS, key=header.count)
