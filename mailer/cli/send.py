"""mailer send, pause, resume, cancel: one issue on its way to its readers."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli import options

app = typer.Typer(add_completion=False)

First = Annotated[
    int | None,
    typer.Option(
        "--first",
        metavar="N",
        min=1,
        help="Send to N readers drawn at random, then hold.",
        show_default=False,
    ),
]
Hold = Annotated[
    str | None,
    typer.Option(
        "--hold", metavar="TIME", help="How long to hold after --first: 90s, 30m, 2h, 1d.", show_default=False
    ),
]
Again = Annotated[
    str | None,
    typer.Option(
        "--again", metavar="NAME", help="Make another mailing of an issue that went out.", show_default=False
    ),
]
Uncertain = Annotated[
    str | None,
    typer.Option(
        "--uncertain", metavar="skip|resend", help="Decide about the uncertain.", show_default=False
    ),
]
NewReaders = Annotated[bool, typer.Option("--new-readers", help="Send also to those who joined since.")]
Wait = Annotated[bool, typer.Option("--wait", help="Stay until nothing is deferred any more.")]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="How many processes send together; else `workers` of mailer.toml, else 1.",
        show_default=False,
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Amend = Annotated[bool, typer.Option("--amend", help="Bring the corrected file to those who wait.")]


@app.command(epilog="Example: mailer send --issue 72 --first 50 --hold 30m")
def send(  # noqa: PLR0913, PLR0917 - each is a word of the command line
    issue: options.Issue = None,
    issue_named: options.IssueNamed = None,
    subject: options.Subject = None,
    list_named: options.ListNamed = None,
    segment: options.SegmentNamed = None,
    first: First = None,
    hold: Hold = None,
    new_readers: NewReaders = False,
    again: Again = None,
    uncertain: Uncertain = None,
    wait: Wait = False,
    workers: Workers = None,
    dry_run: DryRun = False,
    yes: options.Yes = False,
) -> None:
    """Bring an issue to its readers; run again, it goes on."""
    from mailer.cli.preparing import Asked  # noqa: PLC0415
    from mailer.cli.sending import run  # noqa: PLC0415 - the engine is loaded when it is needed

    asked = Asked(
        options.one_issue(issue, issue_named), subject, list_named, segment or "", first, hold, new_readers,
        again or "", uncertain, wait, dry_run, yes, workers,
    )  # fmt: skip
    raise typer.Exit(run(asked))


@app.command(epilog="Example: mailer pause 72")
def pause(
    issue: options.Issue = None, issue_named: options.IssueNamed = None, list_named: options.ListNamed = None
) -> None:
    """Pause the sending of an issue."""
    from mailer.cli.steering import pause as run  # noqa: PLC0415

    run(options.one_issue(issue, issue_named), list_named)


@app.command(epilog="Example: mailer resume 72 --amend")
def resume(
    issue: options.Issue = None,
    issue_named: options.IssueNamed = None,
    list_named: options.ListNamed = None,
    amend: Amend = False,
    yes: options.Yes = False,
) -> None:
    """Go on with a paused issue."""
    from mailer.cli.steering import resume as run  # noqa: PLC0415

    run(options.one_issue(issue, issue_named), list_named, amend=amend, yes=yes)


@app.command(epilog="Example: mailer cancel 72")
def cancel(
    issue: options.Issue = None,
    issue_named: options.IssueNamed = None,
    list_named: options.ListNamed = None,
    yes: options.Yes = False,
) -> None:
    """End the sending of an issue for good."""
    from mailer.cli.steering import cancel as run  # noqa: PLC0415

    run(options.one_issue(issue, issue_named), list_named, yes=yes)
