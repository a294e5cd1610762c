"""The frame around every command: options that may stand anywhere, endings with their exit codes."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import typer

from mailer.cli import frame, run
from mailer.cli.output import confirm, emit, note, say, table
from mailer.errors import PersonNeeded, Problem, TryLater, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PLACES = [pytest.param(name, place, id=name) for name, place in frame.COMMANDS.items()]


@pytest.fixture
def probe(monkeypatch):
    """Put a command `probe` into the table that does what the test says."""
    app = typer.Typer()
    held = SimpleNamespace(does=lambda: None, app=app)

    @app.command()
    def probe() -> object:
        """Do what the test says."""
        return held.does()

    monkeypatch.setitem(frame.COMMANDS, "probe", frame.Place("probe", "Do what the test says."))
    monkeypatch.setitem(sys.modules, "mailer.cli.probe", held)
    return held


def raising(error: BaseException):
    def does() -> None:
        raise error

    return does


@pytest.mark.parametrize(
    ("does", "code"),
    [
        (lambda: None, 0),
        (lambda: 1, 1),
        (lambda: 4, 4),
        (raising(typer.Exit(1)), 1),
        (raising(UserError("bad")), 2),
        (raising(PersonNeeded("ask")), 3),
        (raising(RuntimeError("oh")), 70),
        (raising(TryLater("soon")), 75),
        (raising(KeyboardInterrupt()), 130),
    ],
)
def test_every_ending_has_its_exit_code(probe, does, code, capsys):
    """As the command line's document says; nothing of it is a traceback."""
    probe.does = does
    assert run(["probe"]) == code
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_says_how_to_go_on(probe, capsys):
    """The sentence stands on stderr, whichever command it struck."""
    probe.does = raising(KeyboardInterrupt())
    assert run(["probe"]) == 130
    assert "the same command takes it up again" in capsys.readouterr().err


def test_problems_are_told_on_stderr_with_file_and_line(probe, capsys):
    """As compilers do, so that editors can jump there."""
    probe.does = raising(UserError(Problem("is wrong", "issues/72.md", 7), Problem("too", key="from")))
    run(["probe"])
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "issues/72.md:7: is wrong\nfrom: too\n")


def test_problems_are_one_object_with_json(probe, capsys):
    """On stdout, for the program that called."""
    probe.does = raising(UserError(Problem("is wrong", "a.md", 7)))
    assert run(["probe", "--json"]) == 2
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "error": "a.md:7: is wrong",
        "problems": [{"message": "is wrong", "file": "a.md", "line": 7, "key": None}],
    }


def test_a_bug_says_how_to_see_where_it_is(probe, capsys, monkeypatch):
    """Short by default; with MAILER_DEBUG=1 the traceback is there."""
    probe.does = raising(ZeroDivisionError("x"))
    run(["probe"])
    assert "MAILER_DEBUG=1" in capsys.readouterr().err
    monkeypatch.setenv("MAILER_DEBUG", "1")
    run(["probe"])
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--json", "probe"], ["probe", "--json"]])
def test_json_may_stand_before_and_behind_the_command(probe, words, capsys):
    """The same words mean the same in any order."""
    probe.does = lambda: emit({"path": Path("a"), "text": "é"})
    assert run(words) == 0
    assert capsys.readouterr().out == '{"path": "a", "text": "é"}\n'


def test_dash_c_is_where_the_command_works_and_nowhere_else(probe, tmp_path, capsys):
    """As in git: before or behind the command; the caller's own folder stays."""
    before = Path.cwd()
    probe.does = lambda: say(str(Path.cwd()))
    for words in (["-C", str(tmp_path), "probe"], ["probe", "-C", str(tmp_path)], ["probe", f"-C{tmp_path}"]):
        assert run(words) == 0
        assert capsys.readouterr().out.strip() == str(tmp_path.resolve())
    assert Path.cwd() == before


@pytest.mark.parametrize(
    "words", [["nope"], ["probe", "--nope"], ["probe", "extra"], ["-C", "/does/not/exist", "probe"], ["-C"]]
)
def test_words_that_make_no_sense_are_bad_input(probe, words, capsys):
    """Exit 2, in a sentence; with --json as an object."""
    assert run(words) == 2
    assert capsys.readouterr().err
    assert run(["--json", *words]) == 2
    assert json.loads(capsys.readouterr().out)["problems"]


