"""The kill-test of several machines: `python -m tests.killtest.cluster --kills 200`.

Three places (a folder, the secret and a state of their own, as three machines have), each with a `mailer run --only
delivery`, send one issue after the other from one PostgreSQL through one relay. Workers are killed with SIGKILL at
random moments and started again; PostgreSQL crashes twice and comes back; one worker is cut off (SIGSTOP) for a while,
the last time for so long that the others take its work over.

The last line is `kills K lost L twice T uncertain U allowed A`, as of the kill-test of one machine; the allowed are the
connections that the killed and the cut off had open.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, select

from mailer.database import open_engine, reading
from mailer.delivery import ledger
from mailer.delivery.audience import left_to_plan
from mailer.delivery.tables import mailings
from mailer.errors import MailerError, TryLater
from tests.killtest.postgres import Postgres
from tests.killtest.reckoning import Reckoning
from tests.killtest.stage import Newsletter, Server

if TYPE_CHECKING:
    import subprocess

_FIRST_ISSUE = 72
_LONG = 66.0  # seconds of silence after which a worker counts as dead
_TICK = 0.05


class Worker:
    """One place, and the process that sends from it."""

    def __init__(self, newsletter: Newsletter, folder: Path, port: int) -> None:
        self._newsletter, self._folder, self._port = newsletter, folder, port
        self.process: subprocess.Popen[str] | None = None
        self.again = 0.0  # when it is to be started
        self.until = 0.0  # when it is let go on

    def start(self) -> None:
        """Start it."""
        self.process = self._newsletter.start("run", "--only", "delivery", folder=self._folder)

    def connections(self) -> int:
        """Count its open connections to the relay."""
        if self.process is None:
            return 0
        links = set()
        with contextlib.suppress(FileNotFoundError):
            for file in Path(f"/proc/{self.process.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    links.add(os.readlink(file))  # noqa: PTH115 - a socket's link is no path
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        mine = [
            one for one in lines if one[2].endswith(f":{self._port:04X}") and f"socket:[{one[9]}]" in links
        ]
        return len(mine)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def end(self, number: int) -> None:
        """End it, and collect what is left of it."""
        assert self.process is not None
        self.signal(number)
        self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None


class ClusterTest:
    """Three places, one database, one relay, many deaths."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.given = given
        self.random = random.Random(given.seed)  # noqa: S311 - it picks moments, it guards nothing
        self.postgres = Postgres()
        self.server = Server(folder / "accepted.jsonl", script='{"delay": 0.003}')
        self.newsletter = Newsletter(folder, given.readers, self.postgres.url)
        self.newsletter.relay = f"smtp://127.0.0.1:{self.server.port}?connections={given.connections}"
        self.workers = [self._worker(folder / f"place{number}") for number in range(3)]
        self.database: Engine = open_engine(self.postgres.url)
        self.sums = Reckoning()
        self.issues: list[str] = []
        self.restarts = self.cuts = 0

    def _worker(self, folder: Path) -> Worker:
        """Set up a machine: what git brings, and the secret; no journal, no witness, no lock."""
        home = self.newsletter.folder
        (folder / ".mailer").mkdir(parents=True, mode=0o700)
        shutil.copy(home / "mailer.toml", folder)
        shutil.copy(home / ".mailer" / "secret.key", folder / ".mailer")
        if (home / ".mailer" / "dkim").exists():
            shutil.copytree(home / ".mailer" / "dkim", folder / ".mailer" / "dkim")
        return Worker(self.newsletter, folder, self.server.port)

    def run(self) -> None:
        """Send issue after issue until the kills are used up and the last one has ended in peace."""
        for worker in self.workers:
            worker.start()
        number = _FIRST_ISSUE
        while self.sums.kills < self.given.kills:
            self._begin(number)
            while not self._done():
                self._mischief()
                self._tend()
                time.sleep(_TICK)
            number += 1
        while any(worker.until or worker.process is None for worker in self.workers):
            self._tend()
            time.sleep(_TICK)
        for worker in self.workers:
            worker.end(signal.SIGTERM)

    def _begin(self, number: int) -> None:
        """Begin an issue with `mailer send`, and leave the rest of it to the workers."""
        self.newsletter.write(number)
        self.issues.append(str(number))
        before = self.server.accepted()
        sending = self.newsletter.start("send", "--issue", str(number), "--yes")
        while sending.poll() is None and self.server.accepted() < before + 10:
            time.sleep(_TICK)
        sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=120)

    def _mischief(self) -> None:
        """Do what goes wrong on machines: about one thing a second and a half."""
        if self.sums.kills >= self.given.kills or self.random.random() > _TICK / self.given.every:
            return
        awake = [one for one in self.workers if one.process is not None and not one.until]
        if self.restarts < 2 and self.sums.kills >= self.given.kills * (self.restarts + 1) / 3:
            self.restarts += 1
            self.postgres.restart()
        elif self.cuts < self.given.cuts and self.sums.kills >= self.given.kills * (self.cuts + 1) / 4:
            self._cut(self.random.choice(awake) if awake else None)
        elif awake:
            victim = self.random.choice(awake)
            victim.signal(signal.SIGSTOP)  # so that it opens none between the count and its end
            self.sums.allowed += victim.connections()
            victim.end(signal.SIGKILL)
            victim.again = time.monotonic() + self.random.random() * 3
            self.sums.kills += 1

    def _cut(self, worker: Worker | None) -> None:
        """Cut one off: for three seconds, or for so long that it counts as dead."""
        if worker is None:
            return
        self.cuts += 1
        worker.signal(signal.SIGSTOP)
        self.sums.allowed += worker.connections()
        worker.until = time.monotonic() + (_LONG if self.cuts == self.given.cuts > 1 else 3.0)

    def _tend(self) -> None:
        """Start the dead again and let the cut off go on."""
        now = time.monotonic()
        for worker in self.workers:
            if worker.process is None:
                if now >= worker.again:
                    worker.start()
            elif worker.until and now >= worker.until:
                worker.signal(signal.SIGCONT)
                worker.until = 0.0
            elif worker.process.poll() == TryLater.exit_code:
                worker.end(signal.SIGTERM)  # no database to begin with: who watches over it starts it again
                worker.again = now + 1
            elif worker.process.poll() is not None:
                raise RuntimeError(f"a worker ended by itself:\n{self.newsletter.said.read_text()[-3000:]}")

    def _done(self) -> bool:
        """Say whether nobody waits any more."""
        try:
            with reading(self.database) as connection:
                newest = connection.execute(select(mailings.c.id).order_by(mailings.c.id.desc())).scalar()
                if newest is None or left_to_plan(connection, newest) is not None:
                    return False
                return not ledger.counts(connection, newest).unsettled
        except MailerError:
            return False  # it is being restarted

    def reckon(self) -> None:
        """Hold the ledger against the server's record."""
        taken = self.server.taken()
        for issue in self.issues:
            self.sums.add(issue, self.newsletter.readers, self.newsletter.rows(issue), taken)

    def close(self) -> None:
        """End everything that is left."""
        for worker in self.workers:
            if worker.process is not None:
                worker.signal(signal.SIGCONT)
                worker.end(signal.SIGKILL)
        self.database.dispose()
        self.server.close()
        self.postgres.close()


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.killtest.cluster", description="Kill workers.")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--readers", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument(
        "--cuts", type=int, default=2, help="how often one is cut off; the last time for long"
    )
    parser.add_argument("--every", type=float, default=1.5, help="seconds between two faults, about")
    parser.add_argument("--seed", type=int, default=None)
    return parser.parse_args()


def main() -> int:
    """Run it, and say what came of it."""
    given = options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="killtest-") as folder:
        test = ClusterTest(Path(folder), given)
        with contextlib.closing(test):
            test.run()
            test.reckon()
    lines = [
        *test.sums.faults[:20],
        f"{len(test.issues)} issues to {given.readers:,} readers in {time.monotonic() - began:,.0f} s",
        f"{test.restarts} crashes of PostgreSQL, {test.cuts} times a worker was cut off",
        f"of the uncertain the server had taken {test.sums.taken} and not taken {test.sums.not_taken}",
        test.sums.line(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if test.sums.good else 1


if __name__ == "__main__":
    sys.exit(main())
