"""`mailer send --workers N`: several processes, one command; real processes, a real server, the ledger afterwards."""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from mailer.database import open_engine, reading
from tests.killtest.stage import Newsletter, Server, alive, mates

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
READERS = 2500
CONNECTIONS = 6
SEND = ("send", "--issue", "72", "--yes", "--json")


class Stage:
    """A newsletter with an issue on either database, a server, and the processes of one command."""

    def __init__(self, folder: Path, database: str) -> None:
        self.newsletter = Newsletter(folder, READERS, database)
        self.newsletter.write(72)
        self.record = folder / "accepted.jsonl"
        self.server = Server(self.record)
        self.serve(0.01)

    def serve(self, delay: float) -> None:
        """Let the server wait so long with each reply, so that a send can be caught in the middle."""
        port = self.server.port
        self.server.close()
        self.server = Server(self.record, port, json.dumps({"delay": delay}))
        self.newsletter.relay = f"smtp://127.0.0.1:{self.server.port}?connections={CONNECTIONS}"

    def start(self, *more: str) -> subprocess.Popen[str]:
        """Start a send."""
        return self.newsletter.start(*SEND, *more)

    def sending(self) -> tuple[subprocess.Popen[str], set[int]]:
        """Start a send of three processes, and come back when each of them has brought somebody the issue."""
        self.serve(0.03)
        process = self.start("--workers", "3")
        self.until(lambda: len(self.shares()) == 3)
        others = mates(process.pid)
        assert len(others) == 2
        return process, others

    def daemon(self) -> tuple[subprocess.Popen[str], set[int]]:
        """Start `mailer run`, and come back when it and the process beside it are known to the ledger as workers."""
        process = self.newsletter.start("run", "--only", "delivery")
        pids = "SELECT DISTINCT pid FROM workers WHERE kind = 'run' AND ended_at IS NULL"
        self.until(lambda: {process.pid} < mates(process.pid) | {process.pid} <= set(self.ask(pids)))
        return process, mates(process.pid)

    @staticmethod
    def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, object]]:
        """Wait for the end of a send; give its exit code and what it said."""
        out, _ = process.communicate(timeout=120)
        return process.returncode, json.loads(out.splitlines()[-1])

    def send(self, *more: str) -> tuple[int, dict[str, object]]:
        """Send to the end."""
        return self.ended(self.start(*more))

    @staticmethod
    def until(true: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something; a guard against hanging, no measurement."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end
            time.sleep(0.01)

    def shares(self) -> list[int]:
        """Give how many readers each process has brought the issue to."""
        return self.ask("SELECT count(*) FROM deliveries WHERE state = 'accepted' GROUP BY epoch")

    def ask(self, words: str) -> list[int]:
        """Ask the database beside the program."""
        url = self.newsletter.database or f"sqlite:///{self.newsletter.folder / '.mailer' / 'mailer.db'}"
        engine = open_engine(url)
        try:
            with reading(engine) as connection:
                return list(connection.scalars(text(words)))
        finally:
            engine.dispose()

    def states(self) -> Counter[str]:
        """Give how many readers are in each state, having checked each `accepted` with the server's record."""
        taken, rows = self.server.taken(), self.newsletter.rows("72")
        for row in rows:
            copies = taken[row["message_id"].strip("<>")]
            assert copies <= 1 if row["state"] != "accepted" else copies == 1, row
        return Counter(row["state"] for row in rows)


@pytest.fixture
def stage(tmp_path: Path, database_url: str) -> Iterator[Stage]:
    """A newsletter whose server ends with the test."""
    made = Stage(tmp_path, database_url)
    yield made
    made.server.close()


def test_several_processes_bring_it_to_everybody_once(stage: Stage) -> None:
    """Each has its part, nobody has two copies; the sums and the exit code are those of one process."""
    code, sums = stage.send("--workers", "3")
    assert (code, sums["state"], sums["planned"], sums["accepted"]) == (0, "finished", READERS, READERS)
    assert stage.states() == {"accepted": READERS}
    assert len(stage.shares()) == 3


def test_the_relay_sees_no_more_connections_than_it_allows(stage: Stage) -> None:
    """The processes share the connections of one: while they come and go, and while they send."""
    process, most = stage.start("--workers", "3"), 0
    while process.poll() is None:
        most = max(most, stage.server.open_connections())
        time.sleep(0.002)
    assert stage.ended(process)[0] == 0
    assert 1 < most <= CONNECTIONS


def test_the_death_of_the_first_ends_the_others(stage: Stage) -> None:
    """SIGKILL of the command itself: the others stop between two messages, and the same command goes on."""
    process, others = stage.sending()
    process.kill()
    process.communicate()
    stage.until(lambda: not any(map(alive, others)))
    assert stage.server.accepted() < READERS
    stage.serve(0)
    code, _ = stage.send("--workers", "3")
    states = stage.states()
    assert code == (4 if states["uncertain"] else 0)
    assert states["accepted"] + states["uncertain"] == READERS
    assert states["uncertain"] <= CONNECTIONS


def test_the_death_of_another_is_made_good_while_it_sends(stage: Stage) -> None:
    """SIGKILL of one beside it: its readers are accounted for, another takes its place, and it goes to its end."""
    process, others = stage.sending()
    os.kill(min(others), signal.SIGKILL)
    stage.until(lambda: len(mates(process.pid) - others) == 1)
    code, sums = stage.ended(process)
    states = stage.states()
    assert code == (4 if states["uncertain"] else 0)
    assert states["accepted"] + states["uncertain"] == READERS
    assert states["uncertain"] == sums["uncertain"] <= CONNECTIONS
    assert "killed by signal 9" in stage.newsletter.said.read_text()


def test_ctrl_c_ends_all_of_them(stage: Stage) -> None:
    """On a terminal every process hears it: all stop between two messages, exit 130, and the same command goes on."""
    process, others = stage.sending()
    for pid in (process.pid, *others):
        os.kill(pid, signal.SIGINT)
    code, sums = stage.ended(process)
    assert code == 130
    assert not any(map(alive, others))
    assert 0 < int(str(sums["accepted"])) < READERS
    assert not {"claimed", "sending", "uncertain"} & set(stage.states())
    assert sums["claimed"] == sums["sending"] == 0
    stage.serve(0)
    assert stage.send("--workers", "2")[0] == 0
    assert stage.states() == {"accepted": READERS}
    assert "Traceback" not in stage.newsletter.said.read_text()


def test_a_pause_holds_for_all_of_them(stage: Stage) -> None:
    """`mailer pause` from another terminal: every process lays down what it holds, and the command says so."""
    process, others = stage.sending()
    stage.newsletter.must("pause", "72")
    code, sums = stage.ended(process)
    assert (code, sums["state"], sums["claimed"], sums["sending"]) == (4, "paused", 0, 0)
    assert not any(map(alive, others))


def test_mailer_toml_says_how_many_and_the_command_line_knows_better(stage: Stage) -> None:
    """`workers = 2` holds for every send that does not say `--workers` itself."""
    file = stage.newsletter.folder / "mailer.toml"
    file.write_text(f"workers = 2\n{file.read_text()}")
    assert stage.send("--workers", "1")[0] == 0
    assert len(stage.shares()) == 1
    stage.newsletter.write(73)
    assert stage.newsletter.run("send", "73", "--yes")[0] == 0
    assert len(stage.shares()) == 3


def test_several_processes_of_the_daemon_end_with_it(stage: Stage) -> None:
    """With `workers = 2` two processes send what falls due; SIGTERM ends both with nothing in doubt, SIGKILL, too."""
    file = stage.newsletter.folder / "mailer.toml"
    file.write_text(f"workers = 2\n{file.read_text()}")
    begun = stage.start("--workers", "1")
    stage.until(lambda: stage.server.accepted() >= 20)
    begun.send_signal(signal.SIGINT)
    assert stage.ended(begun)[0] == 130
    daemon, others = stage.daemon()
    stage.until(lambda: stage.server.accepted() >= 400)
    daemon.send_signal(signal.SIGTERM)
    daemon.communicate(timeout=60)
    assert (daemon.returncode, [*filter(alive, others)]) == (0, [])
    assert not {"claimed", "sending", "uncertain"} & set(stage.states())
    daemon, others = stage.daemon()
    daemon.kill()
    daemon.communicate()
    stage.until(lambda: not any(map(alive, others)))
