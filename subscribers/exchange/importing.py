"""An import from beginning to end: chunks of a thousand records, one short transaction each.

With each chunk the database remembers how far the import is, so the same command goes on where a SIGKILL or
Ctrl-C ended it; and since a record that is known changes nothing, doing it again from the start would harm
nobody either. A record that is unfit goes to the rejects and stops nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from subscribers.errors import BadFile, SubscribersError
from subscribers.exchange.columns import Columns, understand
from subscribers.exchange.intake import Candidate, Intake, Unfit
from subscribers.exchange.merge import merge
from subscribers.exchange.rejects import Rejects
from subscribers.exchange.source import Record, Table, read_table
from subscribers.exchange.survey import Part, Survey, open_text, survey
from subscribers.exchange.target import Target
from subscribers.exchange.verdict import Verdict
from subscribers.roster import list_row
from subscribers.status import ImportState
from subscribers.tables import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path
    from typing import TypeAlias

    from sqlalchemy import Connection

    Connect: TypeAlias = Callable[[], AbstractContextManager[Connection]]
    Progress: TypeAlias = Callable[[int, int], None]

CHUNK = 1000
REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `dry_run` would do.

    `refused` says of how many nothing came, by reason.
    `added` are new people, `joined` known ones who are new on this list. `rejects` is the file of the
    `rejected` records, if there are any. `columns` says in words how the columns were understood.
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

    `connect` gives a connection in a transaction of its own, and is called once for each chunk. `rejects` is
    a folder; the file in it is named by the import. `mapping` is {column: field or attribute, or - to leave
    it out}. `progress` is told records done and lines in all. Raises BadFile before anything is done, and
    UnknownList.
    """
    if not basis.strip():
        raise SubscribersError("say by what right these people are mailed: the basis is empty")
    facts = surveyed or survey(path)
    first = _columns_of_first(facts, mapping)
    run = _Run(connect, facts, mapping, progress)
    with connect() as connection:
        row = list_row(connection, list_key)
        target = Target(None, row.id, row.key, row.brand, basis.strip(), now, hash_key)
        if not dry_run:
            target = run.begin(connection, target)
    with Rejects(rejects / f"import-{target.import_id}.csv", run.rejected_octets) as out:
        run.go(target, out)
        run.finish(target)
    return run.result(target, first, out, dry_run=dry_run)


def _columns_of_first(facts: Survey, mapping: Mapping[str, str] | None) -> Columns:
    """Understand the columns of each part before anything is done; give those of the first."""
    found = []
    for part in facts.parts:
        with open_text(facts.path, part) as stream:
            table = read_table(stream)
            found.append(_understand(table, part, mapping))
    if not found:
        raise BadFile(f"{facts.path} holds no table")
    return found[0]


def _understand(table: Table, part: Part, mapping: Mapping[str, str] | None) -> Columns:
    try:
        return understand(table.header, part.name, mapping, kind=table.kind)
    except BadFile as error:
        raise BadFile(f"{part.name}: {error}", error.line) from None


