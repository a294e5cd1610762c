"""mailer lists: what there is, and how many people each reaches."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from mailer.cli.output import emit, say_lines, table
from mailer.cli.people import looking, now, one_list

app = typer.Typer(add_completion=False)
lists_app = typer.Typer(
    add_completion=False, help="Show the lists and their forms.", invoke_without_command=True
)
app.add_typer(lists_app, name="lists")


@lists_app.callback(epilog="Example: mailer lists --json")
def lists(context: typer.Context) -> None:
    """Show the lists and their forms."""
    if context.invoked_subcommand is None:
        _show_lists()


def _show_lists() -> None:
    from mailer.cli.workplace import workplace  # noqa: PLC0415 - SQLAlchemy costs 150 ms

    place = workplace()
    with looking(place) as connection:
        rows = [_counts(connection, one) for one in place.settings.lists.values()]
    for row in rows:
        emit(row)
    names = ("active", "paused", "suppressed", "unreachable", "pending", "unsubscribed", "readers")
    table(
        [[row["list"], row["name"], *(row[name] for name in names)] for row in rows], ("list", "name", *names)
    )


def _counts(connection: Any, one: Any) -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415

    from subscribers import AudienceCounts, audience_counts, list_ids  # noqa: PLC0415

    ids = list_ids(connection)
    none = AudienceCounts(0, 0, 0, 0, 0, 0, 0)
    counts = audience_counts(connection, ids[one.key], now()) if one.key in ids else none
    return {"list": one.key, "name": one.name, "brand": one.brand, **asdict(counts)}


@lists_app.command(epilog="Example: mailer lists form main")
def form(name: Annotated[str, typer.Argument(metavar="NAME", help="The list.")]) -> None:
    """Print a sign-up form in HTML for your own site; it works without scripts."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.errors import Problem, UserError  # noqa: PLC0415
    from mailer.web.forms import embedded  # noqa: PLC0415

    place = workplace()
    key = one_list(place, name)
    one = place.settings.for_list(key)
    if not one.public_url:
        raise UserError(
            Problem("public_url is not set, so no form can reach this newsletter", key="public_url")
        )
    lines = embedded(one)
    emit({"list": key, "html": "\n".join(lines)})
    say_lines(lines)
