"""Who was seen before in a file that is only looked at: nothing is written that would make them known.

In a temporary database of SQLite's, which keeps to a few megabytes of memory however long the file is.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from subscribers.exchange.intake import Candidate


class Foretold:
    """Remembers addresses by their hashes; a context manager."""

    def __init__(self) -> None:
        self._seen: sqlite3.Connection | None = None

    def first_seen(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Leave out those whom an earlier record would have made known."""
        seen = self._seen or self._open()
        add = "INSERT OR IGNORE INTO seen VALUES (?)"
        return [each for each in candidates if seen.execute(add, (each.hash,)).rowcount]

    def _open(self) -> sqlite3.Connection:
        # No name: a file that nobody else sees, and that is gone at the end (sqlite.org/inmemorydb.html).
        self._seen = sqlite3.connect("", isolation_level=None)
        self._seen.execute("PRAGMA journal_mode = OFF")
        self._seen.execute("CREATE TABLE seen (hash BLOB PRIMARY KEY) WITHOUT ROWID")
        self._seen.execute("BEGIN")
        return self._seen

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._seen is not None:
            self._seen.close()
