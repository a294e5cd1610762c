"""The file of rejected records: the line of each, the reason and itself, to be mended and read again.

CSV, readable by its owner alone, begun at the first reject. `octets` is what the database remembers at each
commit: an import that goes on after its death cuts the file back to that, so that no reject stands in it
twice.
"""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any, Self

from subscribers.exchange.columns import REJECTS_HEADER
from subscribers.exchange.source import Broken

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from subscribers.exchange.source import Record


class Rejects:
    """Writes the rejects of one import; a context manager."""

    def __init__(self, path: Path, octets: int) -> None:
        self.path = path
        self._stream: io.TextIOWrapper | None = None
        self._octets = octets
        self._header: Sequence[str] = ()

    def part(self, header: Sequence[str]) -> None:
        """Say which columns the records that follow have."""
        self._header = header or ("record",)

    @property
    def octets(self) -> int:
        """How long the file is, all that was added flushed."""
        if self._stream is None:
            return self._octets
        self._stream.flush()
        return os.fstat(self._stream.fileno()).st_size

    def add(self, line: int, reason: str, record: Record) -> None:
        """Write one reject."""
        stream = self._stream or self._open()
        csv.writer(stream).writerow([line, reason, *_cells(record)])

    def _open(self) -> io.TextIOWrapper:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(descriptor, self._octets)
        raw = os.fdopen(descriptor, "r+b")
        raw.seek(self._octets)
        self._stream = io.TextIOWrapper(raw, encoding="utf-8", errors="backslashreplace", newline="")
        if not self._octets:
            csv.writer(self._stream).writerow([*REJECTS_HEADER, *self._header])
        return self._stream

    def close(self) -> None:
        """Write out what is left, and cut off what a death left behind."""
        if self._stream is None and self._octets and self.path.exists():
            os.truncate(self.path, self._octets)
        if self._stream is not None:
            self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _cells(record: Record) -> Sequence[Any]:
    if isinstance(record, Broken):
        return [record.text]
    if isinstance(record, dict):
        return [json.dumps(record, ensure_ascii=False)]
    return record
