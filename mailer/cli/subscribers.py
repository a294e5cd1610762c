"""mailer subscribers: add, find, change, import and export the people."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.options import LARGEST_ID, ListNamed, SegmentNamed, Yes
from mailer.cli.output import emit, note, say, say_lines, table
from mailer.cli.people import Email, changing, looking, moment_of, now, one_list, pairs, some_list, the_person

if TYPE_CHECKING:
    from mailer.cli.workplace import Workplace

app = typer.Typer(add_completion=False, help="Add, find, import and export the people.", no_args_is_help=True)

MANY = 1000  # records that an import takes in without asking

PeopleFile = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="CSV, TSV, JSON lines, or another tool's ZIP.", show_default=False),
]
Columns = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is; FIELD - leaves it out."),
]


@app.command(epilog='Example: mailer subscribers add ann@example.org --name "Ann" --basis "asked by mail"')
def add(  # noqa: PLR0913, PLR0917 - each is a flag of the command line
    email: Email,
    list_named: ListNamed = None,
    name: Annotated[str, typer.Option(help="How the person is called.")] = "",
    language: Annotated[str | None, typer.Option(help="Such as de or pt-BR.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="Such as Europe/Vienna.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given several times.")] = None,
    attribute: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="An attribute; may be given several times.")
    ] = None,
    basis: Annotated[
        str, typer.Option(help="By what right they are mailed; it is recorded.")
    ] = "added by hand",
    revive: Annotated[
        bool, typer.Option(help="Even if they left, complained or their address was dead.")
    ] = False,
    ask: Annotated[
        bool, typer.Option("--ask", help="Ask them by a letter; they read once their mailbox has confirmed.")
    ] = False,
) -> None:
    """Make someone an active reader of a list, by your word, or ask them first.

    Who left, complained or is dead is not brought back, unless --revive says so, and then that is recorded; with --ask
    they may come back by themselves.
    """
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    list_key = one_list(place, list_named)
    if ask:
        if revive or tag or attribute or time_zone:
            raise typer.BadParameter("--ask goes with --name, --language and --basis alone")
        from mailer.cli import asking  # noqa: PLC0415

        asking.ask(place, email, list_key, basis, name=name, language=language)
        return
    given = {"name": name, "language": language, "time_zone": time_zone, "tags": tag or (), "revive": revive}
    _add(place, email, list_key, basis=basis, attributes=pairs(attribute, "attribute"), **given)


def _add(place: Workplace, email: str, list_key: str, **given: Any) -> None:
    """Add a person by the operator's word, record it where they were no reader, and say so."""
    from mailer.events import person as actor  # noqa: PLC0415
    from mailer.events import record  # noqa: PLC0415
    from subscribers import add as add_person  # noqa: PLC0415
    from subscribers import find  # noqa: PLC0415

    key = place.keys.suppression
    with changing(place) as connection:
        before = find(connection, email)
        person = add_person(connection, email=email, list_key=list_key, now=now(), hash_key=key, **given)
        known = before and before.subscription(list_key)
        if not known or known.state not in {"active", "paused"}:
            record(connection, "reader.added", str(person.id), now(), actor(), lists=[list_key], how="cli")
    emit(person)
    say(f"{person.email} reads {list_key}")


@app.command(epilog="Example: mailer subscribers show ann@example.org --json")
def show(email: Email) -> None:
    """Show all that is held about a person, and by what right they are mailed."""
    from mailer.cli.receipt import lines  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.privacy import held  # noqa: PLC0415

    place = workplace()
    with looking(place) as connection:
        person = held(connection, the_person(connection, email).id)
    emit(person)
    say_lines(lines(person))


@app.command("list", epilog="Example: mailer subscribers list --list main --state paused")
def list_people(
    list_named: ListNamed = None,
    state: Annotated[
        str | None, typer.Option(help="pending, active, paused or unsubscribed.", show_default=False)
    ] = None,
    tag: Annotated[str | None, typer.Option(help="Only who bears this tag.", show_default=False)] = None,
    limit: Annotated[int | None, typer.Option(help="The first so many.", min=1, show_default=False)] = None,
) -> None:
    """List people in the order they came; all of them, unless told otherwise."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import people  # noqa: PLC0415

    place = workplace()
    list_key = some_list(place, list_named)
    after, left = 0, limit if limit is not None else -1
    with looking(place) as connection:
        while left:
            size = min(left, 1000) if left > 0 else 1000
            page = people(connection, list_key=list_key, state=state, tag=tag, after=after, limit=size)
            if not page:
                break
            for person in page:
                emit(person)
            table([_row(person) for person in page])
            after, left = page[-1].id, left - len(page)


def _row(person: Any) -> list[object]:
    where = ", ".join(f"{each.list_key}: {each.state}" for each in person.subscriptions)
    return [person.id, person.email, person.name, where, " ".join(person.tags)]


@app.command(epilog="Example: mailer subscribers tag ann@example.org --add beta --remove trial")
def tag(
    email: Email,
    add: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Put this tag on.")] = None,
    remove: Annotated[list[str] | None, typer.Option(metavar="TAG", help="Take this tag off.")] = None,
) -> None:
    """Put tags on someone and take others off."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import tag as tag_person  # noqa: PLC0415

    with changing(workplace()) as connection:
        person = the_person(connection, email)
        person = tag_person(connection, person.id, now(), add=add or (), remove=remove or ())
    emit(person)
    say(f"{person.email}: {', '.join(person.tags) or 'no tags'}")


