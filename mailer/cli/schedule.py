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


One = Annotated[
    str, typer.Argument(metavar="NAME", help="A schedule, or an issue with a date of its own: 72.main.")
]
Name = Annotated[
    str | None, typer.Argument(metavar="NAME", help="One schedule; else all.", show_default=False)
]
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
    typer.Option("--from", metavar="DATE", help="From this date on; else from now.", show_default=False),
]
Count = Annotated[int, typer.Option("--count", metavar="N", min=1, max=1000, help="So many.")]


@app.command("list", epilog="Example: mailer schedule list")
def list_() -> None:
    """Show each schedule: when it is due, what it would send, and what is asked."""
    from mailer.cli.scheduling import show_list  # noqa: PLC0415 - the schedules are loaded when they are needed

    show_list()


@app.command("next", epilog='Example: mailer schedule next --every "Tue 08:00" --tz Europe/Berlin')
def next_(
    name: Name = None,
    every: Every = None,
    cron: Cron = None,
    tz: Zone = None,
    start: From = None,
    count: Count = 5,
) -> None:
    """Show the next due times, in the zone and in UTC.

    With --every or --cron those of that rule, which needs no newsletter; else those of the newsletter's schedules, with
    what each would send and what is missing.
    """
    from mailer.cli.dates import show_rule  # noqa: PLC0415
    from mailer.cli.scheduling import show_next  # noqa: PLC0415

    if every or cron:
        show_rule(every, cron, tz or "UTC", start, count)
    else:
        show_next(name, start, count)


@app.command(epilog="Example: mailer schedule pause weekly")
def pause(name: One) -> None:
    """Pause a schedule: what falls due meanwhile is not sent, and not missed."""
    from mailer.cli.scheduling import pause as run  # noqa: PLC0415

    run(name)


@app.command(epilog="Example: mailer schedule resume weekly")
def resume(name: One) -> None:
    """Let a paused schedule go on with its next due time."""
    from mailer.cli.scheduling import resume as run  # noqa: PLC0415

    run(name)


@app.command(epilog="Example: mailer schedule skip weekly")
def skip(name: One) -> None:
    """Leave out the next due time; the one after it is sent."""
    from mailer.cli.scheduling import skip as run  # noqa: PLC0415

    run(name)


@app.command(epilog="Example: mailer schedule answer weekly send")
def answer(
    name: One, word: Annotated[str, typer.Argument(metavar="send|skip", help="What is to be done.")]
) -> None:
    """Answer what was asked about a due time."""
    from mailer.cli.scheduling import answer as run  # noqa: PLC0415

    run(name, word)
