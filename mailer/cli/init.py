"""mailer init: a folder becomes a newsletter. Run again, it makes what is missing and overwrites nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mailer.cli.options import Yes
from mailer.cli.output import emit, note, say

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: mailer init ~/newsletter --yes")
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The folder; made if it is not there.")
    ] = Path(),
    yes: Yes = False,
) -> None:
    """Make a newsletter in a folder.

    Asks for a name, an address and where the newsletter stands on the web; with --yes it asks nothing and writes
    placeholders, which `mailer check` names until they are replaced. In a Jekyll or Hugo repository it takes the
    answers from the site's own configuration. Nothing is ever overwritten.
    """
    from mailer.cli.founding import found  # noqa: PLC0415 - loads the database

    founded = found(folder, yes=yes)
    emit(founded)
    for name in founded["made"]:
        say(f"made {name}")
    if not founded["made"]:
        say(f"{folder.resolve()} is a newsletter already: nothing to do")
    for hint in founded["hints"]:
        note(hint)
