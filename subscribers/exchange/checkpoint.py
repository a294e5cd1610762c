"""What a chunk's commit costs during an import: checkpoints and flushes stand beside it instead of within it.

A checkpoint copies what the write-ahead log holds into the database file (sqlite.org/wal.html, section 3). By
itself SQLite does that in whatever commit comes next, which takes half a second where a million addresses lie
in no order. Here a thread does it, and holds up no writer; where the log grows faster, the import waits. On
PostgreSQL a chunk's commit does not wait for the disk (postgresql.org/docs: Asynchronous Commit): a server that
dies then forgets the newest chunks together with how far the import was, and the last commit waits for all.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypeAlias

    from sqlalchemy import Connection

    Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]

SOON = 32 << 20  # octets of the log from which a checkpoint is begun
LATE = 192 << 20  # octets of the log at which the import waits for its end
_CACHE_KB = 16 * 1024
_WITHIN = (f"PRAGMA cache_size = -{_CACHE_KB}", "PRAGMA wal_autocheckpoint = 0")
_AFTERWARDS = ("PRAGMA cache_size = -2000", "PRAGMA wal_autocheckpoint = 1000")  # SQLite's own


class Checkpoints:
    """Keeps the log of one SQLite file short, and PostgreSQL's commits quick. A context manager."""

    def __init__(self) -> None:
        self._file: str | None = None
        self._thread: threading.Thread | None = None

    @classmethod
    @contextmanager
    def during(cls, connect: Connect) -> Iterator[Connect]:
        """Give a `connect` whose transactions leave checkpoints to this."""
        with cls() as checkpoints:

            @contextmanager
            def prepared() -> Iterator[Connection]:
                with connect() as connection:
                    checkpoints.prepare(connection)
                    yield connection
                checkpoints.after_commit()

            try:
                yield prepared
            except KeyboardInterrupt:
                raise  # it may have struck while a transaction began, which still holds the lock: ask for none
            except BaseException:
                checkpoints.restore(connect)
                raise
            checkpoints.restore(connect)

    def restore(self, connect: Connect) -> None:
        """Let the connections that are used from now on be as they were."""
        with connect() as connection:
            self.release(connection)

    def prepare(self, connection: Connection) -> None:
        """Let a connection leave checkpoints to this, and hold more of the addresses' index in memory."""
        if connection.dialect.name == "sqlite":
            self._file = connection.engine.url.database
            run(connection, _WITHIN)
        else:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    def release(self, connection: Connection) -> None:
        """Let a connection be as it was."""
        if connection.dialect.name == "sqlite":
            run(connection, _AFTERWARDS)

    def after_commit(self) -> None:
        """See whether the log is long; called outside of any transaction."""
        size = self._size()
        if size > LATE:
            self._wait()
            self._copy()
        elif size > SOON and (self._thread is None or not self._thread.is_alive()):
            self._wait()
            self._thread = threading.Thread(target=self._copy, name="checkpoint", daemon=True)
            self._thread.start()

    def _size(self) -> int:
        try:
            return Path(f"{self._file}-wal").stat().st_size if self._file else 0
        except OSError:
            return 0

    def _copy(self) -> None:
        """Copy all that no reader still needs; whoever else is at it does it for us."""
        connection = sqlite3.connect(str(self._file), timeout=10, isolation_level=None)
        try:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except sqlite3.OperationalError:
            pass  # the next one tries again, and so does the last connection that closes
        finally:
            connection.close()

    def _wait(self) -> None:
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._wait()


def run(connection: Connection, statements: tuple[str, ...]) -> None:
    """Run statements of the driver."""
    driver: Any = connection.connection.dbapi_connection
    for statement in statements:
        driver.execute(statement)
