"""mailer schedule: when issues go out by themselves, what will, and the answers to what was asked."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    add_completion=False, no_args_is_help=True, help="Show when issues go out by themselves, and answer."
)


@app.callback()
def schedule() -> None:
    """Show when issues go out by themselves, and answer."""


Every = Annotated[
    str | None, typer.Option("--every", metavar="RULE", help='Of this rule: "Tue 08:00".', show_default=False)
]
Cron = Annotated[
    str | None,
    typer.Option("--cron", metavar="FIELDS", help='Of this rule: "0 8 * * 2".', show_default=False),
]
Zone = Annotated[
    str | None, typer.Option("--tz", metavar="ZONE", help="The rule's time zone (UTC).", show_default=False)
]
From = Annotated[
    str | None,
    typer.Option(
        "--from", metavar="DATE", help="From this date on, 2026-10-20; else from now.", show_default=False
    ),
]
Count = Annotated[int, typer.Option("--count", metavar="N", min=1, max=1000, help="So many.")]


@app.command("next", epilog='Example: mailer schedule next --every "Tue 08:00" --tz Europe/Berlin')
def next_(
    every: Every = None,
    cron: Cron = None,
    tz: Zone = None,
    start: From = None,
    count: Count = 5,
) -> None:
    """Show the next due times, in the zone and in UTC.

    With --every or --cron of that rule, which needs no newsletter.
    """
    from mailer.cli.scheduling import show_rule  # noqa: PLC0415

    show_rule(every, cron, tz or "UTC", start, count)
