"""The file of rejected records: the line of each, the reason, the file and itself, to be mended and read again.

CSV, readable by its owner alone, begun at the first reject. `octets` is what the database remembers at each
commit: an import that goes on after its death cuts the file back to that, so that no reject stands in it
twice; and they are on the disk before that commit, so that a power cut takes none. For the same reason an
erased person is blanked in place, octet for octet, and no line moves.
"""

from __future__ import annotations

import csv
import io
import os
import re
import unicodedata
from typing import IO, TYPE_CHECKING, Any, Self

from subscribers.address import parse_address, readable_domain
from subscribers.errors import InvalidAddress
from subscribers.exchange.columns import RECORD, REJECTS_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path


class Rejects:
    """Writes the rejects of one import; a context manager.

    `headers` are the columns of each part: all of them have their place in the one table, so that a cell of
    an archive's second table does not stand under a column of its first.
    """

    def __init__(self, path: Path, octets: int, headers: Mapping[str, Sequence[str]]) -> None:
        self.path = path
        self._stream: io.TextIOWrapper | None = None
        self._writer: Any = None
        self._octets = octets
        self._unsettled = False
        named = {part: tuple(header) or (RECORD,) for part, header in headers.items()}
        self._columns = list(dict.fromkeys(name for header in named.values() for name in header))
        self._places = {
            part: [self._columns.index(name) for name in header] for part, header in named.items()
        }
        if len(named) == 1:  # columns of one name keep their own places
            self._columns = list(next(iter(named.values())))
            self._places = {}

    @property
    def octets(self) -> int:
        """How long the file is, all that was added flushed."""
        if self._stream is None:
            return self._octets
        self._stream.flush()
        return os.fstat(self._stream.fileno()).st_size

    def settle(self) -> int:
        """See to it that all that was added outlasts a power cut; give how long the file is."""
        if self._unsettled and self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._unsettled = False
        return self.octets

    def add(self, rejects: Sequence[tuple[Any, ...]]) -> None:
        """Write rejects: (line, reason, file, cells…)."""
        if rejects and self._stream is None:
            self._open()
        self._unsettled = self._unsettled or bool(rejects)
        for line, reason, file, *cells in rejects:
            self._writer.writerow([line, reason, file, *self._placed(file, cells)])

    def back(self, octets: int) -> int:
        """Take back what was written after `octets`, of a transaction that failed; give `octets`."""
        if self._stream is not None:
            self._stream.flush()
            self._stream.seek(octets)
            self._stream.truncate(octets)
        return octets

    def _placed(self, file: str, cells: list[str]) -> list[str]:
        places = self._places.get(file)
        if places is None:
            return cells
        row = [""] * len(self._columns)
        for place, cell in zip(places, cells, strict=False):
            row[place] = cell
        return row + cells[len(places) :]

    def _open(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        # Whoever has deleted the file gets a new one from here on, not one that begins with noughts.
        self._octets = min(self._octets, os.fstat(descriptor).st_size)
        os.ftruncate(descriptor, self._octets)
        raw = os.fdopen(descriptor, "r+b")
        raw.seek(self._octets)
        self._stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._stream)
        if not self._octets:
            self._writer.writerow([*REJECTS_HEADER, *self._columns])

    def close(self) -> None:
        """Write out what is left, and cut off what a death left behind."""
        if self._stream is not None:
            self._stream.close()
        elif self._octets and self.path.exists() and self.path.stat().st_size > self._octets:
            os.truncate(self.path, self._octets)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def erase_from_rejects(folder: Path, email: str) -> int:
    """Blank an address and all that stands beside it in every file of rejects; give how many records.

    In place, octet for octet: nothing moves, so a running import and one that will go on are not disturbed.
    What is left of a record is its line's number. An address that cannot be parsed is looked for as it is.
    """
    pattern = _pattern(email)
    return sum(_blank(path, pattern) for path in sorted(folder.glob("import-*.csv")))


def _pattern(email: str) -> re.Pattern[str]:
    spellings = {email.strip()}
    try:
        address = parse_address(email)
    except InvalidAddress:
        pass
    else:
        local, _, domain = address.normalized.rpartition("@")
        spellings |= {address.email, address.normalized, f"{local}@{readable_domain(domain)}"}
    words = "|".join(sorted(re.escape(_plain(each)) for each in spellings))
    return re.compile(rf"(?<![\w.+\-])(?:{words})(?![\w\-]|\.\w)")


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _blank(path: Path, pattern: re.Pattern[str]) -> int:
    count = 0
    with path.open("r+b") as stream:
        for offset, record in _records(stream):
            if pattern.search(_plain(record.decode("utf-8", "replace"))):
                line, comma, rest = record.partition(b",")
                ending = rest[len(rest.rstrip(b"\r\n")) :]
                blank = b" " * (len(rest) - len(ending))
                os.pwrite(stream.fileno(), line + comma + blank + ending, offset)
                count += 1
        os.fsync(stream.fileno())
    return count


def _records(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Give (offset, octets) of each record but the first, which names columns; quotes hold lines together."""
    offset, record, first = 0, b"", True
    for line in stream:
        record += line
        if record.count(b'"') % 2 and len(record) < 1 << 22:
            continue
        if not first:
            yield offset, record
        first = False
        offset, record = offset + len(record), b""
    if record and not first:
        yield offset, record


def forget_rejects(folder: Path, before: datetime) -> int:
    """Delete the files of rejects that were last written before a moment; give how many."""
    old = [path for path in folder.glob("import-*.csv") if path.stat().st_mtime < before.timestamp()]
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
