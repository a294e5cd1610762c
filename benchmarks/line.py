"""A slow line: 50 ms each way between mailer and the server. What counts is how many round trips a message costs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from benchmarks import newsroom
from benchmarks.process import free_port, serving, sink
from benchmarks.table import Options, Wanted, alone, figure, heading, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 20
DELAY = 0.05  # seconds each way


def measure(options: Options) -> list[Wanted]:
    readers = 1_000 if options.quick else 4_000
    limit = CONNECTIONS / (2 * DELAY)
    heading(
        f"A slow line: {DELAY * 1e3:.0f} ms each way, {CONNECTIONS} connections, {readers:,} messages of 40 KB"
    )
    pipelined, plain = _rate(readers), _rate(readers // 4, "-p")
    rows = [
        (name, figure(rate), f"{rate / limit:.2f}", figure(limit / rate))
        for name, rate in (("PIPELINING offered", pipelined), ("plain SMTP", plain))
    ]
    print_table(("server", "messages/s", "of connections / round trip", "round trips a message"), rows)
    return [
        Wanted("rate on a slow line / (connections / round trip)", pipelined / limit, ">=", 0.8),
        Wanted("rate on a slow line / that of plain SMTP", pipelined / plain, ">=", 3),
    ]


def _rate(readers: int, *words: str) -> float:
    with sink(*words) as server, _slow(server) as port, newsroom.newsroom(readers) as room:
        progress(f"mailer send over a slow line {' '.join(words)}")
        return newsroom.send(room, port, connections=CONNECTIONS).rate


@contextmanager
def _slow(server: int) -> Iterator[int]:
    port = free_port()
    with serving((sys.executable, "-m", "benchmarks.proxy", str(port), str(server), str(DELAY)), port):
        yield port


if __name__ == "__main__":
    alone(measure)
