"""The hold between the first few and the rest, at a terminal: what lets it go, and what does not."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.commandline import ROOT, Cli
from tests.loopback.server import running

if TYPE_CHECKING:
    from pathlib import Path

ISSUE = "---\nissue: 7\ntitle: 'Tidings #7: A letter'\n---\nHello, all is well.\n"
SEND = ("-m", "mailer", "send", "7", "--first", "1", "--hold", "1h", "--yes")


@pytest.mark.parametrize(("key", "code", "sent"), [(b"\x04", 130, 1), (b"\n", 0, 3)])
def test_enter_lets_the_rest_go_and_the_end_of_input_does_not(
    newsletter: Path, cli: Cli, tmp_path: Path, key: bytes, code: int, sent: int
) -> None:
    """Ctrl-D ends the send as Ctrl-C does: who is held stays held, and the same command waits for the same hour."""
    (newsletter / "issues" / "007.md").write_text(ISSUE)
    people = tmp_path / "people.csv"
    people.write_text("email\n" + "".join(f"p{n}@d.example.net\n" for n in range(3)))
    assert cli("subscribers", "import", people, "--list", "main", "--basis", "test", "--yes").code == 0
    with running() as server:
        ended, said = _pressed(newsletter, server.url(), key)
        assert (ended, len(server.accepted)) == (code, sent), said
    assert ("the same command takes it up again" in said) is (code == 130)


def _pressed(folder: Path, relay: str, key: bytes) -> tuple[int, str]:
    """Send with a terminal, press a key once the rest is held; give the exit code and what was said."""
    main, there = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MAILER_RELAY": relay}
    with subprocess.Popen(
        [sys.executable, *SEND], stdin=there, stderr=subprocess.PIPE, text=True, cwd=folder, env=environment
    ) as process:
        said = []
        try:
            for line in process.stderr or ():
                said.append(line)
                if "Enter lets it go now" in line:
                    os.write(main, key)
            return process.wait(60), "".join(said)
        finally:
            process.kill()
            os.close(main)
            os.close(there)