class _Run:
    """One run over a file: where it is, and what it has counted."""

    def __init__(
        self, connect: Connect, facts: Survey, mapping: Mapping[str, str] | None, progress: Progress | None
    ) -> None:
        self._connect = connect
        self._facts = facts
        self._mapping = mapping
        self._progress = progress
        self._counts: Counter[str] = Counter()
        self._position = 0
        self._seen: set[bytes] = set()  # addresses, where they are only counted
        self.rejected_octets = 0

    def begin(self, connection: Connection, target: Target) -> Target:
        """Take up the import of this file that was not finished, or write down a new one."""
        same = (
            imports.c.digest == self._facts.digest,
            imports.c.list_id == target.list_id,
            imports.c.basis == target.basis,
            imports.c.state == ImportState.RUNNING,
        )
        found = connection.execute(select(imports).where(*same).order_by(imports.c.id.desc())).first()
        if found is not None:
            self._counts.update(found.counts)
            self._position, self.rejected_octets = found.position, found.rejected_octets
            return replace(target, import_id=found.id)
        row = {
            "file": self._facts.path.name,
            "digest": self._facts.digest,
            "list_id": target.list_id,
            "basis": target.basis,
            "state": ImportState.RUNNING,
            "counts": {},
            "started_at": target.now,
        }
        made = connection.execute(insert(imports).values(row).returning(imports.c.id)).scalar_one()
        return replace(target, import_id=made)

    def go(self, target: Target, out: Rejects) -> None:
        """Take in every part, but for what was taken in before."""
        skip = self._position
        for part in self._facts.parts:
            with open_text(self._facts.path, part) as stream:
                table = read_table(stream)
                out.part(table.header)
                intake = Intake(_understand(table, part, self._mapping), self._mapping)
                if skip:
                    skip -= sum(1 for _ in islice(table.records, skip))
                for records in _chunks(table.records):
                    self._take(intake, records, target, out)

    def _take(
        self, intake: Intake, records: Sequence[tuple[int, Record]], target: Target, out: Rejects
    ) -> None:
        candidates: list[Candidate] = []
        for line, record in records:
            try:
                candidates.append(intake.read(line, record))
            except Unfit as reason:
                self._counts[REJECTED] += 1
                if target.import_id is not None:
                    out.add(line, str(reason), record)
        self._position += len(records)
        if target.import_id is None:
            candidates = self._first_seen(candidates, target.hash_key)
        self._counts.update(self._merged(candidates, target, out))
        if self._progress:
            self._progress(self._position, self._facts.lines)

    def _first_seen(self, candidates: list[Candidate], hash_key: bytes) -> list[Candidate]:
        """Leave out those whom an earlier record would have made known."""
        fresh = []
        for candidate in candidates:
            short = candidate.address.hash(hash_key)[:8]
            if short in self._seen:
                self._counts[Verdict.UNCHANGED] += 1
            else:
                self._seen.add(short)
                fresh.append(candidate)
        return fresh

    def _merged(self, candidates: list[Candidate], target: Target, out: Rejects) -> Counter[Verdict]:
        for attempt in range(5):
            try:
                with self._connect() as connection:
                    counts = merge(connection, candidates, target)
                    self._remember(connection, target, counts, out)
                    return counts
            except IntegrityError:
                # Somebody signed up between our question and our answer: asked again, they are known.
                if attempt == 4:
                    raise
        raise AssertionError

    def _remember(
        self, connection: Connection, target: Target, counts: Mapping[Any, int], out: Rejects
    ) -> None:
        if target.import_id is None:
            return
        values = {
            "counts": {str(name): count for name, count in (self._counts + Counter(counts)).items()},
            "position": self._position,
            "rejected_octets": out.octets,
        }
        connection.execute(update(imports).where(imports.c.id == target.import_id).values(values))

    def finish(self, target: Target) -> None:
        """Write down that the end was reached."""
        if target.import_id is None:
            return
        with self._connect() as connection:
            done = {"state": ImportState.DONE, "finished_at": target.now}
            connection.execute(update(imports).where(imports.c.id == target.import_id).values(done))

    def result(self, target: Target, columns: Columns, out: Rejects, *, dry_run: bool) -> ImportResult:
        """Sum up."""
        counts = {str(name): count for name, count in self._counts.items()}
        plain = {name: counts.pop(name, 0) for name in ("added", "joined", "updated", "unchanged", REJECTED)}
        return ImportResult(
            id=target.import_id,
            records=self._position,
            **plain,
            refused=counts,
            rejects=out.path if plain[REJECTED] and not dry_run else None,
            tool=columns.tool,
            columns=str(columns),
            dry_run=dry_run,
        )


def _chunks(records: Iterator[tuple[int, Record]]) -> Iterator[list[tuple[int, Record]]]:
    while chunk := list(islice(records, CHUNK)):
        yield chunk
