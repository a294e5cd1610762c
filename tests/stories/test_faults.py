"""What a fault leaves: real processes, a real server, and the ledger afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.killtest.stage import ROOT, environment
from tests.stories.stage import READERS, SEND, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A newsletter whose server ends with the test."""
    made = Stage(tmp_path)
    yield made
    if made.server is not None:
        made.server.close()


def test_two_sends_of_one_issue_at_once(stage: Stage) -> None:
    """Both end well, together they bring it to everybody, and to nobody twice."""
    stage.serve()
    processes = [stage.newsletter.start(*SEND) for _ in range(2)]
    assert [stage.ended(process)[0] for process in processes] == [0, 0]
    assert stage.states() == {"accepted": READERS}


def test_a_locked_database_is_waited_for(stage: Stage) -> None:
    """Another connection holds the write lock for some seconds in the middle: nothing is lost, it goes on."""
    stage.serve(delay=0.01)
    process = stage.sending()
    with closing(stage.database()) as other:
        other.execute("BEGIN IMMEDIATE")
        time.sleep(3)
        other.execute("ROLLBACK")
    code, sums = stage.ended(process)
    assert (code, sums["accepted"]) == (0, READERS)
    assert stage.states() == {"accepted": READERS}


_NO_ROOM = {
    "database": """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))  # the write-ahead log is the first to reach it
""",
    "journal": """
import os, mailer.delivery.journal as journal
write, count = journal.Journal.write, 0
def until_full(self, *moves):
    global count
    count += 1
    if count == 20:
        os.dup2(os.open("/dev/full", os.O_WRONLY), self._file)  # every write now ends with ENOSPC
    write(self, *moves)
journal.Journal.write = until_full
""",
}
_SEND = """
import sys
from functools import partialmethod
from mailer.delivery.writer import Writer
Writer.__init__ = partialmethod(Writer.__init__, patience=2.0)  # with a full disk
from mailer.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize("which", ["journal", "database"])
def test_a_full_disk_stops_it_and_the_next_run_is_right(stage: Stage, which: str) -> None:
    """In the middle nothing can be written any more: it ends with 75, and later the same command goes on."""
    stage.serve(delay=0.002)
    limit = (stage.newsletter.folder / ".mailer" / "mailer.db").stat().st_size + 300_000
    ended = subprocess.run(
        [sys.executable, "-c", _NO_ROOM[which].format(limit=limit) + _SEND, *SEND],
        cwd=stage.newsletter.folder,
        env=environment(MAILER_RELAY=stage.newsletter.relay),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 75, ended.stdout + ended.stderr
    assert 0 < sum(stage.got().values()) < READERS
    code, _ = stage.send()
    states = stage.states()
    assert code == (4 if states["uncertain"] else 0)
    assert states["accepted"] + states["uncertain"] == READERS
    assert states["uncertain"] <= 4


def test_without_a_journal_nothing_is_sent(stage: Stage) -> None:
    """Where the journal cannot even be begun, the send ends with 75, and nobody was mailed."""
    stage.serve()
    journals = stage.newsletter.folder / ".mailer" / "journal"
    journals.write_text("something stands in its place")
    assert stage.newsletter.run(*SEND)[0] == 75
    assert not stage.got()
    journals.unlink()
    assert stage.send()[0] == 0
    assert stage.states() == {"accepted": READERS}


def test_a_relay_that_vanishes_and_comes_back(stage: Stage) -> None:
    """The server dies in the middle and stands again on the same port: the same run goes on by itself."""
    first = stage.serve(delay=0.005)
    process = stage.sending()
    first.kill()
    time.sleep(0.5)
    stage.serve()
    code, _ = stage.ended(process)
    states = stage.states()
    assert code == (4 if states["uncertain"] else 0)
    assert states["accepted"] + states["uncertain"] == READERS
    assert states["uncertain"] <= 4


@pytest.mark.parametrize("decision", ["resend", "skip"])
@pytest.mark.parametrize("taken", [True, False])
def test_drops_after_the_final_dot_are_uncertain_and_a_person_decides(
    stage: Stage, decision: str, taken: bool
) -> None:
    """Exactly those are uncertain whose line broke between body and answer, taken or not; nobody else is touched."""
    do = "accept-drop" if taken else "drop"
    who = [f"reader{n}@d{n % 40}.example" for n in (3, 77, 400, 1111, 1499)]
    stage.serve(rules=[{"at": "final", "do": do, "recipient": one, "times": 1} for one in who])
    code, sums = stage.send()
    assert (code, sums["uncertain"]) == (4, len(who))
    rows = {row["email"]: row for row in stage.newsletter.rows("72") if row["state"] == "uncertain"}
    assert sorted(rows) == sorted(who)
    assert stage.send()[0] == 4  # asked again without a decision, nothing changes
    code, _ = stage.newsletter.run("send", "72", "--uncertain", decision, "--yes")
    assert code == 0
    copies = Counter(stage.got()[row["message_id"].strip("<>")] for row in rows.values())
    assert copies == {taken + (decision == "resend"): len(who)}
    final = Counter(row["state"] for row in stage.newsletter.rows("72"))
    assert final["accepted"] == (READERS if decision == "resend" else READERS - len(who))
    assert final["skipped"] == (0 if decision == "resend" else len(who))


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(stage: Stage) -> None:
    """What is on its way is finished and recorded: nothing is uncertain, and nobody has it twice."""
    stage.serve(delay=0.005)
    process = stage.sending()
    process.send_signal(signal.SIGINT)
    code, sums = stage.ended(process)
    assert code == 130
    assert 0 < int(str(sums["accepted"])) < READERS
    assert set(stage.states()) == {"accepted", "planned"} or set(stage.states()) == {"accepted", "waiting"}
    assert stage.send()[0] == 0
    assert stage.states() == {"accepted": READERS}


@pytest.mark.parametrize("word", ["pause", "cancel"])
def test_pause_and_cancel_from_another_terminal(stage: Stage, word: str) -> None:
    """In force at the next message: the process that sends lays everything down and ends, saying so."""
    stage.serve(delay=0.02)
    process = stage.sending()
    stage.newsletter.must(word, "72", *(["--yes"] if word == "cancel" else []))
    at_word = sum(stage.got().values())
    code, sums = stage.ended(process)
    assert (code, sums["state"]) == (4, "paused" if word == "pause" else "cancelled")
    # Two seconds at most, at 4 connections and 20 ms a write: no more than these can have gone out since.
    assert sum(stage.got().values()) - at_word <= 4 * 2 / 0.02
    assert not {"claimed", "sending", "uncertain"} & set(stage.states())
    assert stage.newsletter.run(*SEND)[0] == 3  # it goes on only when a person says so
    if word == "pause":
        stage.newsletter.must("resume", "72")
        assert stage.send()[0] == 0
        assert stage.states() == {"accepted": READERS}
    else:
        assert stage.states()["skipped"] > 0


def test_an_amendment_reaches_those_who_wait(tmp_path: Path) -> None:
    """After `resume --amend` the others get the corrected issue; who has the first one keeps it."""
    readers = 80
    stage = Stage(tmp_path, readers)
    mail = tmp_path / "mail"
    # Slow enough that a busy machine has seconds to pause it in.
    words = ["-m", "tests.loopback", "--folder", str(mail), "--script", '{"delay": 0.1}']
    with (
        subprocess.Popen(
            [sys.executable, *words], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
        ) as server,
        ExitStack() as ending,
    ):
        ending.callback(server.terminate)  # else a failure would wait for the server for ever
        assert server.stdout is not None
        port = server.stdout.readline().strip().rpartition(":")[2]
        stage.newsletter.relay = f"smtp://127.0.0.1:{port}?connections=2"
        process = stage.newsletter.start(*SEND)
        stage.until(lambda: mail.exists() and len(list(mail.iterdir())) >= 20)
        stage.newsletter.must("pause", "72")
        stage.ended(process)
        first = len(list(mail.iterdir()))
        stage.file.write_text(stage.file.read_text().replace("as short as", "as brief as"))
        stage.newsletter.must("resume", "72", "--amend", "--yes")
        assert stage.send()[0] == 0
    texts = [file.read_bytes() for file in sorted(mail.iterdir())]
    brief = [b"as brief as" in text for text in texts]
    assert (len(texts), sum(brief)) == (readers, readers - first)
    assert not any(brief[:first])


def test_the_first_few_then_the_rest(stage: Stage) -> None:
    """`--first 10 --hold 2s`: ten get it, then after the hold the rest; each once."""
    server = stage.serve()
    process = stage.newsletter.start(*SEND, "--first", "10", "--hold", "2s")
    stage.until(lambda: server.accepted() >= 10)
    time.sleep(0.5)
    assert server.accepted() == 10
    assert stage.ended(process)[0] == 0
    assert stage.states() == {"accepted": READERS}


def test_new_readers_and_another_mailing(stage: Stage) -> None:
    """Who joined since gets it only when asked for; `--again NAME` is a mailing of its own, to everybody."""
    stage.serve()
    stage.send()
    stage.newsletter.join("late", 30)
    assert stage.send()[0] == 0
    assert stage.states() == {"accepted": READERS}
    assert stage.send("--new-readers")[0] == 0
    assert stage.states() == {"accepted": READERS + 30}
    assert stage.send("--again", "second")[0] == 0
    assert stage.states("72.main.second") == {"accepted": READERS + 30}
    assert max(stage.got().values()) == 1  # a mailing's messages have ids of their own


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param('title: "Letter 72"', 'title: "Another letter"', id="subject"),
        pytest.param("date:", "number: 73\ndate:", id="number"),
        pytest.param("date:", "slug: another\ndate:", id="slug"),
    ],
)
def test_a_file_that_no_longer_is_what_went_out_is_refused(tmp_path: Path, before: str, after: str) -> None:
    """Number, slug and subject are fixed at the first send: another one is a conflict, told with both names."""
    stage = Stage(tmp_path, 20)
    with closing(stage.serve()):
        assert stage.send()[0] == 0
        stage.file.write_text(stage.file.read_text().replace(before, after, 1))
        code, out = stage.newsletter.run("send", str(stage.file), "--yes", "--json")
    assert (code, "72" in out) == (2, True)
    assert sum(stage.got().values()) == 20
