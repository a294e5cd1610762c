"""Several workers of one PostgreSQL: what a message costs the database, and whether they keep one limit together.

Workers are `mailer run --only delivery` in places of their own; the relay is Postfix's smtp-sink, which costs nothing.
PostgreSQL's CPU is that of the server and of all its processes, from /proc; planning, claiming and settling.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from benchmarks.process import CHECKOUT, server_cpu, sink
from benchmarks.table import Wanted, alone, figure, heading, print_table, progress

sys.path.insert(0, str(CHECKOUT))  # the kill-test's stage

from mailer.database import open_engine, reading
from tests.killtest.postgres import Postgres
from tests.killtest.stage import Newsletter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine, TextClause

    from benchmarks.table import Options


class Cluster:
    """A newsletter on PostgreSQL and as many places to send it from as wanted."""

    def __init__(self, folder: Path, readers: int, relay: str) -> None:
        self.postgres = Postgres()
        self.folder = folder
        self.newsletter = Newsletter(folder, readers, self.postgres.url)
        self.newsletter.relay = relay
        self.database: Engine = open_engine(self.postgres.url)
        self.issue = 71

    def close(self) -> None:
        self.database.dispose()
        self.postgres.close()

    def place(self, number: int) -> Path:
        place, home = self.folder / f"place{number}", self.newsletter.folder
        if not place.exists():
            (place / ".mailer").mkdir(parents=True, mode=0o700)
            shutil.copy(home / "mailer.toml", place)
            shutil.copy(home / ".mailer" / "secret.key", place / ".mailer")
        return place

    @contextmanager
    def workers(self, count: int) -> Iterator[None]:
        """Run so many workers for as long as the block lasts."""
        running = [
            self.newsletter.start("run", "--only", "delivery", folder=self.place(number))
            for number in range(count)
        ]
        try:
            time.sleep(4)  # they are up before there is anything to do
            yield
        finally:
            for one in running:
                one.send_signal(signal.SIGTERM)
            for one in running:
                one.communicate(timeout=60)

    def begin(self) -> str:
        """Begin a new issue, and leave it to the workers; give its mailing's name."""
        self.issue += 1
        self.newsletter.write(self.issue)
        sending = self.newsletter.start("send", "--issue", str(self.issue), "--yes")
        while not self.sent() and sending.poll() is None:
            time.sleep(0.02)
        sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=60)
        return f"{self.issue}.main"

    def sent(self) -> int:
        """Count who has the newest issue."""
        newest = "mailing_id = (SELECT max(id) FROM mailings WHERE name = :name) AND state = 'accepted'"
        with reading(self.database) as connection:
            words = text(f"SELECT count(*) FROM deliveries WHERE {newest}")
            return int(connection.scalar(words, {"name": f"{self.issue}.main"}) or 0)

    def ask(self, words: TextClause) -> int:
        with reading(self.database) as connection:
            return int(connection.scalar(words) or 0)

    def wait(self, count: int, limit: float = 600) -> None:
        until = time.monotonic() + limit
        while self.sent() < count and time.monotonic() < until:
            time.sleep(0.5)

    def span(self) -> tuple[int, float]:
        """Give the messages of the middle nine tenths of the newest issue, and the seconds they took."""
        newest = "mailing_id = (SELECT max(id) FROM mailings) AND state = 'accepted'"
        with reading(self.database) as connection:
            words = f"SELECT extract(epoch from at) FROM deliveries WHERE {newest} ORDER BY at"
            times = [float(one) for one in connection.scalars(text(words))]
        edge = len(times) // 20
        return len(times) - 2 * edge - 1, times[-1 - edge] - times[edge]

    def cpu(self) -> float:
        """Give the seconds of CPU that the server and its processes have used, those that ended included."""
        with reading(self.database) as connection:
            return server_cpu(int(connection.scalar(text("SELECT pg_backend_pid()")) or 0))


def measure(options: Options) -> list[Wanted]:
    """Measure, print the tables, and give what is wanted."""
    readers = 4_000 if options.quick else 40_000
    heading(f"Several workers of one PostgreSQL: {readers:,} messages")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailer-bench-")))
        port = stack.enter_context(sink())
        relay = f"smtp://127.0.0.1:{port}?connections=24"
        cluster = stack.enter_context(closing(Cluster(folder, readers, relay)))
        costs = [_cost(cluster, count, readers) for count in ((1, 2) if options.quick else (1, 2, 4, 8))]
        print_table(("workers", "messages/s", "µs of PostgreSQL's CPU/message"), costs_rows(costs))
        seconds = 15 if options.quick else 60
        whole = 100 if seconds * 130 < readers else readers // (seconds + 15)
        relay_off = _limited(cluster, f"{relay}&per_second={whole}", "", whole, seconds)
        part = max(2, readers // 40 // (seconds + 10))  # the stage has forty domains
        domain_off = _limited(cluster, relay, "d1.example", part, seconds)
    worst = max(cost for _, _, cost in costs)
    return [
        Wanted("PostgreSQL's CPU of a message, worst of all", worst, "<=", 60, "µs"),
        Wanted(f"two workers with a relay's limit of {whole}/s, off by", relay_off, "<=", 5, "%"),
        Wanted(f"two workers with a domain's limit of {part}/s, off by", domain_off, "<=", 5, "%"),
    ]


def costs_rows(costs: list[tuple[int, float, float]]) -> list[tuple[str, ...]]:
    return [(str(count), figure(rate), figure(cost)) for count, rate, cost in costs]


def _cost(cluster: Cluster, count: int, readers: int) -> tuple[int, float, float]:
    """Give workers, messages a second, and microseconds of PostgreSQL a message."""
    progress(f"{count} workers")
    with cluster.workers(count):
        before = cluster.cpu()
        cluster.begin()
        cluster.wait(readers)
        cost = (cluster.cpu() - before) / readers * 1e6
    messages, seconds = cluster.span()
    return count, messages / seconds, cost


def _limited(cluster: Cluster, relay: str, domain: str, limit: int, seconds: int) -> float:
    """Give by how many per cent two workers miss a limit that they share: of the relay, or of one domain."""
    progress(f"two workers share the limit of {domain or 'the relay'}")
    cluster.newsletter.relay = relay
    if domain:
        for folder in (cluster.newsletter.folder, *(cluster.place(number) for number in range(2))):
            file = folder / "mailer.toml"
            file.write_text(f'{file.read_text()}\n[domains."{domain}"]\nper_second = {limit}\n')
    count = text(
        # Of every mailing: what an earlier one has left goes out beside this one, within the same limit.
        f"SELECT count(*) FROM deliveries WHERE state = 'accepted' AND domain LIKE '{domain or '%'}'"
    )
    with cluster.workers(2):
        cluster.begin()
        time.sleep(4)
        first, began = cluster.ask(count), time.monotonic()
        time.sleep(seconds)
        rate = (cluster.ask(count) - first) / (time.monotonic() - began)
    print(f"limit {limit}/s, sent {rate:.2f}/s\n")
    return abs(rate - limit) / limit * 100


if __name__ == "__main__":
    alone(measure)
