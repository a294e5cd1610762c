"""Several workers of one PostgreSQL: what a message costs the database, and whether they keep one limit together.

Workers are `mailer run --only delivery` in places of their own; the relay is Postfix's smtp-sink, which costs nothing.
PostgreSQL's CPU is that of the server and of all its processes, from /proc: from the first claim to the last outcome,
with all that workers ask and say meanwhile. Everybody is planned before, and that is measured for itself.

Of a hundred connections a worker writes more moves a commit than of twenty. A hundred are fewer than a worker of
docs/scale.md has where PostgreSQL's CPU matters; twenty are few.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from benchmarks.process import CHECKOUT, server_cpu, sink
from benchmarks.table import Wanted, alone, figure, heading, print_table, progress

sys.path.insert(0, str(CHECKOUT))  # the kill-test's stage

from mailer.database import open_engine, reading
from tests.killtest.postgres import Postgres
from tests.killtest.stage import Newsletter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from benchmarks.table import Options

_LIMIT = 100  # messages a second
_CONNECTIONS = (100, 20)  # of each worker
_HEADS = ("workers", "connections each", "messages/s", "µs claim to settle", "µs planning", "ms loop")


class Cluster:
    """A newsletter on PostgreSQL and as many places to send it from as wanted."""

    def __init__(self, folder: Path, readers: int, port: int) -> None:
        self.postgres = Postgres()
        self.folder = folder
        self.readers = readers
        self.port = port
        self.newsletter = Newsletter(folder, readers, self.postgres.url, domains=4)
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
    def workers(self, count: int, options: str = "", each: int = 20) -> Iterator[None]:
        """Run so many workers, of so many connections `each`, for as long as the block lasts."""
        self.newsletter.relay = f"smtp://127.0.0.1:{self.port}?connections={each * count}{options}"
        running = [
            self.newsletter.start("run", "--only", "delivery", folder=self.place(number))
            for number in range(count)
        ]
        try:
            time.sleep(3 + count)  # they are up before there is anything to do
            yield
        finally:
            for one in running:
                one.send_signal(signal.SIGTERM)
            for one in running:
                one.communicate(timeout=60)

    def plan(self) -> float:
        """Plan a new issue for everybody and pause it before anybody has it; give the seconds of CPU it took."""
        self.issue += 1
        self.newsletter.write(self.issue)
        before = self.cpu()
        self.newsletter.relay = "smtp://127.0.0.1:1"  # nobody listens there
        sending = self.newsletter.start("send", "--issue", str(self.issue), "--yes")
        while not self._ask("SELECT count(*) FROM audiences WHERE mailing_id = :mailing AND done"):
            time.sleep(0.1)
        sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=60)
        self.newsletter.must("pause", str(self.issue))
        return self.cpu() - before

    def resume(self) -> None:
        self.newsletter.must("resume", str(self.issue), "--yes")

    def cancel(self) -> None:
        self.newsletter.run("cancel", str(self.issue), "--yes")  # unless it is finished already

    def wait(self, limit: float = 900) -> None:
        """Wait until the mailing is finished; asking costs next to nothing."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            if self._ask("SELECT count(*) FROM mailings WHERE id = :mailing AND state = 'finished'"):
                return
            time.sleep(0.2)
        raise RuntimeError("a mailing did not end")

    def _ask(self, words: str) -> int:
        """Ask of the newest mailing of this bench; 0 before there is one."""
        with reading(self.database) as connection:
            newest = text("SELECT id FROM mailings WHERE number = :number")
            values = {"mailing": connection.scalar(newest, {"number": self.issue})}
            return int(connection.scalar(text(words), values) or 0)

    def accepted(self, domain: str) -> int:
        words = f"mailing_id = :mailing AND state = 'accepted' AND domain LIKE '{domain or '%'}'"
        return self._ask(f"SELECT count(*) FROM deliveries WHERE {words}")

    def span(self) -> tuple[int, float]:
        """Give the messages of the middle nine tenths of the newest issue, and the seconds they took."""
        newest = f"mailing_id = (SELECT id FROM mailings WHERE number = {self.issue}) AND state = 'accepted'"
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
    readers = 10_000 if options.quick else 100_000
    heading(f"Several workers of one PostgreSQL: {readers:,} messages")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailer-bench-")))
        port = stack.enter_context(sink())
        cluster = stack.enter_context(closing(Cluster(folder, readers, port)))
        workers = (1, 2) if options.quick else (1, 2, 4, 8)
        costs = [_cost(cluster, count, each) for each in _CONNECTIONS for count in workers]
        print_table(_HEADS, [*map(_row, costs)])
        seconds = 15 if options.quick else 60
        off = {
            "relay": _limited(cluster, f"&per_second={_LIMIT}", "", seconds),
            "domain": _limited(cluster, "", "d1.example", seconds),
        }
    wanted = [
        Wanted(f"PostgreSQL's CPU, {one.workers} workers of {one.each} connections", one.cost, "<=", 60, "µs")
        for one in costs
    ]
    return wanted + [
        Wanted(f"two workers with a {kind}'s limit of {_LIMIT}/s, off by", percent, "<=", 5, "%")
        for kind, percent in off.items()
    ]


class Cost(NamedTuple):
    """What so many workers did: messages a second, and microseconds of PostgreSQL's CPU a message.

    `loop` is how long a fixed loop of Python took before and after, in ms of CPU: how fast the machine was.
    """

    workers: int
    each: int
    rate: float
    cost: float
    planning: float
    loop: float


def _row(one: Cost) -> tuple[str, ...]:
    return str(one.workers), str(one.each), *map(figure, (one.rate, one.cost, one.planning, one.loop))


def _cost(cluster: Cluster, count: int, each: int) -> Cost:
    progress(f"{count} workers of {each} connections")
    planning = cluster.plan()
    loop = _loop()
    with cluster.workers(count, each=each):
        before = cluster.cpu()
        cluster.resume()
        cluster.wait()
        cost = cluster.cpu() - before
    messages, seconds = cluster.span()
    share = 1e6 / cluster.readers
    return Cost(count, each, messages / seconds, cost * share, planning * share, (loop + _loop()) / 2)


def _loop() -> float:
    """Give the milliseconds of CPU that a fixed loop takes: a virtual machine is not always the same."""
    began, total = time.process_time(), 0
    for number in range(3_000_000):
        total += number * number
    return (time.process_time() - began) * 1e3


def _limited(cluster: Cluster, options: str, domain: str, seconds: int) -> float:
    """Give by how many per cent two workers miss a limit that they share: of the relay, or of one domain."""
    progress(f"two workers share the limit of {domain or 'the relay'}")
    cluster.plan()
    if domain:
        for folder in (cluster.newsletter.folder, *(cluster.place(number) for number in range(2))):
            file = folder / "mailer.toml"
            file.write_text(f'{file.read_text()}\n[domains."{domain}"]\nper_second = {_LIMIT}\n')
    with cluster.workers(2, options):
        cluster.resume()
        time.sleep(4)
        first, began = cluster.accepted(domain), time.monotonic()
        time.sleep(seconds)
        rate = (cluster.accepted(domain) - first) / (time.monotonic() - began)
        cluster.cancel()
    print(f"limit {_LIMIT}/s, sent {rate:.2f}/s\n")
    return abs(rate - _LIMIT) / _LIMIT * 100


if __name__ == "__main__":
    alone(measure)
