"""`mailer send` against a C program, against the obvious Python and against nodemailer.

All of them send messages of the same size over 20 connections to Postfix's smtp-sink. The pairs are taken in
turns (A B A B …), and medians count, so that a busy machine is busy for both.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import newsroom, together
from benchmarks.process import MissingError, program, run, sink
from benchmarks.table import Wanted, alone, figure, heading, print_table, progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from benchmarks.table import Options

CONNECTIONS = 20
RIVALS = Path(__file__).parent / "rivals"
_HEADERS = 400  # octets that smtp-source adds, and what every message shares with ours


def measure(options: Options) -> list[Wanted]:
    """Send, print the table, and give what is wanted."""
    size, few = newsroom.message_size(), 500 if options.quick else 2_000
    heading(
        f"Sending: {options.readers:,} personalised messages of {size / 1000:.0f} KB, {CONNECTIONS} connections"
    )
    ours: list[newsroom.Sent] = []
    theirs: list[tuple[float, float]] = []
    with sink() as port:
        for turn in range(options.rounds):
            progress(f"mailer send, smtp-source: {turn + 1} of {options.rounds}")
            with newsroom.newsroom(options.readers) as room:
                ours.append(newsroom.send(room, port))
            theirs.append(_smtp_source(port, size - _HEADERS, options.readers))
        obvious = _obvious(port, size, few)
        node = _nodemailer(port, size, 2 * few)
    rows = _rows(ours, theirs, obvious, node)
    print_table(("sender", "messages/s", "µs CPU/message", "peak MB", "of smtp-source"), rows)
    with sink() as port:
        together.measure(options, port)
    return _wanted(ours, theirs, obvious)


def _smtp_source(port: int, size: int, count: int) -> tuple[float, float]:
    """Give messages a second and microseconds of CPU a message."""
    words = ("-d", "-s", CONNECTIONS, "-l", size, "-m", count, "-f", "a@example.org", "-t", "b@example.net")
    ran = run((program("smtp-source"), *map(str, words), f"127.0.0.1:{port}"))
    return count / ran.seconds, ran.cpu / count * 1e6


def _obvious(port: int, size: int, count: int) -> tuple[float, float]:
    progress("the obvious Python")
    return _rival((sys.executable, str(RIVALS / "obvious.py"), str(port), str(size)), count, RIVALS)


def _rival(command: tuple[str, ...], count: int, cwd: Path) -> tuple[float, float]:
    """Run a rival, which prints its seconds and its CPU from the first message on: few messages stand for many."""
    seconds, cpu = map(float, run((*command, str(count)), cwd=cwd).output.split()[-2:])
    return count / seconds, cpu / count * 1e6


def _nodemailer(port: int, size: int, count: int) -> tuple[float, float] | None:
    progress("nodemailer")
    try:
        with _node_folder() as folder:
            return _rival((program("node"), "nodemailer.mjs", str(port), str(size)), count, Path(folder))
    except (MissingError, RuntimeError) as problem:
        print(f"nodemailer was left out: {str(problem).partition(chr(10))[0]}\n")
        return None


def _node_folder() -> AbstractContextManager[str]:
    """Give a temporary folder with nodemailer in it."""
    place = tempfile.TemporaryDirectory(prefix="mailer-bench-")
    try:
        Path(place.name, "nodemailer.mjs").write_bytes((RIVALS / "nodemailer.mjs").read_bytes())
        run(
            (program("npm"), "install", "--silent", "--no-audit", "--no-fund", "nodemailer"),
            cwd=Path(place.name),
        )
    except BaseException:
        place.cleanup()
        raise
    return place


def _rows(ours: list, theirs: list, obvious: tuple, node: tuple | None) -> Iterator[tuple[str, ...]]:
    limit = statistics.median(rate for rate, _ in theirs)
    plain = [
        (
            "mailer send, first to last message",
            _rate(ours),
            _cpu(ours),
            f"{max(one.ran.peak_mb for one in ours):.0f}",
        ),
        ("mailer send, the whole command", statistics.median(one.whole_rate for one in ours), _cpu(ours), ""),
        ("smtp-source -d (C, one static message)", limit, statistics.median(cpu for _, cpu in theirs), ""),
        ("Jinja2 + EmailMessage + aiosmtplib", *obvious, ""),
        *([("nodemailer with a pool", *node, "")] if node else []),
    ]
    return [(name, figure(rate), figure(cpu), peak, f"{rate / limit:.3f}") for name, rate, cpu, peak in plain]


def _rate(ours: list[newsroom.Sent]) -> float:
    return statistics.median(one.rate for one in ours)


def _cpu(ours: list[newsroom.Sent]) -> float:
    return statistics.median(one.cpu for one in ours)


def _wanted(ours: list, theirs: list, obvious: tuple) -> list[Wanted]:
    pairs = [one.rate / rate for one, (rate, _) in zip(ours, theirs, strict=True)]
    return [
        Wanted("rate of mailer send / smtp-source", statistics.median(pairs), ">=", 0.85),
        Wanted("CPU of a message, all in", _cpu(ours), "<=", 130, "µs"),
        Wanted("rate of mailer send / the obvious Python", _rate(ours) / obvious[0], ">=", 20),
    ]


if __name__ == "__main__":
    alone(measure)
