"""Commands whose pipe broke, whose disk is full, whose stdout is closed or not UTF-8, or that stand nowhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mailer.cli import run
from tests.cli.test_frame import probe, raising  # noqa: F401 - a fixture
from tests.commandline import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commandline import Cli

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
NO_ROOM = "No space left on device"


def shell(command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which `mailer` is the command."""
    line = f'mailer() {{ {sys.executable} -m mailer "$@"; }}; {command}'
    return subprocess.run(
        ["bash", "-c", line],
        cwd=folder,
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--help",), 141),
        ((), 141),
        (("lists",), 141),
        (("lists", "--json"), 141),
        (
            ("feedback", "ingest", "--help"),
            75,
        ),  # a mail server sends the mail back on every code but 0 and 75
    ],
)
def test_a_reader_that_has_gone_ends_the_command_as_sigpipe_does(
    newsletter: Path, words: tuple[str, ...], code: int
) -> None:
    """141, and not a word, whether Typer wrote or a command did."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as pipe:
        ended = subprocess.run(
            [sys.executable, "-m", "mailer", *words],
            cwd=newsletter,
            env=ENVIRONMENT,
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (code, b"")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("--help", 75, NO_ROOM),
        ("lists", 75, NO_ROOM),
        ("lists --json", 75, NO_ROOM),
        ("subscribers export --list main", 75, NO_ROOM),
        ("nope --json", 2, "No such command 'nope'"),
    ],
)
def test_what_a_full_disk_does_not_take_is_told(newsletter: Path, words: str, code: int, said: str) -> None:
    """On stderr, in one line: no bug, no traceback, and nothing that Python adds while it ends."""
    ended = shell(f"mailer {words} > /dev/full", newsletter)
    assert ended.returncode == code
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("mailer issues >&-", 0),
        ("mailer subscribers export --list main >&-", 0),
        ("mailer nope 2>&-", 2),
        ("mailer nope 2>/dev/full", 2),
        ("mailer status <&- >&- 2>&-", 0),
    ],
)
def test_a_stream_that_is_closed_changes_no_ending(newsletter: Path, command: str, code: int) -> None:
    """What would be said there is said nowhere."""
    ended = shell(command, newsletter)
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    assert "bug" not in ended.stderr


@pytest.mark.parametrize("words", ["status", "--json status", "compile x.md", "init"])
def test_in_a_folder_that_is_gone_the_error_says_so(tmp_path: Path, words: str) -> None:
    """Exit 2, with the way out; no traceback, and no bug."""
    ended = shell(f"mkdir gone && cd gone && rmdir ../gone && mailer {words} 2>&1", tmp_path)
    assert ended.returncode == 2
    assert "-C DIR" in ended.stdout


def test_from_a_folder_that_is_gone_dash_c_leads_out(newsletter: Path, tmp_path: Path) -> None:
    """Where the command was called from does not matter then."""
    ended = shell(f"mkdir gone && cd gone && rmdir ../gone && mailer -C {newsletter} issues", tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_json_is_json_and_an_export_is_utf_8_in_every_encoding(
    newsletter: Path, cli: Cli, encoding: str
) -> None:
    """What stdout's encoding lacks is escaped as JSON does it; a file of people holds their names unchanged."""
    name = "Zoë Łukasz 潮"
    assert cli("subscribers", "add", "zoe@d.example.net", "--list", "main", "--name", name).code == 0
    (listed,) = _said(newsletter, encoding, "list", "--json").splitlines()
    assert json.loads(listed)["name"] == name
    (exported,) = _said(newsletter, encoding, "export", "--list", "main", "--format", "jsonl").splitlines()
    assert json.loads(exported)["name"] == name
    assert name in _said(newsletter, encoding, "export", "--list", "main")


def _said(folder: Path, encoding: str, *words: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "mailer", "subscribers", *words],
        cwd=folder,
        env=ENVIRONMENT | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=True,
    )
    return ended.stdout.decode()


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (
            PermissionError(13, "Permission denied", "issues/72.md"),
            2,
            "issues/72.md: cannot be used: Permission denied",
        ),
        (FileNotFoundError(2, "No such file", b"\xff.md"), 2, "\\udcff.md: cannot be used: No such file"),
        (OSError(36, "File name too long", "a" * 300), 2, "File name too long"),
        (OSError(28, NO_ROOM, "out/72.html"), 75, f"out/72.html: cannot be used: {NO_ROOM}"),
        (OSError(28, NO_ROOM), 75, NO_ROOM),
        (OSError(22, "Invalid argument"), 70, "a bug in mailer"),
    ],
)
def test_what_the_machine_refuses_is_no_bug(probe, error, code, said, capsys) -> None:  # noqa: F811 - the fixture
    """A file that is another user's, missing, or named too long is named; what may pass is to be tried again."""
    probe.does = raising(error)
    assert run(["probe"]) == code
    assert said in capsys.readouterr().err
