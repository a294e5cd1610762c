"""An import from beginning to end: batch after batch, in transactions of a tenth of a second.

With each transaction the database remembers how far the import is, so the same command goes on where a SIGKILL
or Ctrl-C ended it. A file that was taken in before changes nobody who is known, not even where it contradicts
itself or people have changed since: it has nothing new to say. A record that is unfit goes to the rejects and
stops nothing. A long file is read by a second process (apart.py), while this one writes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from subscribers.errors import BadFile, SubscribersError
from subscribers.exchange.apart import feed
from subscribers.exchange.foretelling import Foretold
from subscribers.exchange.reading import Job, columns_of
from subscribers.exchange.run import ImportResult, Run
from subscribers.exchange.source import read_table
from subscribers.exchange.survey import Survey, open_text, survey
from subscribers.exchange.target import Target
from subscribers.roster import list_row

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from pathlib import Path

    from subscribers.exchange.checkpoint import Connect
    from subscribers.exchange.columns import Columns
    from subscribers.exchange.run import Progress
    from subscribers.exchange.survey import Part

REVIVING = 25  # records at a time: each who is brought back costs a few milliseconds


def import_file(  # noqa: PLR0913 - all but two are named, and most are optional
    connect: Connect,
    path: Path,
    *,
    list_key: str,
    basis: str,
    now: datetime,
    hash_key: bytes,
    rejects: Path,
    mapping: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    dry_run: bool = False,
    surveyed: Survey | None = None,
    revive: bool = False,
    reviving: Callable[[str], None] | None = None,
) -> ImportResult:
    """Make the people of a file readers of a list, by a basis that is recorded for each.

    `connect` gives a connection in a transaction of its own, and is called once for each. `rejects` is a folder; the
    file in it is named by the import. `mapping` is {column: field or attribute, or - to leave it out}. `progress` is
    told records done and lines in all. `revive` brings back who left, complained or is dead, but nobody blocked, erased
    or moved; with `dry_run`, `reviving` is told the address of each. Raises BadFile before all else, and UnknownList.
    """
    basis = _stated(basis)
    facts = surveyed or survey(path)
    columns, left_out = _columns(facts, mapping)
    with connect() as connection:
        row = list_row(connection, list_key)
        target = Target(None, row.id, row.key, row.brand, basis, now, hash_key, revive=revive)
        run = Run(connect, facts, target, progress)
        run.begin(connection, _digest(facts, mapping, revive=revive), dry_run=dry_run)
    headers = {part.name: header for part, header, _ in columns}
    parts, size = tuple(part for part, *_ in columns), REVIVING if revive else None
    job = Job(str(facts.path), parts, hash_key, dict(mapping or {}), run.position, size)
    with run.rejects(rejects, headers) as out, feed(job, facts.lines) as source, Foretold() as foretold:
        if dry_run:
            run.foretell(source, foretold, reviving)
        else:
            run.go(source, out)
    return run.result(columns[0][2], out, left_out)


def _stated(basis: str) -> str:
    """Give the basis as it is recorded; raises SubscribersError where it says nothing."""
    if not basis.strip():
        raise SubscribersError("say by what right these people are mailed: the basis is empty")
    return basis.strip()


def _columns(
    facts: Survey, mapping: Mapping[str, str] | None
) -> tuple[list[tuple[Part, tuple[str, ...], Columns]], tuple[str, ...]]:
    """Understand the columns of each part before anything is done: (part, header, what it means).

    Of an archive what holds no people is left out, and named; raises BadFile where that is everything.
    """
    found: list[tuple[Part, tuple[str, ...], Columns]] = []
    refused: list[BadFile] = []
    left_out: list[str] = []
    for part in facts.parts:
        try:
            with open_text(facts.path, part) as stream:
                table = read_table(stream)
                found.append((part, table.header, columns_of(table, part, mapping)))
        except BadFile as error:
            refused.append(error)
            left_out.append(part.name)
    if not found:
        raise refused[0] if refused else BadFile(f"{facts.path} holds no table")
    return found, tuple(left_out)


def _digest(facts: Survey, mapping: Mapping[str, str] | None, *, revive: bool) -> str:
    """Give what tells that a command is the same: the file, how it is read, and whether it revives."""
    encodings = [part.encoding for part in facts.parts]
    told = f"{facts.digest} {encodings} {sorted((mapping or {}).items())}{' revive' * revive}"
    return hashlib.sha256(told.encode()).hexdigest()
