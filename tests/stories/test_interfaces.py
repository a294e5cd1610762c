"""The whole of it, as processes: a program asks, a provider reports, a receiver is told, and the log names nobody."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.commandline import ROOT
from tests.hooks.receivers import receiving
from tests.run.test_daemon import until
from tests.web.hooks import senders

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.commandline import Cli


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@contextmanager
def daemon(folder: Path, port: int) -> Iterator[Path]:
    """Run `mailer run` with pages and hooks until the block ends; gives the file of its log."""
    log = folder / "daemon.log"
    words = [sys.executable, "-m", "mailer", "run", "--only", "web,delivery", "--port", str(port), "--json"]
    relay = f"folder://{folder}/mail"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAILER_RELAY": relay}
    with (
        log.open("wb") as stream,
        subprocess.Popen(words, cwd=folder, env=environment, stderr=stream) as process,
    ):
        try:
            yield log
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


def _up(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.slow
def test_a_program_a_provider_and_a_receiver(newsletter: Path, cli: Cli):
    """Added over HTTP, reported by a provider, unsubscribed over HTTP: the receiver hears of both, in order."""
    token = cli("tokens", "new", "crm", "--scope", "all").out.strip()
    (newsletter / ".mailer" / "mailgun.key").write_text(senders.SIGNING_KEY)
    (newsletter / ".mailer" / "crm.hook").write_text(senders.WHSEC)
    port, watched = _free_port(), _free_port()
    with receiving() as receiver:
        toml = newsletter / "mailer.toml"
        toml.write_text(
            toml.read_text()
            + '\n[hooks.mailgun]\nsecret_file = ".mailer/mailgun.key"\n'
            + f'\n[[webhooks]]\nname = "crm"\nurl = "{receiver.url}"\nsecret_file = ".mailer/crm.hook"\n'
            + f"\n[monitor]\nport = {watched}\n"
        )
        with daemon(newsletter, port) as log, httpx.Client(trust_env=False, timeout=20) as web:
            until(lambda: _up(f"http://127.0.0.1:{watched}/readyz"))
            until(lambda: _up(f"http://127.0.0.1:{port}/healthz"))
            web.headers["Authorization"] = f"Bearer {token}"
            base = f"http://127.0.0.1:{port}/api/v1"
            ann = web.post(
                f"{base}/subscribers", json={"email": senders.READER, "list": "main", "basis": "test"}
            ).json()
            until(lambda: len(receiver.got) == 1)
            sent = senders.mailgun(senders.mailgun_event("complained"), datetime.now(UTC))
            report = web.post(f"http://127.0.0.1:{port}/hooks/mailgun", content=sent.body)
            assert report.json() == {"events": 1, "unknown": 0, "again": False}
            web.post(f"{base}/subscribers/{ann['id']}/unsubscribe", json={})
            until(lambda: len(receiver.got) == 2)
            assert (
                'mailer_webhook_dispatches{receiver="crm"'
                in web.get(f"http://127.0.0.1:{watched}/metrics").text
            )
            document = web.get(f"{base}/openapi.json").json()
            assert {"/subscribe", "/subscribers", "/mailings/{name}/audit"} <= set(document["paths"])
        said = log.read_text()
    assert [one["type"] for one in receiver.told] == ["reader.added", "reader.unsubscribed"]
    assert {one["data"]["subscriber"]["email"] for one in receiver.told} == {senders.READER}
    assert "/api/v1" in said or "subscribers" in said
    for secret in (senders.READER, "ann@", token, senders.WHSEC):
        assert secret not in said
