"""mailer preview, as people call it."""

from __future__ import annotations

import email
import json
import os
import signal
import subprocess
import sys
import urllib.request
from email.policy import default
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.loopback.server import running

if TYPE_CHECKING:
    from tests.commandline import Cli

ROOT = Path(__file__).resolve().parents[2]
ISSUE = '---\ntitle: Kiosk 72\nissue: 72\n---\n\nDear {{ subscriber.name | default("friend") }},\n\nwords.\n'


@pytest.fixture
def issue(newsletter: Path) -> Path:
    file = newsletter / "issues" / "72.md"
    file.write_text(ISSUE, encoding="utf-8")
    return file


def subscribe(cli: Cli, address: str, name: str) -> None:
    people = cli.folder / "people.csv"
    people.write_text(f"email,name\n{address},{name}\n", encoding="utf-8")
    ended = cli("subscribers", "import", people, "--list", "main", "--basis", "asked on paper", "--yes")
    assert ended.code == 0, ended.err


def mail_in(file: Path) -> Any:
    return email.message_from_bytes(file.read_bytes(), policy=default)


def test_browser_preview_works_anywhere_and_ends_with_ctrl_c(tmp_path: Path):
    """No mailer.toml, no database: the page is served until Ctrl-C, and then the code is 130."""
    (tmp_path / "72.md").write_text(ISSUE, encoding="utf-8")
    started = subprocess.Popen(
        [sys.executable, "-m", "mailer", "preview", "72.md", "--json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        url = json.loads(started.stdout.readline())["url"]
        with urllib.request.urlopen(f"{url}events", timeout=60) as events:  # noqa: S310 - our own page
            while events.readline() not in {b"data: 1\n", b""}:
                pass
        with urllib.request.urlopen(f"{url}text", timeout=60) as text:  # noqa: S310 - same
            assert "Dear Jane Reader," in text.read().decode()
        started.send_signal(signal.SIGINT)
        _, said = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 130
    assert "Traceback" not in said


def test_missing_issue_is_told(cli: Cli):
    """A file that is not there is an error before any page."""
    ended = cli("preview", "73")
    assert ended.code == 2
    assert "73" in ended.err


def test_taken_port_is_told(cli: Cli, issue: Path):
    """A port that somebody has is named."""
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ended = cli("preview", 72, "--port", taken.getsockname()[1])
    assert ended.code == 2
    assert "cannot listen on port" in ended.err


def test_message_goes_into_a_file(cli: Cli, issue: Path, tmp_path: Path):
    """Without --as it is what an invented reader gets."""
    out = tmp_path / "sample.eml"
    ended = cli("preview", 72, "--out", out, "--json")
    assert ended.code == 0, ended.err
    assert ended.json["file"] == str(out)
    assert "Dear Jane Reader," in mail_in(out).get_body(("plain",)).get_content()


def test_message_of_a_subscriber_is_theirs(cli: Cli, issue: Path, tmp_path: Path):
    """--as gives the message with that reader's name, address and links, for its owner's eyes only."""
    subscribe(cli, "ada@example.org", "Ada")
    out = tmp_path / "ada.eml"
    ended = cli("preview", 72, "--as", "ada@example.org", "--out", out)
    assert ended.code == 0, ended.err
    mail = mail_in(out)
    assert mail["To"] == "Ada <ada@example.org>"
    assert "Dear Ada," in mail.get_body(("plain",)).get_content()
    assert out.stat().st_mode & 0o777 == 0o600


def test_unknown_subscriber_is_told(cli: Cli, issue: Path, tmp_path: Path):
    """--as names somebody who is there."""
    ended = cli("preview", 72, "--as", "nobody@example.org", "--out", tmp_path / "x.eml")
    assert ended.code == 2
    assert "nobody has the address nobody@example.org" in ended.err
    assert not (tmp_path / "x.eml").exists()


def test_test_mail_goes_out_and_is_remembered(
    cli: Cli, issue: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """--to sends through the relay; the question before a send will know of it."""
    from mailer import events
    from mailer.cli.workplace import Workplace
    from mailer.database import reading

    with running(folder=tmp_path / "kept") as server:
        monkeypatch.setenv("MAILER_RELAY", server.url())
        ended = cli("preview", "--issue", 72, "--to", "me@example.org", "--to", "you@example.org", "--json")
        assert ended.code == 0, ended.out + ended.err
        assert [line["state"] for line in ended.lines] == ["accepted", "accepted"]
        assert mail_in(min((tmp_path / "kept").iterdir()))["Subject"] == "[Test] Kiosk 72"
        place = Workplace(cli.folder)
        with reading(place.engine) as connection:
            assert events.latest(connection, "test.sent", "72.main") is not None
        place.engine.dispose()


def test_test_mail_needs_a_newsletter(cli: Cli, tmp_path: Path):
    """Without a mailer.toml there is no sender and no relay."""
    (tmp_path / "72.md").write_text(ISSUE, encoding="utf-8")
    ended = cli("preview", "72.md", "--to", "me@example.org")
    assert ended.code == 2
    assert "--to needs a newsletter" in ended.err
