"""mailer suppressions: who is never mailed. Addresses are known by their hashes alone, so none can be listed."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.cli.options import ListNamed
from mailer.cli.output import emit, say, table
from mailer.cli.people import Email, changing, day, looking, now, refusals, some_list

app = typer.Typer(add_completion=False, help="Show and change who is never mailed.", no_args_is_help=True)


@app.command("list", epilog="Example: mailer suppressions list")
def list_them(
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="Of this address only.", show_default=False)
    ] = None,
    lifted: Annotated[bool, typer.Option("--lifted", help="Those that were lifted, too.")] = False,
) -> None:
    """Show what is in force, oldest first; with an address, what holds for it."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import address_hash, list_suppressions  # noqa: PLC0415

    place, after = workplace(), 0
    with looking(place) as connection:
        hash_ = address_hash(email, place.keys.suppression) if email else None
        while page := list_suppressions(connection, hash_=hash_, lifted=lifted, after=after):
            for each in page:
                emit(_plain(each))
            table([_row(each) for each in page])
            after = page[-1].id


def _plain(each: object) -> dict[str, object]:
    from dataclasses import asdict  # noqa: PLC0415

    return {**asdict(each), "hash": each.hash.hex()}  # type: ignore[call-overload,attr-defined]


def _row(each: object) -> list[object]:
    row = _plain(each)
    scope = f"{row['scope']} {row['scope_key']}".strip()
    end = f"lifted {day(row['lifted_at'])}" if row["lifted_at"] else ""  # type: ignore[arg-type]
    return [row["id"], str(row["hash"])[:12], scope, row["reason"], day(row["created_at"]), end]  # type: ignore[arg-type]


@app.command(epilog="Example: mailer suppressions add ann@example.org --why 'asked by telephone'")
def add(
    email: Email,
    list_named: ListNamed = None,
    why: Annotated[str | None, typer.Option(help="Noted beside it.", show_default=False)] = None,
) -> None:
    """Block an address, for one list or for everything, whether anybody has it or not; only `lift` ends that."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import block  # noqa: PLC0415

    place = workplace()
    list_key = some_list(place, list_named)
    with changing(place) as connection:
        key = place.keys.suppression
        block(connection, email, hash_key=key, list_key=list_key, now=now(), evidence=why)
    emit({"email": email, "scope": "list" if list_key else "everything", "list": list_key})
    say(f"{email} is not mailed again" + (f" by {list_key}" if list_key else ""))


@app.command(epilog="Example: mailer suppressions lift ann@example.org --why 'asked for it by mail'")
def lift(
    email: Email,
    why: Annotated[str, typer.Option(help="Noted beside it.")] = "lifted by hand",
) -> None:
    """Lift what forbids mail to an address, blocks by hand too. It makes nobody a reader who left."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from subscribers import address_hash  # noqa: PLC0415
    from subscribers import lift as lift_all  # noqa: PLC0415

    place = workplace()
    with changing(place) as connection, refusals():
        hash_ = address_hash(email, place.keys.suppression)
        count = lift_all(connection, hash_, now=now(), why=why, manual=True)
    emit({"email": email, "lifted": count})
    say(f"{email}: {count} lifted" if count else f"{email}: nothing to lift")
