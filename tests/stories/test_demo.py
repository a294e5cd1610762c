"""What `make demo` runs, run twice: two hundred readers have one message each, and nothing goes twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).parent.parent.parent / "examples" / "demo.py"


def demonstrate(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the demonstration in a folder, with somebody's settings around it that it must not meet."""
    foreign = {"MAILER_RELAY": "smtp://192.0.2.1:25", "MAILER_DATABASE": "sqlite:////nowhere/else.db"}
    return subprocess.run(
        [sys.executable, str(DEMO), str(folder)],
        env={**os.environ, **foreign, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
def test_the_demonstration_run_twice_sends_once(tmp_path):
    """The first run brings 200 messages to 200 readers; the second brings none, and both end well."""
    first = demonstrate(tmp_path / "demo")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "The server kept 200 messages of this run; 200 of all runs, for 200 readers." in first.stdout
    second = demonstrate(tmp_path / "demo")
    assert second.returncode == 0, second.stdout + second.stderr
    assert "The server kept 0 messages of this run; 200 of all runs, for 200 readers." in second.stdout
    assert "Nothing to send" in second.stdout + second.stderr
