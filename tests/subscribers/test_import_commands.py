"""Imports as the operator types them: stopped by Ctrl-C, asked to revive, given again."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 60_000
BASIS = ("--basis", "form")


def position(connection: sqlite3.Connection) -> int:
    """Give how many rows of the import are in."""
    found = connection.execute("SELECT max(position) FROM imports").fetchone()
    return found[0] or 0


@pytest.mark.slow
def test_ctrl_c(newsletter: Path, cli: Any, tmp_path: Path) -> None:
    """Ctrl-C ends an import with 130 and the sentence that the same command goes on; and it does."""
    file = tmp_path / "people.csv"
    file.write_text("email,name\n" + "".join(f"p{n}@example.org,P {n}\n" for n in range(ROWS)))
    words = [sys.executable, "-m", "mailer", "subscribers", "import", str(file), *BASIS, "--yes"]
    child = subprocess.Popen(words, cwd=newsletter, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until = time.monotonic() + 60
    with closing(sqlite3.connect(newsletter / ".mailer" / "mailer.db", timeout=10)) as connection:
        while not position(connection) and time.monotonic() < until:
            time.sleep(0.005)
        os.killpg(child.pid, signal.SIGINT)  # as a terminal does: to all that the command started
        _, said = child.communicate(timeout=60)
        assert 0 < position(connection) < ROWS
    assert (child.returncode, "the same command takes it up again" in said) == (130, True), said
    assert "Traceback" not in said
    last = cli.process(*words[3:], "--json")
    assert (last.code, last.json["id"], last.json["records"], last.json["added"]) == (0, 1, ROWS, ROWS)


@pytest.fixture
def left(newsletter: Path, cli: Any, tmp_path: Path) -> Path:
    """A file of two people, one of whom has left since it was imported."""
    file = tmp_path / "people.csv"
    file.write_text("email\nann@example.org\nbob@example.org\n")
    assert cli("subscribers", "import", file, *BASIS).code == 0
    assert cli("subscribers", "unsubscribe", "ann@example.org").code == 0
    return file


def test_revive_asks(cli: Any, left: Path) -> None:
    """--revive names whom it would bring back and asks; without a terminal and --yes nobody comes back, exit 3."""
    ended = cli("subscribers", "import", left, *BASIS, "--revive")
    assert (ended.code, "ann@example.org" in ended.err, "bob@example.org" in ended.err) == (3, True, False)
    assert cli("lists", "--json").lines[0]["active"] == 1
    dry = cli("subscribers", "import", left, *BASIS, "--revive", "--dry-run", "--json")
    assert (dry.code, dry.json["revived"], "ann@example.org" in dry.err) == (0, 1, True)
    done = cli("subscribers", "import", left, "--basis", "she wrote", "--revive", "--yes", "--json")
    assert (done.code, done.json["revived"], done.json["refused"]) == (0, 1, {})
    assert cli("lists", "--json").lines[0]["active"] == 2
    shown = cli("subscribers", "show", "ann@example.org", "--json").json
    assert (shown["consents"][-1]["basis"], shown["consents"][-1]["import_id"]) == (
        "she wrote",
        done.json["id"],
    )
    assert cli("subscribers", "import", "--undo", done.json["id"], "--yes").code == 0
    assert cli("lists", "--json").lines[0]["active"] == 1


def test_repeat_is_said(cli: Any, left: Path) -> None:
    """A file that was taken in before is said to be that."""
    ended = cli("subscribers", "import", left, *BASIS)
    assert "taken in before, by import 1" in ended.out
    assert "1 not taken: they left" in ended.out
