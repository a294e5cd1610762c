"""mailer send, audit, status and the steering commands, as a person and as a program see them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from mailer.keys import rotated_secret
from tests.loopback.server import Do, LoopbackServer, Rule, Script, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.commandline import Cli

ISSUE = """---
issue: 72
title: 'Tidings #72: A letter'
{more}---
Hello {{{{ subscriber.name | default("you") }}}}, all is well.
"""
SUMS = {"planned", "waiting", "claimed", "sending", "accepted", "deferred", "refused", "uncertain", "skipped"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    """A server that MAILER_RELAY names."""
    with running() as one:
        monkeypatch.setenv("MAILER_RELAY", one.url("connections=3"))
        yield one


@pytest.fixture
def office(newsletter: Path, cli: Cli, tmp_path: Path) -> Path:
    """A newsletter with issue 72 and twelve readers."""
    write(newsletter)
    join(cli, tmp_path, range(12))
    return newsletter


def write(newsletter: Path, more: str = "", name: str = "072-a-letter.md") -> Path:
    """Write the issue."""
    file = newsletter / "issues" / name
    file.write_text(ISSUE.format(more=more))
    return file


def join(cli: Cli, folder: Path, numbers: range) -> None:
    """Import readers."""
    people = folder / "people.csv"
    people.write_text("email,name\n" + "".join(f"p{n}@d.example.net,P {n}\n" for n in numbers))
    ended = cli("subscribers", "import", people, "--list", "main", "--basis", "test", "--yes")
    assert ended.code == 0, ended.err


@pytest.mark.parametrize("count", [0, -1, 65])
def test_a_number_of_processes_that_makes_no_sense_is_refused(office: Path, cli: Cli, count: int) -> None:
    """None, fewer than none, or more than a machine has cores: told with the bounds, and nothing is done."""
    ended = cli("send", "72", "--workers", count, "--yes")
    assert ended.code == 2
    assert ended.err == f"--workers: takes 1 to 64 processes, not {count}\n"


def test_a_wrong_number_of_processes_in_mailer_toml_is_told_with_its_line(office: Path, cli: Cli) -> None:
    """`workers = 0` is refused by every command, which names file and line."""
    file = office / "mailer.toml"
    file.write_text(f"workers = 0\n{file.read_text()}")
    ended = cli("send", "72", "--yes")
    assert ended.code == 2
    assert ended.err.startswith("mailer.toml:1: workers: ")


def test_no_more_processes_are_started_than_are_of_use(
    office: Path, cli: Cli, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve readers are one process's work, however many were asked for."""
    from mailer.run import crew

    monkeypatch.setattr(crew, "_started", lambda: pytest.fail("another process was started"))
    ended = cli("send", "72", "--workers", 64, "--yes", "--json")
    assert (ended.code, ended.json["accepted"], len(server.accepted)) == (0, 12, 12)