def test_people_and_programs_are_told_by_the_same_calls(probe, capsys):
    """`say` is silent with --json, `emit` without."""

    def does() -> None:
        say("words")
        emit({"a": 1})
        note("progress")

    probe.does = does
    run(["probe"])
    assert capsys.readouterr() == ("words\n", "progress\n")
    run(["probe", "--json"])
    assert capsys.readouterr() == ('{"a": 1}\n', "progress\n")


def test_text_from_outside_cannot_steer_the_terminal(probe, capsys):
    """A subject with escape sequences is shown, not obeyed; letters of any script pass."""
    probe.does = lambda: say("a\x1b[2Jb\rc\x9bd\tكمل")
    run(["probe"])
    assert capsys.readouterr().out == "a\\x1b[2Jb\\x0dc\\x9bd\tكمل\n"


def test_a_table_is_as_wide_as_what_stands_in_it(capsys):
    """Wide characters count as two columns, numbers stand to the right."""
    table([("日本", 5), ("abc", 1234)], head=("name", "n"))
    assert capsys.readouterr().out.splitlines() == ["name  n", "日本     5", "abc   1234"]


def test_a_question_without_a_terminal_is_left_to_a_person(probe, monkeypatch, capsys):
    """Exit 3, nothing done; --yes answers it."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    probe.does = lambda: confirm("Send it?", yes=False)
    assert run(["probe"]) == 3
    assert "--yes" in capsys.readouterr().err
    probe.does = lambda: confirm("Send it?", yes=True)
    assert run(["probe"]) == 0


def ask_on_terminal(answer: str, typed: str | None) -> int:
    """Run `confirm` in a process that has a terminal, type the answer, and give its exit code."""
    code = f"from mailer.cli.output import confirm; confirm('Sure?', yes=False, typed={typed!r})"
    main, there = pty.openpty()
    ran = subprocess.Popen([sys.executable, "-c", code], stdin=there, stderr=subprocess.DEVNULL, cwd=ROOT)
    os.write(main, answer.encode() + b"\n")
    ended = ran.wait(30)
    os.close(main)
    os.close(there)
    return ended


@pytest.mark.parametrize(
    ("answer", "typed", "agreed"),
    [
        ("72", "72", True),
        ("y", "72", False),
        ("", "72", False),
        ("y", None, True),
        ("", None, False),
        ("n", None, False),
    ],
)
def test_only_the_right_answer_is_a_yes(answer, typed, agreed):
    """Anything else stops; the default is no."""
    assert (ask_on_terminal(answer, typed) == 0) is agreed


def test_help_is_there_before_anything_heavy_is_loaded():
    """`mailer --help` loads no command, no database, no compiler; that is why it answers at once."""
    code = (
        "import sys; from mailer.cli import run; run(['--help']);"
        "heavy = {'sqlalchemy', 'pydantic', 'rich', 'lxml', 'jinja2', 'mjml', 'asyncio', 'mailer.settings',"
        "'importlib.metadata'};"
        "found = heavy & set(sys.modules); sys.exit(repr(found) if found else 0)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert ended.returncode == 0, ended.stderr
    for name in frame.COMMANDS:
        assert name in ended.stdout


def test_the_reader_of_a_pipe_may_leave():
    """`mailer … | head -1` ends without a complaint."""
    command = f"{sys.executable} -m mailer --help | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, cwd=ROOT)
    assert ended.stderr == ""


def below(command: Any, words: list[str]) -> Iterator[tuple[list[str], Any]]:
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from below(inner, [*words, name])


@pytest.mark.parametrize(("name", "place"), PLACES)
def test_every_command_has_help_with_an_example(name, place, capsys):
    """Each says what it does, shows an example, and knows -C and --json; the table of contents has its own words."""
    import_module(f"mailer.cli.{place.module}")
    command = frame.load(name)
    assert command.help.strip().partition("\n")[0] == place.summary
    for words, inner in list(below(command, [name])):
        assert run([*words, "--help"]) == 0
        said = capsys.readouterr().out
        assert "--json" in said, words
        assert "-C DIR" in said, words
        if not getattr(inner, "commands", {}):
            assert f"Example: mailer {' '.join(words)}" in " ".join(said.split()), words


@pytest.mark.parametrize(
    "words",
    [["audit"], ["pause"], ["feedback", "unknown", "--show"], ["feedback", "unknown", "--done"]],
    ids=" ".join,
)
def test_a_number_that_no_database_holds_is_bad_input(newsletter: Path, cli: Any, words: list[str]):
    """Twenty digits name nothing that there is, and are no bug."""
    assert cli("db", "check").code == 0
    ended = cli(*words, "9" * 20)
    assert ended.code == 2
    assert "bug" not in ended.err
