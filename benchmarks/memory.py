"""Memory: `mailer send` to a hundred thousand and to a million readers, and how soon the first message leaves.

Both go to the end, for what grows with every message would hide from a shorter look. With --quick the larger one is
stopped by Ctrl-C once all are planned and some 30,000 have it.
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import newsroom
from benchmarks.process import sink
from benchmarks.table import Options, Wanted, alone, figure, heading, print_table, progress

if TYPE_CHECKING:
    import subprocess

ENOUGH = 30_000
_LINES = 60  # octets of one message in the journal, at the least
_INTERRUPTED = 130


def measure(options: Options) -> list[Wanted]:
    few, many = (10_000, 100_000) if options.quick else (100_000, 1_000_000)
    heading(f"Memory: mailer send at {few:,} and at {many:,} subscribers")
    with sink() as port:
        small, large = (
            _sent(readers, port, stop=options.quick and readers == many) for readers in (few, many)
        )
    rows = [
        (f"{readers:,}", f"{one.accepted:,}", figure(one.ran.peak_mb), f"{one.first:.2f}")
        for readers, one in ((few, small), (many, large))
    ]
    print_table(("subscribers", "sent", "peak MB", "s to the first message"), rows)
    growth = large.ran.peak_mb - small.ran.peak_mb
    return [
        Wanted(f"peak memory at {many:,} subscribers", large.ran.peak_mb, "<=", 120, "MB"),
        Wanted(f"more than at {few:,}", growth, "<=", 10, "MB"),
        Wanted(f"first message at {many:,} subscribers", large.first, "<=", 5, "s"),
    ]


def _sent(readers: int, port: int, *, stop: bool) -> newsroom.Sent:
    with newsroom.newsroom(readers) as room:
        progress(f"mailer send to {readers:,}")
        if not stop:
            return newsroom.send(room, port)
        return newsroom.send(room, port, watch=_Stopper(room), codes=(0, _INTERRUPTED))


class _Stopper:
    """Interrupts a send once the audience is planned and its journal is long enough."""

    def __init__(self, room: newsroom.Newsroom) -> None:
        self._room = room
        self._stopped = False

    def __call__(self, child: subprocess.Popen) -> None:
        if self._stopped or self._journal() < ENOUGH * _LINES:
            return
        if self._room.ask("SELECT min(done) FROM audiences")[0]:
            self._stopped = True
            child.send_signal(signal.SIGINT)

    def _journal(self) -> int:
        files = Path(self._room.folder, ".mailer", "journal").glob("*.log")
        return sum(file.stat().st_size for file in files)


if __name__ == "__main__":
    alone(measure)
