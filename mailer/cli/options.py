"""The words that mean the same in every command: ISSUE or --issue, --list, --segment, --yes, -C, --json."""

from __future__ import annotations

import os
from typing import Annotated, Final

import typer

from mailer.cli.output import json_wanted
from mailer.errors import Problem, UserError

LARGEST_ID: Final = 2**31 - 1
"""Of a row: what the database's integers hold."""

Issue = Annotated[
    str | None,
    typer.Argument(
        metavar="ISSUE", help="Number, slug, path, or a mailing's id such as 72.main.", show_default=False
    ),
]
Issues = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ISSUE]...", help="Numbers, slugs or paths; 1..71 is a range.", show_default=False
    ),
]
IssueNamed = Annotated[
    str | None, typer.Option("--issue", metavar="ISSUE", help="The same as ISSUE.", show_default=False)
]
ListNamed = Annotated[
    str | None, typer.Option("--list", "-l", metavar="LIST", help="One list only.", show_default=False)
]
SegmentNamed = Annotated[
    str | None, typer.Option("--segment", metavar="SEGMENT", help="One segment only.", show_default=False)
]
Subject = Annotated[
    str | None,
    typer.Option(
        "--subject", metavar="TEXT", help="The subject, where the file has none.", show_default=False
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Answer the question that would be asked with yes.")]


def one_issue(positional: str | None, named: str | None) -> str:
    """Give the one ISSUE, wherever it was written; raises UserError if there is none, or two that differ."""
    if positional and named and positional != named:
        raise UserError(Problem(f"ISSUE is named twice: {positional} and {named}", key="issue"))
    issue = positional or named
    if not issue:
        raise UserError(Problem("which issue? Give a number, a slug or a path", key="issue"))
    return issue


def several_issues(positional: list[str] | None, named: str | None) -> tuple[str, ...]:
    """Give every ISSUE in the order of the line, once each."""
    return tuple(dict.fromkeys([*(positional or ()), *([named] if named else ())]))


_frame = typer.Typer(add_completion=False)


def _as_json(value: bool) -> None:
    if value:
        json_wanted.set(True)


def _go_to(value: str | None) -> None:
    if value is None:
        return
    try:
        os.chdir(value)
    except OSError as error:
        raise typer.BadParameter(f"{value}: {error.strerror}") from None


@_frame.command()
def _everywhere(
    _folder: Annotated[
        str | None,
        typer.Option(
            "-C",
            metavar="DIR",
            callback=_go_to,
            expose_value=False,
            is_eager=True,
            show_default=False,
            help="Run as if started in DIR.",
        ),
    ] = None,
    _json: Annotated[
        bool,
        typer.Option(
            "--json",
            callback=_as_json,
            expose_value=False,
            is_eager=True,
            help="Write JSON, one object a line.",
        ),
    ] = False,
) -> None:
    """Hold the options that every command takes; never run."""


EVERYWHERE: Final = tuple(
    param
    for param in typer.main.get_command(_frame).params
    if param.opts and param.opts[0] in {"-C", "--json"}
)
