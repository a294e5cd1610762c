"""`mailer send --workers 2` beside one process, unsigned and signed with one RSA-2048 key, in turns.

A worker more is worth it where a core is the limit. On two cores the server on the other side has the second one, so
there the table shows what a worker costs; with four it shows what it brings.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import newsroom
from benchmarks.table import figure, heading, print_table, progress

if TYPE_CHECKING:
    from benchmarks.table import Options

COUNTS = (1, 2)


def measure(options: Options, port: int) -> None:
    """Send, and print the table."""
    readers = min(options.readers, 20_000)
    heading(f"Several processes of one send: {readers:,} messages, the same connections among them")
    kinds = [(count, key) for key in (False, True) for count in COUNTS]
    sends: dict[tuple[int, bool], list[newsroom.Sent]] = {kind: [] for kind in kinds}
    for turn in range(options.rounds):
        for count, key in kinds:
            progress(f"--workers {count}{', signed' if key else ''}: {turn + 1} of {options.rounds}")
            sends[count, key].append(_sent(readers, port, count, key=key))
    print_table(
        ("processes", "messages/s", "of one", "µs CPU/message"),
        [_row(sends, count, key=key) for count, key in kinds],
    )


def _sent(readers: int, port: int, count: int, *, key: bool) -> newsroom.Sent:
    with newsroom.newsroom(readers) as room:
        if key:
            sign_with_rsa(room)
        return newsroom.send(room, port, more=("--workers", str(count)))


def sign_with_rsa(room: newsroom.Newsroom) -> None:
    """Let the newsletter sign with one RSA-2048 key alone."""
    room.command("dkim", "new", "--domain", "example.org")
    for second in Path(room.folder, ".mailer", "dkim").glob("*.ed25519.pem"):
        second.unlink()


def _row(sends: dict[tuple[int, bool], list[newsroom.Sent]], count: int, *, key: bool) -> tuple[str, ...]:
    name = f"--workers {count}{', signed' if key else ''}"
    pairs = zip(sends[count, key], sends[1, key], strict=True)
    ratio = statistics.median(one.rate / alone.rate for one, alone in pairs)
    rate = statistics.median(one.rate for one in sends[count, key])
    cpu = statistics.median(one.cpu for one in sends[count, key])
    return name, figure(rate), f"{ratio:.2f}", figure(cpu)
