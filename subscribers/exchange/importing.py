"""An import from beginning to end: batch after batch, in transactions of a tenth of a second.

With each transaction the database remembers how far the import is, so the same command goes on where a SIGKILL
or Ctrl-C ended it; and since a record that is known changes nothing, doing it again from the start would harm
nobody either. A record that is unfit goes to the rejects and stops nothing. A long file is read by a second
process (apart.py), while this one writes.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from subscribers.errors import BadFile, SubscribersError
from subscribers.exchange.apart import feed
from subscribers.exchange.checkpoint import Checkpoints
from subscribers.exchange.foretelling import Foretold
from subscribers.exchange.merge import merge
from subscribers.exchange.reading import Job, columns_of
from subscribers.exchange.rejects import Rejects
from subscribers.exchange.source import read_table
from subscribers.exchange.survey import Survey, open_text, survey
from subscribers.exchange.target import Target
from subscribers.roster import list_row
from subscribers.status import ImportState
from subscribers.tables import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from typing import TypeAlias

    from sqlalchemy import Connection

    from subscribers.exchange.apart import Feed
    from subscribers.exchange.columns import Columns
    from subscribers.exchange.reading import Batch
    from subscribers.exchange.survey import Part

    Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]
    Progress: TypeAlias = Callable[[int, int], None]

SPAN = 0.06  # seconds after which a transaction takes no further batch
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `dry_run` would do.

    `refused` says of how many nothing came, by reason.
    `added` are new people, `joined` known ones who are new on this list. `rejects` is the file of the
    `rejected` records, if there are any. `columns` says in words how the columns were understood,
    `left_out` names the tables of an archive that hold no people.
    """

    id: int | None
    records: int
    added: int
    joined: int
    updated: int
    unchanged: int
    rejected: int
    refused: Mapping[str, int]
    rejects: Path | None
    tool: str | None
    columns: str
    dry_run: bool = False
    left_out: tuple[str, ...] = ()


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
) -> ImportResult:
    """Make the people of a file readers of a list, by a basis that is recorded for each.

    `connect` gives a connection in a transaction of its own, and is called once for each. `rejects` is a
    folder; the file in it is named by the import. `mapping` is {column: field or attribute, or - to leave
    it out}. `progress` is told records done and lines in all. Raises BadFile before anything is done, and
    UnknownList.
    """
    if not basis.strip():
        raise SubscribersError("say by what right these people are mailed: the basis is empty")
    facts = surveyed or survey(path)
    columns, left_out = _columns(facts, mapping)
    with connect() as connection:
        row = list_row(connection, list_key)
        target = Target(None, row.id, row.key, row.brand, basis.strip(), now, hash_key)
        run = _Run(connect, facts, target, progress)
        if not dry_run:
            run.begin(connection, _digest(facts, mapping))
    headers = {part.name: header for part, header, _ in columns}
    parts = tuple(part for part, *_ in columns)
    job = Job(str(facts.path), parts, hash_key, dict(mapping or {}), run.position)
    with run.rejects(rejects, headers) as out, feed(job, facts.lines) as source, Foretold() as foretold:
        if dry_run:
            run.foretell(source, foretold)
        else:
            run.go(source, out)
    return run.result(columns[0][2], out, left_out)


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


def _digest(facts: Survey, mapping: Mapping[str, str] | None) -> str:
    """Give what tells that a command is the same: the file, and how it is read."""
    encodings = [part.encoding for part in facts.parts]
    told = f"{facts.digest} {encodings} {sorted((mapping or {}).items())}"
    return hashlib.sha256(told.encode()).hexdigest()


