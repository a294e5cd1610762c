"""`mailer run` under load and under signals: whatever they do to it, nothing is lost and nothing goes twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from tests.commandline import ROOT, Cli
from tests.killtest.reckoning import Reckoning
from tests.loopback.server import LoopbackServer, Script, running

if TYPE_CHECKING:
    from pathlib import Path

READERS = 400
STRIKES = ["KILL", "TERM", "STOP"] * 4
ISSUES = (7, 8)


def daemon(folder: Path, relay: str, log: Path) -> subprocess.Popen[bytes]:
    """Start `mailer run` without the pages: two of it would want one port."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAILER_RELAY": relay}
    words = [sys.executable, "-m", "mailer", "run", "--only", "delivery,schedule"]
    with log.open("ab") as file:
        return subprocess.Popen(words, cwd=folder, env=environment, stderr=file)


def newsletter_with_dates(newsletter: Path, cli: Cli, tmp_path: Path) -> None:
    """Have readers, and two issues whose hour has just come."""
    people = tmp_path / "people.csv"
    people.write_text("email\n" + "".join(f"p{n}@d{n % 9}.example.net\n" for n in range(READERS)))
    assert cli("subscribers", "import", people, "--list", "main", "--basis", "test", "--yes").code == 0
    for number in ISSUES:
        at = datetime.now(UTC) - timedelta(seconds=30 - number)
        head = f"issue: {number}\ntitle: Letter {number}\nsend: {at:%Y-%m-%d %H:%M:%S}Z\n"
        (newsletter / "issues" / f"{number:03}.md").write_text(f"---\n{head}---\nHello, all is well here.\n")


@pytest.mark.slow
def test_signals_lose_nothing_and_send_nothing_twice(newsletter: Path, cli: Cli, tmp_path: Path):
    """Two daemons on one database; TERM, KILL, STOP and CONT at random moments, and started again each time."""
    newsletter_with_dates(newsletter, cli, tmp_path)
    fate = random.Random(42)  # noqa: S311 - it chooses moments
    log = tmp_path / "log.txt"
    with running(Script(delay=0.05)) as server:
        pair = [daemon(newsletter, server.url("connections=4"), log) for _ in range(2)]
        try:
            for kind in fate.sample(STRIKES, len(STRIKES)):
                time.sleep(fate.uniform(0.5, 2.5))
                place = fate.randrange(2)
                _strike(pair[place], kind, fate)
                if pair[place].poll() is not None:
                    pair[place] = daemon(newsletter, server.url("connections=4"), log)
            _settled(cli)
        finally:
            codes = [_end(process) for process in pair]
    # One that is still loading its modules has nothing to lay down, and simply dies of the signal.
    assert set(codes) <= {0, -signal.SIGTERM}, log.read_text()[-4000:]
    assert "Traceback" not in log.read_text()
    _reckon(cli, server, len(STRIKES))


def _strike(process: subprocess.Popen[bytes], kind: str, fate: random.Random) -> None:
    """Do something to a process."""
    if kind == "STOP":
        process.send_signal(signal.SIGSTOP)
        time.sleep(fate.uniform(0.2, 2))
        process.send_signal(signal.SIGCONT)
        return
    process.send_signal(getattr(signal, f"SIG{kind}"))
    process.wait(30)


def _settled(cli: Cli) -> None:
    """Wait until nothing is left that goes out by itself."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = [cli("audit", str(number), "--json") for number in ISSUES]
        if all(one.code in {0, 1} and one.json["state"] == "finished" for one in found if one.out) and all(
            one.out for one in found
        ):
            return
        time.sleep(0.5)
    raise AssertionError("it never came to an end")


def _end(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(60)
    finally:
        process.kill()


def _reckon(cli: Cli, server: LoopbackServer, kills: int) -> None:
    reckoning = Reckoning(kills=kills, allowed=kills * 8)
    taken = Counter(one.message_id.strip("<>") for one in server.accepted)
    for number in ISSUES:
        rows = cli("audit", str(number), "--recipients", "--json").lines
        reckoning.add(f"{number}.main", READERS, rows, taken)
    assert reckoning.good, (reckoning.line(), reckoning.faults[:5])
    copies = Counter((one.recipient, one.message_id) for one in server.accepted)
    assert set(copies.values()) == {1}


@pytest.mark.slow
def test_a_daemon_lays_down_what_it_has_in_hand(newsletter: Path, cli: Cli, tmp_path: Path):
    """SIGTERM in the middle of a send: what is on the wire is finished, the rest waits for the next daemon."""
    newsletter_with_dates(newsletter, cli, tmp_path)
    log = tmp_path / "log.txt"
    with running(Script(delay=0.05)) as server:
        process = daemon(newsletter, server.url("connections=4"), log)
        end = time.monotonic() + 60
        while len(server.accepted) < 20 and time.monotonic() < end:
            time.sleep(0.05)
        assert len(server.accepted) >= 20, log.read_text()
        assert _end(process) == 0, log.read_text()
        with_row = {row["state"] for row in cli("audit", "7", "--recipients", "--json").lines}
        assert "uncertain" not in with_row
        assert len(server.accepted) < 2 * READERS
