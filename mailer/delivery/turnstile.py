"""The turnstile: the recorders of one machine go to SQLite's write lock one after the other.

SQLite itself lets a writer who finds the lock taken sleep, longer each time, up to a tenth of a second: with several
processes some sleep while nobody writes, and some starve. Here they queue in the kernel (flock(2) on a folder, so there
is no file) and the next one is woken when the last is through.

Promises: it protects nothing, SQLite's own lock does; so whoever waits for longer than `patience` (the one in front was
stopped) goes through without a turn, and so does everybody until that one moves. A dead process holds nobody up.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Turnstile:
    """One recorder's way in; `folder` is the same for all of them. For one thread; `close` when it is over."""

    def __init__(self, folder: Path, patience: float = 1.0) -> None:
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._patience = patience
        self._asks: SimpleQueue[str | None] = SimpleQueue()
        self._turns: SimpleQueue[None] = SimpleQueue()
        self._mutex = threading.Lock()
        self._wanted = False
        self._late = False  # the thread still waits for a turn that nobody wants any more
        self._thread: threading.Thread | None = None

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Wait for a turn and keep it until the block ends; false without one, after `patience` seconds."""
        mine = self._enter()
        try:
            yield mine
        finally:
            if mine:
                fcntl.flock(self._folder, fcntl.LOCK_UN)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Have a turn until the block ends; raises BlockingIOError where somebody else has it or is waited for."""
        if self._late:
            raise BlockingIOError
        fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            yield
        finally:
            fcntl.flock(self._folder, fcntl.LOCK_UN)

    def close(self) -> None:
        """End it; a thread that still waits is left to end with the process."""
        if self._thread is not None:
            self._asks.put(None)
        if not self._late:
            if self._thread is not None:
                self._thread.join()
            os.close(self._folder)

    def _enter(self) -> bool:
        if self._late:
            return False
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._queue()
        return True

    def _queue(self) -> bool:
        """Let the thread wait, for flock knows no patience; it is started when it is first needed."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._wait, name="turnstile", daemon=True)
            self._thread.start()
        self._wanted = True
        self._asks.put("a turn")
        try:
            self._turns.get(timeout=self._patience)
        except Empty:
            return self._given_up()
        return True

    def _given_up(self) -> bool:
        with self._mutex:
            if not self._turns.empty():  # it came in the last moment
                self._turns.get()
                return True
            self._wanted, self._late = False, True
            return False

    def _wait(self) -> None:
        while self._asks.get() is not None:
            fcntl.flock(self._folder, fcntl.LOCK_EX)
            with self._mutex:
                if self._wanted:
                    self._turns.put(None)
                else:
                    fcntl.flock(self._folder, fcntl.LOCK_UN)
                    self._late = False
