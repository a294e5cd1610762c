"""The daemon as a process: it sends what falls due, and ends when it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.commandline import ROOT, Cli
from tests.loopback.server import Rule, Script, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ISSUE = "---\nissue: 7\ntitle: A letter about daemons\n---\nHello, all is well here.\n"


@contextmanager
def daemon(folder: Path, relay: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run `mailer run` until the block ends."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAILER_RELAY": relay}
    with subprocess.Popen([sys.executable, "-m", "mailer", "run"], cwd=folder, env=environment) as process:
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something; the limit guards against hanging alone."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.1)


def test_the_daemon_sends_what_was_deferred(newsletter: Path, cli: Cli, tmp_path: Path) -> None:
    """A send that leaves somebody deferred is finished by `mailer run` when the time has come; nobody gets it twice."""
    (newsletter / "issues" / "007.md").write_text(ISSUE)
    people = tmp_path / "people.csv"
    people.write_text("email,name\n" + "".join(f"p{n}@d.example.net,P {n}\n" for n in range(5)))
    assert cli("subscribers", "import", people, "--list", "main", "--basis", "test", "--yes").code == 0
    with running(Script(rules=(Rule("rcpt", "450 4.2.1 later", recipient="p3@*"),))) as server:
        ended = cli.process("send", "7", "--yes", "--json", MAILER_RELAY=server.url())
        assert (ended.code, ended.json["deferred"]) == (4, 1), ended.err
        server.follow(Script())
        _let_time_pass(newsletter)
        with daemon(newsletter, server.url()):
            until(lambda: len(server.accepted) == 5)
            until(lambda: cli("audit", "7", "--json").json["state"] == "finished")
        assert sorted(one.recipient for one in server.accepted) == [f"p{n}@d.example.net" for n in range(5)]


LONG_CHORE = """
import sys, time
from mailer.cli import main
from mailer.run import chores, daemon
def work(*_): print("begun", flush=True); time.sleep(600)
daemon.GRACE = 0
object.__setattr__(chores.CHORES[0], "work", work)
main(["run", "--only", "upkeep"])
"""


def test_a_chore_that_takes_long_does_not_keep_the_daemon(newsletter: Path) -> None:
    """A thread cannot be ended, and Python would wait for it; SIGTERM ends the process all the same, with 0."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", LONG_CHORE],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=newsletter,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "begun\n"
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "house did not end in time" in said
    assert "Traceback" not in said


def _let_time_pass(folder: Path) -> None:
    """Make what is deferred due now: a quarter of an hour is long for a test."""
    import sqlite3

    with sqlite3.connect(folder / ".mailer" / "mailer.db") as database:
        database.execute(
            "UPDATE deliveries SET due_at = '2020-01-01 00:00:00.000000' WHERE state = 'deferred'"
        )
