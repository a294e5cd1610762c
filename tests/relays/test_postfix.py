"""The Postfix of docs/relays.md as the relay of a real mailing: what leaves it, what it says, and what comes back."""

from __future__ import annotations

import os
import re
import smtplib
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from mailer.message.dkim_keys import new_keys
from tests.commandline import ROOT, Cli
from tests.conftest import found
from tests.feedback.dovecot import free_port
from tests.loopback.server import LoopbackServer, Rule, Script, running
from tests.message import verifier
from tests.relays.postfix import EXAMPLE, Postfix, relaying

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.postfix,
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="Postfix starts as root alone"),
]
FAIR = [f"reader{number}@far.example" for number in range(12)]
GENTLE = [f"reader{number}@gentle.example" for number in range(8)]
SLOW = [f"reader{number}@slow.example" for number in range(3)]
GONE, ACCENTED = "gone@far.example", "jürgen@far.example"
MORE = """
return_path = "bounces@returns.letter.example"

[[relays]]
name = "postfix"
kind = "postfix"
url = "smtp://127.0.0.1:{relay}"
connections = 4

[feedback.listen]
port = {listener}
"""
ISSUE = """---
issue: 1
title: "Über den Fluß"
---
Hello {{ subscriber.first_name | default("friend") }},

this goes through a relay. [Read on](https://example.org/1), „dort“.
"""


@dataclass(frozen=True)
class Sent:
    """A mailing that went out through Postfix, and everything that came of it."""

    postfix: Postfix
    far: LoopbackServer
    gentle: LoopbackServer
    slow: LoopbackServer
    audit: dict[str, dict[str, Any]]
    records: dict[str, str]
    log: str

    def copy(self, email: str) -> bytes:
        """What arrived for a reader."""
        (content,) = [one.content for one in self._all() if one.recipient == email]
        return content

    def sender(self, email: str) -> str:
        """The return path it came with."""
        (path,) = [one.mail_from for one in self._all() if one.recipient == email]
        return path

    def _all(self) -> list[Any]:
        return [*self.far.accepted, *self.gentle.accepted, *self.slow.accepted]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Send one issue through Postfix to far hosts of which one refuses a reader, and wait for what comes back."""
    folder, listener = tmp_path_factory.mktemp("relay"), free_port()
    refusing = Script(rules=(Rule("rcpt", "550 5.1.1 User unknown", recipient="gone@*"),))
    unhurried = Script(delay=0.02)
    with (
        running(refusing) as far,
        running(unhurried) as gentle,
        running(unhurried) as slow,
        relaying(_routes(far, gentle, slow, listener)) as postfix,
    ):
        cli = Cli(folder / "news")
        records = _newsletter(cli, folder, postfix.port, listener)
        with _listening(cli, listener):
            ended = cli.process("send", "--issue", "1", "--yes")
            assert ended.code == 0, ended.err
            _until(lambda: _came_back(cli) and far.accepted[len(FAIR) :] and slow.accepted[len(SLOW) - 1 :])
            _until(lambda: len(gentle.accepted) == len(GENTLE))
        audit = {row["email"]: row for row in cli.process("audit", "1", "--recipients", "--json").lines}
        yield Sent(postfix, far, gentle, slow, audit, records, postfix.log)


def _routes(
    far: LoopbackServer, gentle: LoopbackServer, slow: LoopbackServer, listener: int
) -> dict[str, str]:
    return {
        "returns.letter.example": f"lmtp:inet:127.0.0.1:{listener}",
        "far.example": f"smtp:[127.0.0.1]:{far.port}",
        "gentle.example": f"gentle:[127.0.0.1]:{gentle.port}",
        "slow.example": f"slow:[127.0.0.1]:{slow.port}",
    }


def _newsletter(cli: Cli, folder: Path, relay: int, listener: int) -> dict[str, str]:
    """Make a newsletter that signs and sends through the relay; give its DNS records."""
    cli.process("init", str(cli.folder), "--yes", folder=folder)
    toml = (cli.folder / "mailer.toml").read_text()
    toml = re.sub(r"^from = .*$", 'from = "Letter <news@letter.example>"', toml, flags=re.MULTILINE)
    toml = re.sub(r"^(public_url = .*)$", rf"\1{MORE.partition('[[')[0]}", toml, flags=re.MULTILINE)
    toml += "[[" + MORE.partition("[[")[2].format(relay=relay, listener=listener)
    (cli.folder / "mailer.toml").write_text(toml)
    (cli.folder / "issues" / "001-river.md").write_text(ISSUE)
    people = [*FAIR, *GENTLE, *SLOW, GONE, ACCENTED]
    (folder / "people.csv").write_text("email,name\n" + "".join(f"{one},Anna Example\n" for one in people))
    words = ("--list", "main", "--basis", "they asked", "--yes")
    ended = cli.process("subscribers", "import", str(folder / "people.csv"), *words)
    assert ended.code == 0, ended.err + ended.out
    made = new_keys(cli.folder / ".mailer" / "dkim", "letter.example", "test")
    return {record.name: record.value for record in made}


@contextmanager
def _listening(cli: Cli, port: int) -> Iterator[None]:
    command = [sys.executable, "-m", "mailer", "run", "--only", "feedback"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=cli.folder, env=environment, stderr=subprocess.DEVNULL) as daemon:
        try:
            _until(lambda: _answers(port))
            yield
        finally:
            daemon.terminate()
            daemon.wait(30)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


def _came_back(cli: Cli) -> bool:
    return '"unreachable"' in cli.process("subscribers", "show", GONE, "--json").out


def _until(true: Callable[[], object], seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def test_postfix_offers_what_mailer_uses(sent: Sent):
    """Several commands in one write, eight bits, UTF-8 in addresses, a size, reports as we ask for them."""
    with smtplib.SMTP("127.0.0.1", sent.postfix.port) as client:
        client.ehlo("client.example.org")
        offered = set(client.esmtp_features)
    assert {"pipelining", "8bitmime", "smtputf8", "dsn", "size", "enhancedstatuscodes"} <= offered


def test_everyone_is_accepted_by_the_relay_and_arrives(sent: Sent):
    """Of each reader the ledger says accepted; the far hosts have all but the one that they refuse."""
    assert {row["state"] for row in sent.audit.values()} == {"accepted"}
    arrived = sorted(
        one.recipient for one in [*sent.far.accepted, *sent.gentle.accepted, *sent.slow.accepted]
    )
    assert arrived == sorted([*FAIR, *GENTLE, *SLOW, ACCENTED])


def test_the_relays_name_of_a_message_is_in_ledger_and_log(sent: Sent):
    """Of each reader: `audit --recipients` gives the queue id, and Postfix's log under it what became of the mail."""
    ids = {email: row["relay_id"] for email, row in sent.audit.items()}
    assert len(set(ids.values())) == len(ids)
    for email in (*FAIR, *GENTLE, *SLOW):
        line = re.search(rf"{ids[email]}: to=<{email}>.* status=(\S+) \((.*)\)$", sent.log, re.MULTILINE)
        assert line is not None
        assert (line[1], line[2][:3]) == ("sent", "250")
    assert re.search(rf"{ids[GONE]}: to=<{GONE}>.* dsn=5.1.1, status=bounced", sent.log)
    assert all(len(one) >= 15 for one in ids.values()), "short names come again"


