"""The kill-test of several machines: `python -m tests.killtest.cluster --kills 200`.

Three places (a folder, the secret and a state of their own, as three machines have), each with a `mailer run --only
delivery`, send one issue after the other from one PostgreSQL through one relay. Each is in a network namespace of its
own, with an address of its own, and reaches both over that network only; where namespaces cannot be had it is a
process, and a line says so. Workers are killed with SIGKILL at random moments and started again; PostgreSQL crashes
twice and comes back; workers are cut off for seconds, and the last one until the others have taken its work over: then
it comes back and has to begin anew.

The last line is `kills K lost L twice T uncertain U allowed A`, as of the kill-test of one machine; the allowed are the
connections that the killed had open, and those of whom the others took over. No process may leave more in doubt than
it had connections, and none that was neither killed nor taken over may leave any.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tests.killtest.ledger import Ledger
from tests.killtest.namespaces import NETWORK, Namespaces, Processes, Unavailable, network
from tests.killtest.postgres import Postgres
from tests.killtest.reckoning import Reckoning
from tests.killtest.stage import Newsletter, Server
from tests.killtest.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_FIRST_ISSUE = 72
_WORKERS = 3
_PATIENCE = (
    240.0  # seconds until one that is cut off must be taken over, and until it must be back; no measurement
)
_TICK = 0.05


class ClusterTest:
    """Three places, one database, one relay, many deaths."""

    def __init__(self, folder: Path, given: argparse.Namespace, net: Namespaces | Processes) -> None:
        self.given, self.net = given, net
        self.random = random.Random(given.seed)  # noqa: S311 - it picks moments, it guards nothing
        self.sums = Reckoning()
        self.open: Counter[int] = Counter()  # connections of the killed and the taken over, by process
        self.issues: list[str] = []
        self.restarts = self.cuts = self.returned = 0
        self._hub = net.inside("hub")
        with contextlib.ExitStack() as ends:
            self.postgres = Postgres(self._hub, net.host, NETWORK)
            ends.callback(self.postgres.close)
            self.server = Server(folder / "accepted.jsonl", 0, '{"delay": 0.003}', net.host, self._hub)
            ends.callback(self.server.close)
            self.ledger = Ledger(self.postgres.url)
            ends.callback(self.ledger.close)
            self.newsletter = Newsletter(folder, given.readers, self.postgres.url)
            relay = f"smtp://{net.host}:{self.server.port}?connections={given.connections}"
            self.newsletter.relay = relay
            self.workers = [
                Worker(number, self.newsletter, folder / f"place{number}", net, self.postgres.remote)
                for number in range(_WORKERS)
            ]
            ends.callback(self._end)
            self._ends = ends.pop_all()

    def run(self) -> None:
        """Send issue after issue until the kills are used up and the last one has ended in peace."""
        for worker in self.workers:
            worker.start()
        number = _FIRST_ISSUE
        while self.sums.kills < self.given.kills:
            self.issues.append(str(number))
            self.newsletter.begin(number, self.server, self._hub)
            while not self.ledger.done():
                self._mischief()
                self._tend()
                time.sleep(_TICK)
            number += 1
        while not all(worker.awake for worker in self.workers):
            self._tend()
            time.sleep(_TICK)
        for worker in self.workers:
            worker.end(signal.SIGTERM)

    def _mischief(self) -> None:
        """Do what goes wrong on machines: about one thing a second and a half."""
        given, kills = self.given, self.sums.kills
        if kills >= given.kills or self.random.random() > _TICK / given.every:
            return
        awake = [one for one in self.workers if one.awake]
        if self.restarts < 2 and kills >= given.kills * (self.restarts + 1) / 3:
            self.restarts += 1
            self.postgres.restart()
        elif self.cuts < given.cuts and kills >= given.kills * (self.cuts + 1) / (given.cuts + 2):
            self._cut([one for one in awake if one.connections() and self.ledger.alive(one.pid)])
        elif awake:
            victim = self.random.choice(awake)
            self.open[victim.pid] += victim.kill(self.random.random() * 3)
            self.sums.kills += 1

    def _cut(self, whom: Sequence[Worker]) -> None:
        """Cut one off: for some seconds, which costs nothing, and the last one until the others have its work."""
        if not whom:
            return
        victim = self.random.choice(whom)
        self.cuts += 1
        taken_over = self.cuts == self.given.cuts > 1
        count = victim.cut(2 + self.random.random() * 6, taken_over=taken_over)
        if taken_over:
            self.open[victim.pid] += count

    def _tend(self) -> None:
        """Start the dead again, and let the cut off come back."""
        now = time.monotonic()
        for worker in self.workers:
            if worker.process is None and now >= worker.until:
                worker.start()
            elif worker.cut_off and now >= worker.until:
                self._heal(worker, now)
            elif worker.returning:
                self._welcome(worker, now)
            elif not worker.cut_off:
                worker.fell()

    def _heal(self, worker: Worker, now: float) -> None:
        if worker.taken_over and self.ledger.alive(worker.pid) is not False:
            if now < worker.until + _PATIENCE:
                return
            self.sums.faults.append(f"process {worker.pid} was cut off, and nobody took its work over")
        worker.heal()
        worker.until = now + _PATIENCE

    def _welcome(self, worker: Worker, now: float) -> None:
        """See whether one that others took over has begun anew."""
        if self.ledger.alive(worker.pid):
            worker.returning = False
            self.returned += 1
        elif worker.fell() or now >= worker.until:
            worker.returning = False
            self.sums.faults.append("a process that was cut off came back, and did not begin anew")

    def reckon(self) -> None:
        """Hold the ledger against the server's record, and every doubt against the connections of its process."""
        taken = self.server.taken()
        for issue in self.issues:
            self.sums.add(issue, self.newsletter.readers, self.newsletter.rows(issue), taken)
        self.sums.allowed = self.open.total()
        for pid, count in (self.ledger.doubts() - self.open).items():
            self.sums.faults.append(
                f"process {pid}: {count} more in doubt than it had connections at its end"
            )

    def _end(self) -> None:
        for worker in self.workers:
            if worker.process is not None:
                worker.process.send_signal(signal.SIGCONT)
                worker.end(signal.SIGKILL)

    def close(self) -> None:
        """End everything that is left."""
        self._ends.close()

    def lines(self) -> list[str]:
        """Say what came of it."""
        sums = self.sums
        return [
            *sums.faults[:20],
            f"{self.restarts} crashes of PostgreSQL, {self.cuts} times a worker was cut off",
            f"{self.returned} times the others took its work over meanwhile, and it came back to work",
            f"of the uncertain the server had taken {sums.taken} and not taken {sums.not_taken}",
            f"{_WORKERS} workers, each {self.net.words}",
            sums.line(),
        ]


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.killtest.cluster", description="Kill workers.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--readers", type=int, default=100_000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument(
        "--cuts",
        type=int,
        default=4,
        help="how often one is cut off; the last is taken over, if not the first",
    )
    parser.add_argument("--every", type=float, default=1.5, help="seconds between two faults, about")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--processes", action="store_true", help="on one network, also where namespaces can be had"
    )
    parser.add_argument(
        "--keep", type=Path, help="an empty folder for all that is written, to look at afterwards"
    )
    return parser.parse_args()


