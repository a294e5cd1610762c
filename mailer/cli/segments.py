"""mailer segments: the conditions that segments.toml names, what they say, and whom they select."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from mailer.cli.options import ListNamed
from mailer.cli.output import emit, note, say, table
from mailer.cli.people import looking, now, one_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Select

    from mailer.delivery.segments import Book, Segments
    from mailer.errors import Problem

_SAMPLE = 10

app = typer.Typer(
    add_completion=False, help="Show the segments and whom they select.", invoke_without_command=True
)


@app.callback(epilog="Example: mailer segments")
def segments(context: typer.Context, list_key: ListNamed = None) -> int:
    """Show the segments and whom they select.

    Exit 1 if segments.toml holds a mistake.
    """
    return 0 if context.invoked_subcommand else _every(list_key)


def _every(list_key: str | None) -> int:
    from mailer.cli.workplace import workplace  # noqa: PLC0415 - SQLAlchemy costs 150 ms
    from mailer.delivery.segments import Segments  # noqa: PLC0415

    place = workplace()
    mine, moment = Segments(place.settings), now()
    book = mine.book()
    problems = list(mine.problems(moment))
    with looking(place) as connection:
        rows = list(_rows(connection, mine, book, [one.key for one in place.lists(list_key)], moment))
    for row in rows:
        emit(row)
    if rows:
        table(
            [[row["segment"], row["list"], _count(row), row["text"]] for row in rows],
            ("segment", "list", "readers", "text"),
        )
    elif not problems:
        say("No segments: segments.toml names none.")
    _tell(problems)
    return 1 if problems else 0


def _count(row: dict[str, Any]) -> str:
    return "" if row["readers"] is None else f"{row['readers']:,}"


def _tell(problems: Sequence[Problem]) -> None:
    for problem in problems:
        note(str(problem), style="error")


def _rows(
    connection: Connection, mine: Segments, book: Book, keys: Sequence[str], moment: datetime
) -> Iterator[dict[str, Any]]:
    """Give each segment with the readers that it has on each list; None where its text is wrong."""
    from subscribers import SegmentError  # noqa: PLC0415

    for name, text in book.texts.items():
        for key in keys:
            row = {"segment": name, "list": key, "text": " ".join(text.split())}
            try:
                readers = _readers(connection, mine, key, mine.frozen(book, name, key, moment), moment)
                yield {**row, "readers": _counted(connection, readers), "error": None}
            except SegmentError as error:
                yield {**row, "readers": None, "error": str(error)}


def _readers(
    connection: Connection, mine: Segments, key: str, condition: str, moment: datetime
) -> Select[Any] | None:
    """Give the readers of a list who are in the segment, or None for a list that nobody ever joined."""
    from subscribers import audience, list_ids  # noqa: PLC0415

    list_id = list_ids(connection).get(key)
    return None if list_id is None else mine(audience(list_id, moment), condition, whole=True)


def _counted(connection: Connection, readers: Select[Any] | None) -> int:
    from sqlalchemy import func, select  # noqa: PLC0415

    if readers is None:
        return 0
    return connection.execute(select(func.count()).select_from(readers.subquery())).scalar_one()


@app.command(epilog="Example: mailer segments show beta --sample 20")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The segment.")],
    list_key: ListNamed = None,
    sample: Annotated[int, typer.Option("--sample", min=0, max=1000, help="Show so many readers.")] = _SAMPLE,
) -> None:
    """Show what a segment says and whom of a list it selects, newest readers first."""
    from mailer.cli.workplace import workplace  # noqa: PLC0415
    from mailer.delivery.segments import Segments  # noqa: PLC0415

    place = workplace()
    mine, moment, key = Segments(place.settings), now(), one_list(place, list_key)
    condition = mine.freeze(name, key, moment)
    text = mine.book().texts[name].strip()
    with looking(place) as connection:
        readers = _readers(connection, mine, key, condition, moment)
        count, few = _counted(connection, readers), _sample(connection, readers, sample)
        doubts = mine.doubts(connection, condition)
    told = {"segment": name, "list": key, "text": text, "condition": condition, "readers": count}
    emit({**told, "sample": few, "doubts": doubts})
    say(f"{name}: {text}", style="strong")
    say(f"now   {condition}")
    say(
        f"{count:,} reader{'' if count == 1 else 's'} of {key}"
        + (", the newest:" if 0 < len(few) < count else "")
    )
    for one in few:
        say(f"  {one['email']}  {one['name']}".rstrip())
    for doubt in doubts:
        note(doubt, style="warning")


def _sample(connection: Connection, readers: Select[Any] | None, most: int) -> list[dict[str, Any]]:
    from subscribers import readers as known  # noqa: PLC0415

    if readers is None or not most:
        return []
    newest = readers.order_by(readers.selected_columns.subscriber_id.desc()).limit(most)
    rows = connection.execute(newest).all()
    people = known(connection, [row.subscriber_id for row in rows], with_attributes=False)
    return [{"email": row.email, "name": people[row.subscriber_id].name} for row in rows]
