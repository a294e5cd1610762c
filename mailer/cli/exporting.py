"""How people leave in files, as the command line sees it: who of a list, as what, and into which file."""

from __future__ import annotations

import json
import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from typing import IO, TYPE_CHECKING, Any

from mailer.cli.people import looking, now
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Select

    from mailer.cli.workplace import Workplace


@dataclass(frozen=True, slots=True)
class Choice:
    """Who of a list is exported."""

    list_key: str
    state: str | None = None
    segment: str | None = None


def write_out(place: Workplace, choice: Choice, kind: str, out: Path | None) -> int:
    """Export a list, or some of it; give how many people."""
    from subscribers import export_columns, export_rows, write_csv  # noqa: PLC0415 - SQLAlchemy costs 150 ms

    with looking(place) as connection:
        only = _segment(place, connection, choice.list_key, choice.segment) if choice.segment else None
        rows = export_rows(connection, choice.list_key, state=choice.state, only=only, now=now())
        columns = export_columns(connection, choice.list_key) if kind == "csv" else ()
        first = next(rows, None)  # what is refused is refused before a file is emptied for it
        everyone = chain(() if first is None else (first,), rows)
        with _target(out) as stream:
            if kind == "csv":
                return write_csv(stream, columns, everyone)
            count = 0
            for count, row in enumerate(everyone, 1):  # noqa: B007 - the count is the result
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            return count


def _segment(place: Workplace, connection: Connection, list_key: str, segment: str) -> Select[Any]:
    """Give the ids of those of the list who would get an issue that is sent to the segment."""
    from sqlalchemy import select  # noqa: PLC0415

    from mailer.delivery.segments import segments_of  # noqa: PLC0415
    from subscribers import audience, list_ids  # noqa: PLC0415

    moment = now()
    readers = audience(list_ids(connection)[list_key], moment)
    narrow = segments_of(place.settings)
    chosen = narrow(readers, narrow.freeze(segment, list_key, moment)).subquery()
    return select(chosen.c.subscriber_id)


@contextmanager
def _target(out: Path | None) -> Iterator[IO[str]]:
    """Give stdout, or a file that only its owner may read: it holds everybody's address. Both are UTF-8.

    In the encoding of somebody's terminal names would change on their way into a file.
    """
    if out is None:
        reconfigure = getattr(sys.stdout, "reconfigure", None)
        if reconfigure:
            reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    try:
        descriptor = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UserError(Problem(f"cannot be written: {error.strerror}", str(out))) from None
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
        yield stream
