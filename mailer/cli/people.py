"""What the commands about people share: lists by their names, people by their addresses, refusals as user errors."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from mailer.cli.workplace import Workplace
    from subscribers import Person

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The address, however it is written.")]


def now() -> datetime:
    """Give the moment at which the command acts."""
    return datetime.now(UTC)


@contextmanager
def refusals(file: Path | None = None) -> Iterator[None]:
    """Turn what the subscribers refuse into an error for a person; nothing was done."""
    from subscribers import SubscribersError  # noqa: PLC0415 - with the database

    try:
        yield
    except SubscribersError as error:
        line = getattr(error, "line", None)
        raise UserError(Problem(str(error), str(file) if file and line else None, line)) from None


@contextmanager
def changing(place: Workplace) -> Iterator[Connection]:
    """Give a connection that may write, on which every list of mailer.toml is known."""
    from mailer.database import writing  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from subscribers import ensure_lists  # noqa: PLC0415

    settings = place.settings
    brands = {key: one.brand or "" for key, one in settings.lists.items()}
    with writing(place.engine) as connection, refusals():
        ensure_lists(connection, settings.lists, now(), brands=brands)
        yield connection


@contextmanager
def looking(place: Workplace) -> Iterator[Connection]:
    """Give a connection that reads."""
    from mailer.database import reading  # noqa: PLC0415

    with reading(place.engine) as connection, refusals():
        yield connection


def one_list(place: Workplace, named: str | None) -> str:
    """Give the key of the list that was named; without a name the only list there is, never a guess."""
    if named is not None:
        return place.settings.for_list(named).key
    keys = sorted(place.settings.lists)
    if len(keys) == 1:
        return keys[0]
    raise UserError(
        Problem(f"which list? --list names one of: {', '.join(keys) or 'none is set up'}", key="list")
    )


def some_list(place: Workplace, named: str | None) -> str | None:
    """Give the key of the list that was named, or None for all of them."""
    return place.settings.for_list(named).key if named is not None else None


def the_person(connection: Connection, email: str) -> Person:
    """Find somebody by the address; raises UserError if nobody has it."""
    from subscribers import find  # noqa: PLC0415

    person = find(connection, email)
    if person is None:
        raise UserError(Problem(f"nobody here has the address {email}", key="email"))
    return person


def day(moment: datetime | None) -> str:
    """Give a moment as a day and a time, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


def pairs(given: list[str] | None, what: str) -> dict[str, str]:
    """Give what was written as KEY=VALUE, several times."""
    for each in given or ():
        if "=" not in each:
            raise typer.BadParameter(f"{each}: an {what} is written KEY=VALUE")
    return dict(each.split("=", 1) for each in given or ())


def moment_of(text: str | None) -> datetime | None:
    """Give the moment that was written as a date; without a zone it is UTC's."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text} is no date; write 2026-09-01 or 2026-09-01T08:00+02:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