class _Run:
    """One run over a file: where it is, and what it has counted."""

    def __init__(self, connect: Connect, facts: Survey, target: Target, progress: Progress | None) -> None:
        self._connect = connect
        self._facts = facts
        self._target = target
        self._progress = progress
        self._counts: Counter[str] = Counter()
        self._rejected_octets = 0
        self.position = 0

    def begin(self, connection: Connection, digest: str) -> None:
        """Take up the import of this file that was not finished, or write down a new one."""
        target = self._target
        same = (
            imports.c.digest == digest,
            imports.c.list_id == target.list_id,
            imports.c.basis == target.basis,
            imports.c.state == ImportState.RUNNING,
        )
        found = connection.execute(select(imports).where(*same).order_by(imports.c.id.desc())).first()
        if found is not None:
            self._counts.update(found.counts)
            self.position, self._rejected_octets = found.position, found.rejected_octets
            self._target = replace(target, import_id=found.id)
            return
        row = {
            "file": self._facts.path.name,
            "digest": digest,
            "list_id": target.list_id,
            "basis": target.basis,
            "state": ImportState.RUNNING,
            "counts": {},
            "started_at": target.now,
        }
        made = connection.execute(insert(imports).values(row).returning(imports.c.id)).scalar_one()
        self._target = replace(target, import_id=made)

    def rejects(self, folder: Path, headers: Mapping[str, Sequence[str]]) -> Rejects:
        """Give the file of rejects."""
        return Rejects(folder / f"import-{self._target.import_id}.csv", self._rejected_octets, headers)

    def go(self, source: Feed, out: Rejects) -> None:
        """Take everything in."""
        with Checkpoints.during(self._connect) as connect:
            while first := source.next():
                self._take(connect, first, source, out)
                self._tell()
        with self._connect() as connection:
            done = {"state": ImportState.DONE, "finished_at": self._target.now}
            mine = imports.c.id == self._target.import_id
            connection.execute(update(imports).where(mine).values(done))

    def _take(self, connect: Connect, first: Batch, source: Feed, out: Rejects) -> None:
        """Take in as many batches as one transaction may last, none of which has to be waited for."""
        taken: list[Batch] = []
        for attempt in range(5):
            try:
                with connect() as connection:
                    counts = self._merged(connection, first, taken, source)
                    for batch in taken:
                        out.add(batch.unfit)
                    self._remember(connection, counts, taken, out)
            except IntegrityError:
                # Somebody signed up between our question and our answer: asked again, they are known.
                if attempt == 4:
                    raise
                self._rejected_octets = out.back(self._rejected_octets)
            else:
                self._counts += counts
                self.position += sum(batch.records for batch in taken)
                self._rejected_octets = out.octets
                return

    def _merged(self, connection: Connection, first: Batch, taken: list[Batch], source: Feed) -> Counter[str]:
        """Merge the batches that an attempt before has taken, or else as many as there is time for."""
        counts: Counter[str] = Counter()
        until = time.monotonic() + SPAN
        if not taken:
            taken.append(first)
        for batch in taken:  # which grows
            counts.update(merge(connection, batch.fit, self._target))
            counts[REJECTED] += len(batch.unfit)
            if batch is taken[-1] and time.monotonic() < until and source.ready():
                following = source.next()
                taken += [following] if following else []
        return counts

    def _remember(
        self, connection: Connection, counts: Counter[str], taken: Sequence[Batch], out: Rejects
    ) -> None:
        values = {
            "counts": {str(name): count for name, count in (self._counts + counts).items()},
            "position": self.position + sum(batch.records for batch in taken),
            "rejected_octets": out.settle(),
        }
        mine = imports.c.id == self._target.import_id
        connection.execute(update(imports).where(mine).values(values))

    def _tell(self) -> None:
        if self._progress:
            self._progress(self.position, self._facts.lines)

    def foretell(self, source: Feed, foretold: Foretold) -> None:
        """Count what would become of everybody, and write nothing."""
        while batch := source.next():
            fresh = foretold.first_seen(batch.fit)
            with self._connect() as connection:
                self._counts.update(merge(connection, fresh, self._target))
            self._counts[REJECTED] += len(batch.unfit)
            self._counts["unchanged"] += len(batch.fit) - len(fresh)
            self.position += batch.records
            self._tell()

    def result(self, columns: Columns, out: Rejects, left_out: tuple[str, ...]) -> ImportResult:
        """Sum up."""
        counts = {str(name): count for name, count in self._counts.items() if count}
        plain = {name: counts.pop(name, 0) for name in ("added", "joined", "updated", "unchanged", REJECTED)}
        dry_run = self._target.import_id is None
        return ImportResult(
            id=self._target.import_id,
            records=self.position,
            **plain,
            refused=counts,
            rejects=out.path if plain[REJECTED] and not dry_run else None,
            tool=columns.tool,
            columns=str(columns),
            dry_run=dry_run,
            left_out=left_out,
        )