def test_a_send_says_what_stands_before_it(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """Name, number and subject; file and commit; sender and relay; whom; what check says: one line each."""
    ended = cli("send", "--issue", "72", "--yes")
    lines = ended.out.splitlines()
    assert ended.code == 0
    assert lines[0].endswith('#72: "Tidings #72: A letter"')
    assert lines[1].startswith("File   issues/072-a-letter.md   not")
    assert f"through 127.0.0.1:{server.port}" in lines[2]
    assert lines[3] == "To     main: 12 active: 12 readers"
    assert lines[4].startswith("Check  no errors, ")
    assert lines[5].startswith("72.main: 12 planned = 12 accepted, in ")


def test_the_commit_stands_beside_the_file(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """A committed file is told with its commit, and whether it was changed since."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "-f", "issues"], ["commit", "-qm", "issue"]):
        subprocess.run([*git, *words], cwd=office, check=True)
    assert "not changed since" in cli("send", "72", "--dry-run").out
    (office / "issues" / "072-a-letter.md").write_text(ISSUE.format(more="") + "\nMore.\n")
    assert "CHANGED since" in cli("send", "72", "--dry-run").out
    assert server.accepted == []


def test_run_again_it_says_that_nothing_is_left(
    office: Path, cli: Cli, server: LoopbackServer, tmp_path: Path
) -> None:
    """The second call sends nothing, and tells of those who joined since; --new-readers sends it to them alone."""
    assert cli("send", "72", "--yes").code == 0
    again = cli("send", "72", "--yes")
    assert (again.code, len(server.accepted)) == (0, 12)
    assert ": 12 of 12 accepted. Nothing to send." in again.out
    join(cli, tmp_path, range(12, 15))
    assert "3 readers joined since: --new-readers sends it to them." in cli("send", "72").out
    assert cli("send", "72", "--new-readers", "--yes").code == 0
    assert sorted(one.recipient for one in server.accepted) == sorted(
        f"p{n}@d.example.net" for n in range(15)
    )


def test_without_a_terminal_and_without_yes_nothing_is_done(
    office: Path, cli: Cli, server: LoopbackServer
) -> None:
    """More than ten people: without anybody to ask it ends with 3; ten or fewer need no question."""
    ended = cli.process("send", "72")
    assert ended.code == 3
    assert "--yes" in ended.err
    assert server.accepted == []
    assert cli("audit", "72").code == 2


def test_json_names_what_programs_rely_on(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """Send and audit give one object each, with the sums by name; --recipients an object a reader."""
    sent = cli("send", "72", "--yes", "--json").json
    assert sent.keys() == SUMS | {"mailing", "issue", "state", "seconds"}
    assert (sent["mailing"], sent["issue"], sent["state"], sent["accepted"]) == (
        "72.main",
        72,
        "finished",
        12,
    )
    audit = cli("audit", "72", "--json").json
    assert audit.keys() == SUMS | {"mailing", "issue", "state", "balanced"}
    assert audit["balanced"] is True
    rows = cli("audit", "72", "--recipients", "--json").lines
    assert len(rows) == 12
    assert {"email", "state", "reply", "relay_id", "attempts", "at", "message_id"} <= rows[0].keys()
    by_id = {one.message_id: one.recipient for one in server.accepted}
    assert {row["message_id"]: row["email"] for row in rows} == by_id


def test_a_rotated_secret_changes_no_message_id_that_was_sent(
    office: Path, cli: Cli, server: LoopbackServer
) -> None:
    """`audit --recipients` shows of an old mailing what went out, and of a new one what the new key made."""
    assert cli("send", "72", "--yes").code == 0
    sent = {one.recipient: one.message_id for one in server.accepted}
    secret = office / ".mailer" / "secret.key"
    secret.write_text(rotated_secret(secret.read_text()))
    rows = cli("audit", "72", "--recipients", "--json").lines
    assert {row["email"]: row["message_id"] for row in rows} == sent
    write(office, name="073-b-letter.md").write_text(ISSUE.format(more="").replace("72", "73"))
    assert cli("send", "73", "--yes").code == 0
    anew = {one.recipient: one.message_id for one in server.accepted[12:]}
    for issue, wanted in (("72", sent), ("73", anew)):
        rows = cli("audit", issue, "--recipients", "--json").lines
        assert {row["email"]: row["message_id"] for row in rows} == wanted


def test_the_deferred_and_the_uncertain_are_told(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """Exit 4, with the sentences that say how to go on; status says that a person is needed."""
    rules = (
        Rule("rcpt", "450 4.2.1 later", recipient="p3@*"),
        Rule("final", do=Do.ACCEPT_DROP, recipient="p5@*"),
    )
    server.follow(Script(rules=rules))
    ended = cli("send", "72", "--yes")
    assert ended.code == 4
    assert "1 deferred, next try " in ended.err
    assert "`mailer send 72 --wait` stays until nothing is left" in ended.err
    assert "1 uncertain: the line broke after the message and before the answer" in ended.err
    assert cli("status").code == 1
    rows = cli("audit", "72", "--state", "uncertain", "--json").lines
    assert [row["email"] for row in rows] == ["p5@d.example.net"]
    assert cli("send", "72", "--uncertain", "skip").code == 0
    assert cli("audit", "72", "--json").json["skipped"]["decided"] == 1
    assert cli("status").code == 0


@pytest.mark.parametrize(
    ("more", "words"),
    [("draft: true\n", "is a draft"), ("preheader: '{{ subscriber.nmae | upper }}'\n", "upper")],
)
def test_what_must_not_go_out_does_not(
    office: Path, cli: Cli, server: LoopbackServer, more: str, words: str
) -> None:
    """Drafts and findings of level error stop a send, whatever was answered; nothing is written."""
    write(office, more)
    ended = cli("send", "72", "--yes")
    assert ended.code == 2, ended.out
    assert words in ended.err
    assert cli("audit", "72").code == 2
    assert server.accepted == []


def test_nobody_there_is_said_and_freezes_nothing(newsletter: Path, cli: Cli, server: LoopbackServer) -> None:
    """A list without readers: exit 2, and the issue may still be mended and sent."""
    write(newsletter)
    ended = cli("send", "72", "--yes")
    assert (ended.code, server.accepted) == (2, [])
    assert "nobody to send to" in ended.err
    assert cli("audit", "72").code == 2


def test_without_a_relay_it_says_what_to_set(office: Path, cli: Cli) -> None:
    """No relay: exit 2, and the two places that can name one."""
    ended = cli("send", "72", "--yes")
    assert ended.code == 2
    assert "MAILER_RELAY" in ended.err


def test_a_dry_run_does_nothing(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """It says what would be done, and opens no mailing."""
    ended = cli("send", "72", "--dry-run", "--json")
    assert ended.json == {"step": "open", "readers": 12, "joined_since": 0}
    assert cli("audit", "72").code == 2
    assert server.accepted == []


def test_a_file_that_no_longer_agrees_is_refused(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """After the send, another subject, number or slug under the same name is refused with both named."""
    assert cli("send", "72", "--yes").code == 0
    write(office).write_text(ISSUE.format(more="").replace("A letter", "Another letter"))
    changed = cli("send", "72", "--yes")
    assert changed.code == 2
    assert "went out as 'Tidings #72: A letter'" in changed.err
    write(office, "slug: another\n")
    moved = cli("send", "72", "--yes")
    assert moved.code == 2
    assert "slug" in moved.err
    assert len(server.accepted) == 12


def test_a_cancelled_mailing_stays_cancelled(office: Path, cli: Cli, server: LoopbackServer) -> None:
    """Cancel asks; then nobody who waits gets it, and neither send nor resume brings it back."""
    server.follow(Script(rules=(Rule("rcpt", "450 4.2.1 later"),)))
    assert cli("send", "72", "--yes").code == 4
    assert cli.process("cancel", "72").code == 3
    assert cli("cancel", "72", "--yes").code == 0
    server.follow(Script())
    assert cli("send", "72", "--yes").code == 3
    assert cli("resume", "72").code == 3
    assert server.accepted == []
    assert cli("audit", "72", "--json").json["skipped"]["cancelled"] == 12


def test_two_files_of_one_number_are_an_error_of_check(office: Path, cli: Cli) -> None:
    """Check names both; it need not wait for the send to find them."""
    write(office, name="a-second-file.md")
    ended = cli("check")
    assert ended.code == 1
    assert "issues/a-second-file.md: error: claims number 72, and so does issues/072-a-letter.md" in ended.out
