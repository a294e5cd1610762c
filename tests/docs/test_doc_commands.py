"""docs/commands.md against the command line, and every example line against both."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import typer

from mailer.cli.frame import COMMANDS, Commands, app, load
from mailer.cli.options import EVERYWHERE
from tests.docs.pages import PAGES, blocks, names, read, rows, sections, spans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMPLETION = {"--install-completion", "--show-completion"}
SHARED = {"-C", "--json", "-h", "--help", "--version", *COMPLETION}


class Command(NamedTuple):
    """A command as a person types it, and what it takes."""

    path: str
    click: Any

    @property
    def options(self) -> set[str]:
        """All spellings of its own options."""
        own = (param for param in self.click.params if param not in EVERYWHERE)
        found = {name for param in own for name in (*param.opts, *param.secondary_opts)}
        return {name for name in found if name.startswith("-")} - SHARED


def _below(path: str, command: Any) -> Iterator[Command]:
    yield Command(path, command)
    for name, sub in getattr(command, "commands", {}).items():
        yield from _below(f"{path} {name}", sub)


ALL = {one.path: one for name in COMMANDS for one in _below(f"mailer {name}", load(name))}
SECTIONS = sections(read("commands.md"))


def _documented(section: str) -> set[str]:
    told = {word for row in rows(section) for span in names(row[0]) for word in span.split()}
    return {word for word in told if word.startswith("-")} - SHARED


@pytest.mark.parametrize("path", ALL)
def test_command(path: str):
    """Each command has a section, which names all of its options and no other."""
    assert path in SECTIONS
    assert _documented(SECTIONS[path]) == ALL[path].options


def test_no_command_is_invented():
    """Each section that is called like a command is one."""
    assert {title for title in SECTIONS if title.startswith("mailer ")} == set(ALL)


def test_shared_options():
    """What every command takes stands in one place."""
    told = {
        word
        for row in rows(SECTIONS["The same everywhere"])
        for span in names(row[0])
        for word in [span.split()[0]]
    }
    assert {"-C", "--json", "--issue", "-l", "--list", "-y", "--yes", "--version"} <= told
    assert {name for param in EVERYWHERE for name in param.opts} <= told


def test_exit_codes():
    """Each exit code of the program stands in the table."""
    from mailer.cli import frame, telling
    from mailer.errors import PersonNeeded, TryLater, UserError

    told = {int(row[0]) for row in rows(SECTIONS["Exit codes"])}
    kinds = {kind.exit_code for kind in (UserError, PersonNeeded, TryLater)}
    assert kinds | {0, 1, telling.LEFT, frame.BUG, frame.INTERRUPTED, frame.READER_GONE} == told


def lines_of(page: Path) -> list[str]:
    """Give every `mailer …` of a page: in backticks, and after the prompt in an example."""
    text = page.read_text(encoding="utf-8")
    typed = [
        line for block in blocks(text, "console") for line in re.findall(r"^\$ (.+)$", block, re.MULTILINE)
    ]
    return [line for line in (*spans(text), *typed) if line.startswith("mailer ")]


EXAMPLES = sorted({(line, page.name) for page in PAGES for line in lines_of(page)})


def _words(line: str) -> list[str]:
    """Give the words of a line, up to what belongs to the shell."""
    line = re.sub(r"\s# .*$|[\[\]]|\.\.\.", "", line)
    words = shlex.split(line)
    ends = [number for number, word in enumerate(words) if word in {"&", "|", ">", ">>", "<", "&&"}]
    return words[1 : min(ends, default=len(words))]


def _parse(command: Any, name: str, words: list[str], parent: Any = None) -> None:
    """Let the command read its words, and its subcommand the rest; raises what Typer raises of a wrong line."""
    context = command.make_context(name, list(words), parent=parent)
    rest = [*getattr(context, "_protected_args", ()), *context.args]
    if rest and hasattr(command, "resolve_command"):
        found, sub, left = command.resolve_command(context, rest)
        _parse(sub, found, left, context)


@pytest.mark.parametrize(("line", "page"), EXAMPLES)
def test_example(line: str, page: str, monkeypatch: pytest.MonkeyPatch):
    """Every command line in the documentation is one that the program reads."""
    monkeypatch.setattr("os.chdir", lambda _: None)
    words = _words(line)
    asked_for_help = {"--help", "--version", "COMMAND"} & set(words)
    if asked_for_help or " ".join(["mailer", *words]) in ALL:
        return  # a command spoken of by its name needs no words
    command = typer.main.get_command(app)
    assert isinstance(command, Commands)
    _parse(command, "mailer", words)


def test_an_invented_example_is_noticed():
    """The reading of examples can fail: an option, a command and a missing word that do not exist."""
    command = typer.main.get_command(app)
    for words in (["send", "72", "--frist", "3"], ["sned", "72"], ["subscribers", "tga", "a@example.com"]):
        with pytest.raises(Exception, match="No such"):
            _parse(command, "mailer", words)
