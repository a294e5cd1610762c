"""The frame around every command: its module, the options that all share, the exit code of each ending.

COMMANDS is the table of contents: a command's module is imported when it is called, never for `mailer
--help`. Exit codes: 0 done, 1 the answer is no, 2 bad input, 3 a person must decide, 4 done as far as it
goes, 70 a bug, 75 try again later, 130 Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import typer
from typer.core import TyperGroup

from mailer.cli.options import EVERYWHERE
from mailer.cli.output import json_wanted, note, report, say
from mailer.errors import MailerError, Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

BUG: Final = 70
INTERRUPTED: Final = 130
LATER: Final = 75
READER_GONE: Final = 141  # as a shell reports a death by SIGPIPE
_PASSING: Final = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EIO,
    errno.EMFILE,
    errno.ENFILE,
    errno.ENOMEM,
    errno.EAGAIN,
}


class Place(NamedTuple):
    """Where a command lives, and its line in `mailer --help` (a test compares it with the command's own)."""

    module: str
    summary: str


COMMANDS: Final = {
    "init": Place("init", "Make a newsletter in a folder."),
    "issues": Place("issues", "Show what there is and what went out."),
    "check": Place("check", "Report everything that is wrong with issues and settings."),
    "compile": Place("compile", "Turn issues into HTML, text and a sample message."),
    "preview": Place("preview", "Look at an issue in a browser, or send it as a test mail."),
    "send": Place("send", "Bring an issue to its readers; run again, it goes on."),
    "pause": Place("send", "Pause the sending of an issue."),
    "resume": Place("send", "Go on with a paused issue."),
    "cancel": Place("send", "End the sending of an issue for good."),
    "schedule": Place("schedule", "Show when issues go out by themselves, and answer."),
    "run": Place("daemon", "Stay: serve the pages, send what falls due, keep the schedules and the house."),
    "status": Place("status", "Show what runs, waits, is due or needs a person."),
    "audit": Place("audit", "Prove who received an issue."),
    "subscribers": Place("subscribers", "Add, find, import and export the people."),
    "lists": Place("lists", "Show the lists and their forms."),
    "segments": Place("segments", "Show the segments and whom they select."),
    "suppressions": Place("suppressions", "Show and change who is never mailed."),
    "feedback": Place("feedback", "Read what comes back."),
    "tokens": Place("tokens", "Make, show and revoke tokens of the API."),
    "hooks": Place("hooks", "Show, try and resume receivers of hooks; show unknown reports."),
    "dkim": Place("dkim", "Make DKIM keys and the DNS records for them."),
    "db": Place("db", "Upgrade, check, back up, restore, copy and adopt the database."),
}


class Commands(TyperGroup):
    """The commands of the table, each loaded when it is called, each with the options that all share."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Give the names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _ctx: Any, name: str) -> Any:
        """Load one command, or give None for a name that is not in the table."""
        return load(name) if name in COMMANDS else None

    def invoke(self, ctx: Any) -> Any:
        """Call the command; Ctrl-C comes out as Abort, for Typer makes of it an exit without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Abort from None

    def format_commands(self, _ctx: Any, formatter: Any) -> None:
        """Write the list of commands from the table, without loading one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in COMMANDS.items()])


def load(name: str) -> Any:
    """Import a command's module; its `app` is the command, or holds a command of that name."""
    module = import_module(f"mailer.cli.{COMMANDS[name].module}")
    command: Any = typer.main.get_command(module.app)
    command = getattr(command, "commands", {}).get(name, command)
    command.name = name
    return _with_shared_options(command)


def _with_shared_options(command: Any) -> Any:
    """Add -C and --json to a command and to all below it, so that they may stand anywhere on the line."""
    command.rich_markup_mode = None  # help is plain text: rich would cost 100 ms
    if not any(param in EVERYWHERE for param in command.params):
        command.params.extend(EVERYWHERE)
    for below in getattr(command, "commands", {}).values():
        _with_shared_options(below)
    return command


app = typer.Typer(
    cls=Commands,
    name="mailer",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:
    if value:
        from mailer import __version__  # noqa: PLC0415 - reads the package's metadata

        say(f"mailer {__version__}")
        raise typer.Exit


@app.callback(epilog="Example: mailer send --issue 72")
def _mailer(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, expose_value=False, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    """Write a newsletter as Markdown in git; send it to every subscriber exactly once."""


def call(arguments: Sequence[str], *, debug: bool = False) -> int:
    """Run one command line to its exit code; every ending is told in words, none as a traceback."""
    given = list(arguments)
    words = given[: given.index("--")] if "--" in given else given
    token = json_wanted.set("--json" in words)
    try:
        code = _ended(_with_shared_options(typer.main.get_command(app)), given, debug=debug)
        return LATER if code and _called_by_a_mail_server(words) else code
    finally:
        json_wanted.reset(token)
        opened = sys.modules.get("mailer.cli.workplace")
        if opened is not None:  # a command that opened no newsletter has not loaded it either
            opened.close_engines()


def _called_by_a_mail_server(words: Sequence[str]) -> bool:
    """Tell `feedback ingest`: a mail server sends the mail back on every code but 0 and 75 (sysexits.h)."""
    plain = [word for word in words if not word.startswith("-")]
    return "ingest" in plain[plain.index("feedback") :] if "feedback" in plain else False


def _ended(command: Any, arguments: list[str], *, debug: bool) -> int:
    """Give the exit code; what could not be said, or what the machine refused, has one, too."""
    try:
        code = _told(command, arguments, debug=debug)
        sys.stdout.flush()
    except BrokenPipeError:  # `mailer audit … | head`: nothing more can be said
        return READER_GONE
    except OSError as error:
        return _refused(error, debug=debug)
    return code


def _told(command: Any, arguments: list[str], *, debug: bool) -> int:
    try:
        code = command.main(args=arguments, prog_name="mailer", standalone_mode=False)
    except MailerError as error:
        report(_first_line(error), error.problems)
        return error.exit_code
    except (EOFError, typer.Abort):
        note("Stopped by Ctrl-C; the same command takes it up again.")
        return INTERRUPTED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # Typer makes an exit 1 of it
            raise end.__context__ from None
        raise
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is left is a bug, and is told as one
        return _usage(error) if hasattr(error, "format_message") else _bug(error, debug=debug)
    return code if isinstance(code, int) else 0


def _first_line(error: MailerError) -> str:
    return str(error).partition("\n")[0]


def _usage(error: Any) -> int:
    """Tell what Typer could not read; the words are its own."""
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":
        say(message)
        return 2
    if context is not None:
        message += f" (`{context.command_path} --help` shows how)"
    report(message, [Problem(message)])
    return 2


def _bug(error: Exception, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    message = f"a bug in mailer: {type(error).__name__}: {error}"
    hint = "" if debug else " (MAILER_DEBUG=1 shows where)"
    report(message, [Problem(message + hint)])
    return BUG


def _refused(error: OSError, *, debug: bool) -> int:
    """Tell what the machine refused: a file, the working folder, room. The rest of such errors are bugs."""
    passing = error.errno in _PASSING
    if error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
        problem = Problem(f"cannot be used: {error.strerror}", name)
    elif _nowhere():
        problem = Problem("the working folder is gone, or may not be entered; -C DIR names another")
    elif passing:
        problem = Problem(f"{error.strerror}")
    else:
        return _bug(error, debug=debug)
    if debug:
        traceback.print_exception(error)
    report(str(problem), [problem])
    return LATER if passing else UserError.exit_code


def _nowhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - asked for its error alone
    except OSError:
        return True
    return False