def test_nothing_is_rewritten(sent: Sent):
    """A trace line is added on top; below it both signatures are good, and nothing stands that was not signed over."""
    for email in (FAIR[0], GENTLE[0], ACCENTED):
        content = sent.copy(email)
        assert verifier.verify(content, sent.records) == [("rsa-sha256", True), ("ed25519-sha256", True)]
        names = [name for name, _ in verifier.header_fields(content)[0]]
        assert names[:3] == [b"received", b"dkim-signature", b"dkim-signature"]
        assert names.count(b"received") == 1
        assert (names.count(b"message-id"), names.count(b"date")) == (1, 1)


def test_the_return_path_names_the_reader(sent: Sent):
    """V01: each copy leaves with the return path that it came with, and no two have the same."""
    paths = [sent.sender(email) for email in (*FAIR, *GENTLE, *SLOW)]
    assert len(set(paths)) == len(paths)
    assert all(re.fullmatch(r"bounces\+\w+@returns\.letter\.example", path) for path in paths)


def test_a_reader_whom_the_far_host_does_not_know_comes_back(sent: Sent):
    """D18: Postfix reports to the return path, mailer's listener takes it, and it is this reader and no other."""
    back = {email: row["came_back"] for email, row in sent.audit.items() if row["came_back"]}
    assert list(back) == [GONE]
    assert "userunknown" in str(back[GONE])


def test_a_far_domain_gets_no_more_connections_than_it_may(sent: Sent):
    """`gentle`: two at a time; `slow`: one; the others as many as Postfix likes, and everything arrives."""
    assert sent.gentle.peak <= 2
    assert sent.slow.peak == 1
    assert (len(sent.gentle.accepted), len(sent.slow.accepted)) == (len(GENTLE), len(SLOW))


def test_postfix_knows_every_word_of_the_example():
    """No setting is misspelt or unused: postconf warns of none."""
    postconf = found("postfix").replace("sbin/postfix", "sbin/postconf")  # type: ignore[union-attr]
    checked = subprocess.run([postconf, "-n", "-c", str(EXAMPLE)], capture_output=True, text=True, check=True)
    assert checked.stderr == ""
    assert len(checked.stdout.splitlines()) > 30
