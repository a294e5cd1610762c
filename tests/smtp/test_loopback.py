"""The loopback server itself: other rooms believe what it records."""

from __future__ import annotations

import contextlib
import json
import signal
import smtplib
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.loopback.script import Do, Rule, Script
from tests.loopback.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
MESSAGE = "From: a@example.org\r\nmessage-id:\r\n <7@example.org>\r\n\r\n.one\r\n..two\r\n"


def test_the_standard_librarys_client_is_served(tmp_path: Path):
    """Dots are unstuffed, recipients recorded one by one, files and folder agree."""
    file, folder = tmp_path / "record", tmp_path / "mail"
    with running(file=file, folder=folder) as server:
        with smtplib.SMTP(server.host, server.port) as client:
            client.sendmail("a@example.org", ["b@example.net", "c@example.net"], MESSAGE)
        assert [one.recipient for one in server.accepted] == ["b@example.net", "c@example.net"]
        assert server.accepted[0].content == MESSAGE.encode()
        assert server.accepted[0].message_id == "<7@example.org>"
        assert server.accepted[0].mail_from == "a@example.org"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["recipient"] for line in lines] == ["b@example.net", "c@example.net"]
    assert [one.read_bytes() for one in sorted(folder.iterdir())] == [MESSAGE.encode()] * 2


def test_it_is_in_the_file_before_the_answer_leaves(tmp_path: Path):
    """The kill-test counts on it: even a message whose answer never came is there."""
    file = tmp_path / "record"
    with running(Script(rules=(Rule("final", do=Do.ACCEPT_STALL),)), file=file) as server:
        client = smtplib.SMTP(server.host, server.port)
        client.ehlo()
        client.mail("a@example.org")
        client.rcpt("b@example.net")
        client.docmd("DATA")
        client.send(b"Subject: x\r\n\r\nx\r\n.\r\n")
        assert client.sock is not None
        client.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            client.sock.recv(1)
        assert json.loads(file.read_text())["recipient"] == "b@example.net"
        client.close()


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 4096])
def test_a_conversation_in_any_pieces(chunk: int):
    """However a client's octets arrive, they mean the same, the lone dot included."""
    said = (
        b"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n"
        b"x\r\n.y\r\n..z\r\n.\r\nRSET\r\nMAIL FROM:<>\r\nRCPT TO:<c@example.net>\r\nDATA\r\n.\r\nQUIT\r\n"
    )
    with running() as server:
        with (
            socket.create_connection((server.host, server.port), 5) as client,
            client.makefile("rb") as answers,
        ):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for start in range(0, len(said), chunk):
                client.sendall(said[start : start + chunk])
            codes = [line[:3] for line in answers.read().splitlines() if line[3:4] == b" "]
        assert [one.content for one in server.accepted] == [b"x\r\n.y\r\n.z\r\n", b""]
    assert codes == [
        b"220",
        b"250",
        b"250",
        b"250",
        b"354",
        b"250",
        b"250",
        b"250",
        b"250",
        b"354",
        b"250",
        b"221",
    ]


def test_rules_speak_of_readers_domains_and_counts():
    """The first that matches wins, and each counts its own matches."""
    script = Script(
        rules=(
            Rule("rcpt", "550 5.1.1 gone", recipient="gone@*"),
            Rule("rcpt", "450 4.7.1 slow", recipient="*@slow.example", first=2, times=1),
        )
    )
    with running(script) as server, smtplib.SMTP(server.host, server.port) as client:
        client.ehlo()
        client.mail("a@example.org")
        names = [
            "gone@x.example",
            "a@slow.example",
            "b@slow.example",
            "c@slow.example",
            "GONE@slow.example",
            "d@x.example",
        ]
        assert [client.rcpt(name)[0] for name in names] == [550, 250, 450, 250, 550, 250]


def test_only_so_many_connections():
    """One more is sent away with 421; the counts say how many there were at most."""
    with running(Script(max_connections=2)) as server, contextlib.ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(smtplib.SMTP(server.host, server.port))
        with pytest.raises(smtplib.SMTPConnectError) as raised:
            smtplib.SMTP(server.host, server.port)
        assert raised.value.smtp_code == 421
        assert server.total == 3


@contextlib.contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-m", "tests.loopback", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as running_server:
        assert running_server.stdout is not None
        port = int(running_server.stdout.readline().rpartition(":")[2])
        try:
            yield running_server, port
        finally:
            running_server.send_signal(signal.SIGTERM)


def test_it_runs_as_a_process(tmp_path: Path):
    """`python -m tests.loopback` says where it listens, obeys a script, records, and says what it counted."""
    script = tmp_path / "script.json"
    script.write_text(
        '{"rules": [{"at": "rcpt", "reply": "550 5.1.1 no", "recipient": "gone@*", "times": 1}]}'
    )
    file = tmp_path / "record"
    with process("--record", str(file), "--script", str(script), "--plain") as (server, port):
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            assert not client.has_extn("pipelining")
            refused = client.sendmail("a@example.org", ["gone@example.net", "b@example.net"], MESSAGE)
            assert list(refused) == ["gone@example.net"]
        server.send_signal(signal.SIGTERM)
        assert server.stdout is not None
        assert json.loads(server.stdout.read()) == {"accepted": 1, "connections": 1, "peak": 1}
    assert json.loads(file.read_text())["message_id"] == "<7@example.org>"


def test_a_script_that_means_nothing_is_refused():
    """A test with a typing mistake must not pass as a good server."""
    with pytest.raises(ValueError, match="reciept"):
        Script.from_json('{"reciept": 1}')
    with pytest.raises(ValueError, match="rctp"):
        Rule("rctp", "550 no")
