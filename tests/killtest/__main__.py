"""The kill-test: `python -m tests.killtest --kills 500` kills `mailer send` and accounts for every reader.

A server process records each message in a file before it answers 250. `mailer send` processes bring an issue to the
readers; each is killed with SIGKILL at a random moment (while it starts, plans, sends, or is about to end) and started
again until the issue is done; then comes the next issue, until the kills are used up. With `--workers N` a send is
several processes: either the first is killed, and the others end by themselves, or one of the others, and the send
goes on.

The last line is `kills K lost L twice T uncertain U allowed A`; exit 1 unless nobody was lost or mailed twice, the
ledger says accepted only of what the server took, and no more are uncertain than connections were open at the kills.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.killtest.reckoning import Reckoning
from tests.killtest.stage import Newsletter, Server, mates

if TYPE_CHECKING:
    import subprocess

_FIRST_ISSUE = 72
_DONE = {0, 4}
_TICK = 0.002


class KillTest:
    """One newsletter, one server, many deaths."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.kills: int = given.kills
        self.batch: int = given.batch
        self.workers: int = given.workers
        self.random = random.Random(given.seed)  # noqa: S311 - it picks moments, it guards nothing
        self.newsletter = Newsletter(folder, given.readers)
        self.server = Server(folder / "accepted.jsonl")
        self.newsletter.relay = f"smtp://127.0.0.1:{self.server.port}?connections={given.connections}"
        self.sums = Reckoning()
        self.startup = 1.0  # seconds from the start of a process to its first message, as last seen
        self.issues: list[str] = []

    def run(self) -> Reckoning:
        """Kill until the kills are used up, and let the last issue end in peace."""
        number = _FIRST_ISSUE
        while self.sums.kills < self.kills:
            self.newsletter.write(number)
            self.issues.append(str(number))
            before = self.server.accepted()
            while not self._live(str(number), before):
                pass
            number += 1
        return self.sums

    def _live(self, issue: str, before: int) -> bool:
        """Start one `mailer send` and kill it, or let it end; true when the issue is done."""
        words = ["--workers", str(self.workers)] if self.workers > 1 else []
        process = self.newsletter.start("send", "--issue", issue, "--yes", "--json", *words)
        assert process.stdout is not None
        with process.stdout:
            while self.sums.kills < self.kills and self._wait(process, before):
                if self._kill(process):
                    return False
            out = process.stdout.read()
            code = process.wait(300)
        if code not in _DONE:
            raise RuntimeError(f"send ended with {code}: {out}\n{self.newsletter.said.read_text()[-2000:]}")
        sums = json.loads(out.splitlines()[-1])
        return not sums["waiting"] + sums["deferred"] + sums["claimed"] + sums["sending"]

    def _kill(self, process: subprocess.Popen[str]) -> bool:
        """Kill the command, or one of the processes beside it; true when the command is gone."""
        others = sorted(mates(process.pid)) if self.random.random() < 0.5 else []
        self.sums.allowed += self.server.open_connections()
        if others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.random.choice(others), signal.SIGKILL)
                self.sums.kills += 1
            return False
        process.kill()
        process.wait()
        killed = process.returncode < 0
        self.sums.kills += killed
        return killed

    def _wait(self, process: subprocess.Popen[str], before: int) -> bool:
        """Wait for the moment to kill; false if the process ended before it came."""
        began, at_start = time.monotonic(), self.server.accepted()
        left = self.newsletter.readers - (at_start - before)
        kind = self.random.choices(("start", "planning", "sending", "end"), (25, 15, 50, 10))[0]
        if kind == "end" and left > 5 * self.batch:
            kind = "sending"
        pause = self.random.random() * (self.startup if kind == "start" else 0.05)
        few = self.random.randrange(self.batch // 4) if kind == "end" else 0
        target = left - few if kind == "end" else int(self.random.expovariate(1 / self.batch))
        seen = False
        while process.poll() is None:
            new = self.server.accepted() - at_start
            if new and not seen:
                seen, self.startup = True, time.monotonic() - began
            if kind == "start":
                come = time.monotonic() - began >= pause
            elif kind == "planning":
                come = new > 0 or time.monotonic() - began >= self.startup * 0.95 + pause
            else:
                come = new >= target and (seen or target <= 0)
            if come:
                if kind == "end":
                    time.sleep(pause)
                return process.poll() is None
            time.sleep(_TICK)
        return False

    def reckon(self) -> None:
        """Hold the ledger against the server's record."""
        taken = self.server.taken()
        for issue in self.issues:
            self.sums.add(issue, self.newsletter.readers, self.newsletter.rows(issue), taken)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.killtest", description=__doc__.split("\n")[0])
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1, help="processes of one send")
    parser.add_argument("--batch", type=int, default=400, help="messages that pass between two kills, about")
    parser.add_argument(
        "--seed", type=int, default=None, help="the same moments again, as far as clocks allow"
    )
    return parser.parse_args()


def main() -> int:
    """Run it, and say what came of it."""
    given = options()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="killtest-") as folder:
        test = KillTest(Path(folder), given)
        with contextlib.closing(test.server):
            sums = test.run()
            test.reckon()
    lines = [
        *sums.faults[:20],
        f"{len(test.issues)} issues to {given.readers:,} readers in {time.monotonic() - began:,.0f} s",
        f"of the uncertain the server had taken {sums.taken} and not taken {sums.not_taken}",
        sums.line(),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if sums.good else 1


if __name__ == "__main__":
    sys.exit(main())