@app.command(epilog="Example: mailer subscribers pause ann@example.org --until 2026-09-01")
def pause(
    email: Email,
    list_named: ListNamed = None,
    until: Annotated[
        str | None,
        typer.Option(metavar="DATE", help="Until this day; else until resumed.", show_default=False),
    ] = None,
) -> None:
    """Hold mail to someone back, for one list or all."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import pause as pause_person  # noqa: PLC0415

    place = workplace()
    with changing(place) as connection:
        person, moment = the_person(connection, email), moment_of(until)
        done = pause_person(connection, person.id, some_list(place, list_named), now(), "cli", moment)
    _tell(person.email, "paused", done)


@app.command(epilog="Example: mailer subscribers resume ann@example.org")
def resume(email: Email, list_named: ListNamed = None) -> None:
    """End a pause, for one list or all."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import resume as resume_person  # noqa: PLC0415

    place = workplace()
    with changing(place) as connection:
        person = the_person(connection, email)
        done = resume_person(connection, person.id, some_list(place, list_named), now(), "cli")
    _tell(person.email, "resumed", done)


@app.command(epilog="Example: mailer subscribers move ann@example.org ann@example.com")
def move(
    email: Email,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The new address.")],
) -> None:
    """Let someone's mail go to another address; what they chose goes with them."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import move as move_person  # noqa: PLC0415

    place = workplace()
    with changing(place) as connection:
        person = the_person(connection, email)
        key = place.keys.suppression
        moved = move_person(connection, person.id, new, now=now(), hash_key=key, how="cli")
    emit(moved)
    say(f"{person.email} is now {moved.email}")


@app.command(epilog="Example: mailer subscribers unsubscribe ann@example.org --list main")
def unsubscribe(email: Email, list_named: ListNamed = None) -> None:
    """Take someone off one list, or off all; in force at once, for mailings on their way too."""
    from mailer.cli.leaving import take_off  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    known, done = take_off(place, email, some_list(place, list_named))
    _tell(known, "unsubscribed", done)


def _tell(email: str | None, what: str, lists: tuple[str, ...]) -> None:
    emit({"email": email, what: list(lists)})
    say(f"{email} {what}: {', '.join(lists)}" if lists else f"{email}: nothing to do")


@app.command(epilog="Example: mailer subscribers erase ann@example.org")
def erase(email: Email, yes: Yes = False) -> None:
    """Forget a person for good, or an address that only a letter or a file of rejects remembers.

    All that is held of them goes; a hash of the address stays, so that it is never mailed again, and the counts of what
    was sent stay true. Backups made before still hold them.
    """
    from mailer.cli.leaving import forget  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    forget(workplace(), email, yes=yes)


@app.command(
    "import", epilog='Example: mailer subscribers import people.csv --basis "sign-up form, 2019-2025"'
)
def import_people(  # noqa: PLR0913, PLR0917 - each is a flag of the command line
    file: PeopleFile = None,
    list_named: ListNamed = None,
    basis: Annotated[str, typer.Option(help="By what right these people are mailed; it is recorded.")] = "",
    column: Columns = None,
    encoding: Annotated[
        str | None, typer.Option(help="Such as cp1250, where it cannot be told.", show_default=False)
    ] = None,
    undo: Annotated[
        int | None,
        typer.Option(metavar="ID", help="Take this import back.", max=LARGEST_ID, show_default=False),
    ] = None,
    revive: Annotated[
        bool,
        typer.Option("--revive", help="Bring back who left, complained or is dead; names them and asks."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen, and do nothing.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Make the people of a file readers of a list.

    A bad row goes to a file of rejects and stops nothing. Stopped on the way, the same command goes on. Nobody who
    left, complained or is dead is brought back without --revive.
    """
    from mailer.cli import exchange  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    if undo is not None:
        exchange.undo(place, undo, yes=yes)
    else:
        mapping = pairs(column, "mapping")
        wishes = exchange.Wishes(one_list(place, list_named), basis, mapping, encoding, revive)
        exchange.bring_in(place, file, wishes, dry_run=dry_run, yes=yes, many=MANY)


@app.command("export", epilog="Example: mailer subscribers export --list main --out main.csv")
def export_people(
    list_named: ListNamed = None,
    segment: SegmentNamed = None,
    state: Annotated[
        str | None, typer.Option(help="pending, active, paused or unsubscribed.", show_default=False)
    ] = None,
    kind: Annotated[str, typer.Option("--format", help="csv, or jsonl for JSON lines.")] = "csv",
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write; else stdout.", show_default=False)
    ] = None,
) -> None:
    """Write everyone of a list with all that is needed to leave for another tool; it can be imported as it is."""
    from mailer.cli import exporting  # noqa: PLC0415
    from mailer.cli.workplace import workplace  # noqa: PLC0415

    place = workplace()
    if kind not in {"csv", "jsonl"}:
        raise typer.BadParameter(f"{kind}: --format is csv or jsonl")
    choice = exporting.Choice(one_list(place, list_named), state, segment)
    count = exporting.write_out(place, choice, kind, out)
    note(f"{count:,} people" + (f" in {out}" if out else ""))
