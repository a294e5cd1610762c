"""mailer preview: an issue in a browser, as a test mail, or as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli import options

app = typer.Typer(add_completion=False)

TestReaders = Annotated[
    list[str] | None,
    typer.Option(
        "--to", metavar="ADDRESS", help="Send a test mail there; may be repeated.", show_default=False
    ),
]
PagePort = Annotated[
    int,
    typer.Option(
        "--port", metavar="PORT", min=0, max=65535, help="Of the preview's page.", show_default="any free one"
    ),
]


@app.command(epilog="Example: mailer preview 72 --to me@example.org")
def preview(  # noqa: PLR0913, PLR0917 - each is a word of the command line
    issue: options.Issue = None,
    issue_named: options.IssueNamed = None,
    to: TestReaders = None,
    as_email: Annotated[
        str | None,
        typer.Option("--as", metavar="EMAIL", help="Show what this subscriber gets.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.eml", help="Write the message to a file.", show_default=False),
    ] = None,
    subject: options.Subject = None,
    list_named: options.ListNamed = None,
    port: PagePort = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print where the page is.")] = False,
) -> None:
    """Look at an issue in a browser, or send it as a test mail.

    The page shows the mail at phone and desktop width, light and dark, its text, the raw message and all
    findings, and follows every change of the file. It works on any file, in any folder. Ctrl-C ends it.
    """
    from mailer.cli.previewing import Asked, run  # noqa: PLC0415 - the compile step is loaded when it is needed

    wanted = options.one_issue(issue, issue_named)
    asked = Asked(wanted, list_named, subject, as_email, tuple(to or ()), out, port, not no_browser)
    raise typer.Exit(run(asked))