@contextlib.contextmanager
def machines(given: argparse.Namespace) -> Iterator[Namespaces | Processes]:
    """Give namespaces where they can be had; with MAILER_REQUIRE_ALL=1 root must have them."""
    if given.processes:
        yield Processes("they were not wanted")
        return
    with contextlib.ExitStack() as stack:
        net: Namespaces | Processes
        try:
            net = stack.enter_context(network(_WORKERS))
        except Unavailable as why:
            if os.environ.get("MAILER_REQUIRE_ALL") == "1" and os.geteuid() == 0:
                raise
            net = Processes(str(why))
        yield net


def interrupted(*_: object) -> None:
    """End, leaving nothing behind; whoever is impatient does not disturb that."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Run it, and give the exit code."""
    given = options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupted)
    try:
        return run(given)
    except KeyboardInterrupt:
        return 130
    except Unavailable as why:
        sys.stderr.write(f"no network namespaces, and MAILER_REQUIRE_ALL=1 wants them: {why}\n")
        return 1


def run(given: argparse.Namespace) -> int:
    """Run it on the machines that can be had, and say what came of it."""
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(machines(given))
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="killtest-")))
        test = ClusterTest(folder, given, net)
        with contextlib.closing(test):
            test.run()
            test.reckon()
    seconds = time.monotonic() - began
    first = f"{len(test.issues)} issues to {given.readers:,} readers in {seconds:,.0f} s"
    sys.stdout.write("\n".join([first, *test.lines()]) + "\n")
    return 0 if test.sums.good else 1


if __name__ == "__main__":
    sys.exit(main())
