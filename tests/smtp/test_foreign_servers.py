"""The session against servers that others wrote."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as Peer

from mailer.smtp.connect import ConnectRefused, open_session
from mailer.smtp.model import SessionLost
from mailer.smtp.relay import parse_relay
from tests.loopback.certificate import server_context
from tests.smtp.conversing import BODY, deliver, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.smtp.model import Exchange

SINK = shutil.which("smtp-sink") or ("/usr/sbin/smtp-sink" if Path("/usr/sbin/smtp-sink").exists() else None)


def sent(url: str, *recipients: str) -> list[Exchange]:
    async def work() -> list[Exchange]:
        session = await open_session(parse_relay(url), hostname="client.example.org")
        done = await deliver(session, *recipients)
        await session.quit()
        return done

    return run(work())


class Handler:
    """Keeps what aiosmtpd accepted, and knows one reader who is not there."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd calls it so
        self, _server: Any, _session: Peer, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("gone@"):
            return "550 5.1.1 no such reader"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: Any, _session: Peer, envelope: Envelope) -> str:  # noqa: N802 - as above
        content = envelope.content
        assert isinstance(content, bytes)
        self.kept.append((envelope.rcpt_tos[0], content))
        return "250 2.0.0 Ok: queued as A1"


@contextlib.contextmanager
def aiosmtpd(**options: Any) -> Iterator[tuple[Handler, int]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    handler = Handler()
    controller = Controller(handler, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield handler, port
    finally:
        controller.stop()


def test_aiosmtpd():
    """A server in Python that offers no pipelining: every message arrives, a refusal hits one reader alone."""
    with aiosmtpd() as (handler, port):
        done = sent(f"smtp://127.0.0.1:{port}", "a@example.net", "gone@example.net", "b@example.net")
    assert handler.kept == [("a@example.net", BODY), ("b@example.net", BODY)]
    assert done[1].final is not None
    assert done[1].refusal is not None
    assert done[1].refusal.enhanced == "5.1.1"


def test_aiosmtpd_over_starttls_with_credentials(tmp_path: Path):
    """TLS and AUTH as somebody else understood the RFCs."""
    context, certificate = server_context(tmp_path)

    def check(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        known = isinstance(given, LoginPassword) and (given.login, given.password) == (b"user", b"s/e+c")
        return AuthResult(success=known, handled=False)

    with aiosmtpd(tls_context=context, require_starttls=True, authenticator=check, auth_required=True) as (
        handler,
        port,
    ):
        url = f"smtp://user:s/e+c@127.0.0.1:{port}?tls=starttls&ca={certificate}"
        sent(url, "a@example.net")
        with pytest.raises(ConnectRefused) as raised:
            sent(url.replace("s/e+c", "wrong"), "a@example.net")
    assert [recipient for recipient, _ in handler.kept] == ["a@example.net"]
    assert raised.value.reply is not None
    assert raised.value.reply.code == 535


@contextlib.contextmanager
def smtp_sink(folder: Path, *options: str) -> Iterator[int]:
    assert SINK is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [SINK, "-u", "nobody", *options, f"127.0.0.1:{port}", "100"]
    folder.chmod(0o777)
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE) as process:
        try:
            for _ in range(200):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.02)
            yield port
        finally:
            process.terminate()


needs_sink = pytest.mark.skipif(
    SINK is None, reason="Postfix's smtp-sink is not installed (apt install postfix)"
)


@needs_sink
@pytest.mark.postfix
@pytest.mark.parametrize("options", [(), ("-p",), ("-e",)], ids=["pipelining", "no pipelining", "no ESMTP"])
def test_smtp_sink(options: tuple[str, ...], tmp_path: Path):
    """Postfix's own test server, which counts what it took."""
    with smtp_sink(tmp_path, *options) as port:
        done = sent(f"smtp://127.0.0.1:{port}", *[f"reader{number}@example.net" for number in range(50)])
    assert sum(one.final is not None and one.final.positive for one in done) == 50
    assert all(one.refusal is None for one in done)


@needs_sink
@pytest.mark.postfix
@pytest.mark.parametrize(
    ("options", "at", "code"),
    [
        (("-f", "MAIL"), "mail", 5),
        (("-f", "RCPT"), "rcpt", 5),
        (("-f", "DATA"), "data", 5),
        (("-r", "MAIL"), "mail", 4),
        (("-r", "RCPT"), "rcpt", 4),
        (("-r", "DATA"), "data", 4),
    ],
)
@pytest.mark.parametrize("plain", [(), ("-p",)], ids=["pipelining", "no pipelining"])
def test_smtp_sink_refuses(
    plain: tuple[str, ...], options: tuple[str, ...], at: str, code: int, tmp_path: Path
):
    """No at every command, as Postfix's authors imagined trouble, and the session goes on."""
    with smtp_sink(tmp_path, *plain, *options) as port:
        done = sent(f"smtp://127.0.0.1:{port}", "a@example.net", "b@example.net")
    assert [(one.refused_at, one.refusal and one.refusal.code // 100) for one in done[:2]] == [(at, code)] * 2


@needs_sink
@pytest.mark.postfix
@pytest.mark.parametrize(
    ("command", "doubt"), [("MAIL", False), ("RCPT", False), ("DATA", False), (".", True)]
)
def test_smtp_sink_hangs_up(command: str, doubt: bool, tmp_path: Path):
    """Without a word after a command: only after the dot is anything in doubt."""
    with smtp_sink(tmp_path, "-q", command) as port, pytest.raises(SessionLost) as raised:
        sent(f"smtp://127.0.0.1:{port}", "a@example.net", "b@example.net")
    assert raised.value.in_doubt is doubt
    assert raised.value.final is None
