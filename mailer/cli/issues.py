"""mailer issues: what there is and what went out; old issues are declared sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.options import ListNamed, Yes
from mailer.cli.output import emit, note, say, table

if TYPE_CHECKING:
    from mailer.cli.gone import Gone
    from mailer.issue.find import Found
    from mailer.settings import ListSettings

app = typer.Typer(add_completion=False, invoke_without_command=True)


@app.callback(epilog="Example: mailer issues")
def issues(context: typer.Context, list_key: ListNamed = None) -> None:
    """Show what there is and what went out."""
    if context.invoked_subcommand is None:
        _show(list_key)


def _show(list_key: str | None) -> None:
    from mailer.cli.gone import gone_out  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.issue.find import list_issues  # noqa: PLC0415

    place = workplace()
    gone = gone_out(place)
    told = [
        _told(one, issue, gone)
        for one in place.lists(list_key)
        for issue in list_issues(place.folder, one.issues)
    ]
    for line in told:
        emit(line)
    rows = [
        (line["number"] or "", line["date"] or "", line["state"], line["list"], line["title"])
        for line in told
    ]
    if rows:
        table(rows, head=("no.", "date", "state", "list", "title"))
    else:
        globs = ", ".join(pattern for one in place.lists(list_key) for pattern in one.issues)
        say(f"no issues: nothing matches {globs}")


def _told(one: ListSettings, issue: Found, gone: Gone) -> dict[str, Any]:
    from mailer.cli.compiling import shown  # noqa: PLC0415

    mailings = gone.of(one.key, issue)
    return {
        "list": one.key,
        "number": issue.number,
        "slug": issue.slug,
        "title": issue.title,
        "date": issue.date.date().isoformat() if issue.date else None,
        "draft": issue.draft,
        "file": shown(issue.path),
        "problem": issue.problem,
        "state": _state(issue, mailings),
        "mailings": [{"mailing": mailing.name, "state": mailing.state} for mailing in mailings],
    }


def _state(issue: Found, mailings: list[Any]) -> str:
    """Give one word: the newest mailing's state, else what the file says of itself."""
    from mailer.delivery.declared import is_declared  # noqa: PLC0415

    if mailings:
        newest = mailings[-1]
        return "declared sent" if is_declared(newest) else str(newest.state)
    if issue.problem:
        return "unreadable"
    return "draft" if issue.draft else "new"


@app.command("mark-sent", epilog="Example: mailer issues mark-sent 1..71 --list main")
def mark_sent(
    which: Annotated[list[str], typer.Argument(metavar="ISSUE...", help="Numbers, slugs, paths, or 1..71.")],
    list_key: ListNamed = None,
    yes: Yes = False,
) -> None:
    """Declare issues sent that went out before this program did.

    `mailer send` then refuses them: without this, a slip of the finger would mail an issue of three years ago to
    everybody. Issues that have a mailing already are left alone. It asks first, since it cannot be undone.
    """
    from mailer.cli.declaring import declare_all, to_declare, unknown  # noqa: PLC0415
    from mailer.cli.output import confirm  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    every = to_declare(place, which, list_key)
    wanted = unknown(place, every)
    if wanted:
        names = f"{wanted[0].path} … {wanted[-1].path}" if len(wanted) > 1 else str(wanted[0].path)
        one = len(wanted) == 1
        what = "1 issue" if one else f"{len(wanted)} issues"
        confirm(f"Declare {what} sent ({names})? {'It' if one else 'They'} cannot be sent any more.", yes=yes)
    made = declare_all(place, wanted)
    emit({"declared": [mailing.name for mailing in made]})
    say(f"{len(made)} {'issue is' if len(made) == 1 else 'issues are'} declared sent")
    if len(made) < len(every):
        note(f"{len(every) - len(made)} known already")
