"""One run over a file: where it is, what it has counted, and what it says at its end.

A transaction takes as many batches as a tenth of a second allows, and remembers with them how far the run is.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from subscribers.exchange.checkpoint import Checkpoints
from subscribers.exchange.merge import merge
from subscribers.exchange.rejects import Rejects
from subscribers.exchange.turns import take_turn
from subscribers.status import ImportState
from subscribers.tables import imports

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from sqlalchemy import Connection, Row

    from subscribers.exchange.apart import Feed
    from subscribers.exchange.checkpoint import Connect
    from subscribers.exchange.columns import Columns
    from subscribers.exchange.foretelling import Foretold
    from subscribers.exchange.reading import Batch
    from subscribers.exchange.survey import Survey
    from subscribers.exchange.target import Target

    Progress: TypeAlias = Callable[[int, int], None]

SPAN = 0.06  # seconds after which a transaction takes no further batch
REJECTED = "rejected"
REPEATED = "repeat of"
"""What the counts of an import call the id of the one before it that took in the same file."""


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or with `dry_run` would do.

    `refused` says of how many nothing came, by reason.
    `added` are new people, `joined` known ones who are new on this list. `rejects` is the file of the
    `rejected` records, if there are any. `columns` says in words how the columns were understood,
    `left_out` names the tables of an archive that hold no people. `revived` were brought back as was asked,
    `repeat_of` is the import that took in the same file before.
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
    revived: int = 0
    repeat_of: int | None = None


def _told(row: Row[Any]) -> bool:
    """Whether an import is the one by which a file said all that it has to say."""
    return bool(row.state == ImportState.DONE and REPEATED not in row.counts)


class Run:
    """An import on its way."""

    def __init__(self, connect: Connect, facts: Survey, target: Target, progress: Progress | None) -> None:
        self._connect = connect
        self._facts = facts
        self._target = target
        self._progress = progress
        self._counts: Counter[str] = Counter()
        self._rejected_octets = 0
        self.position = 0

    def begin(self, connection: Connection, digest: str, *, dry_run: bool) -> None:
        """Take up the import of this file that was not finished, or write down a new one."""
        same = (imports.c.digest == digest, imports.c.list_id == self._target.list_id)
        found = connection.execute(select(imports).where(*same).order_by(imports.c.id.desc())).all()
        stopped = next((each for each in found if self._goes_on(each)), None)
        if stopped is not None and not dry_run:
            self._counts.update(stopped.counts)
            self.position, self._rejected_octets = stopped.position, stopped.rejected_octets
        else:
            self._counts.update({REPEATED: next((each.id for each in found if _told(each)), 0)})
        repeat = bool(self._counts[REPEATED])
        # A repeat revives nobody: who left since must not come back by a command out of the shell's history.
        target = replace(self._target, repeat=repeat, revive=self._target.revive and not repeat)
        made = None if dry_run else stopped.id if stopped else self._written(connection, digest)
        self._target = replace(target, import_id=made)

    def _goes_on(self, row: Row[Any]) -> bool:
        return bool(row.state == ImportState.RUNNING and row.basis == self._target.basis)

    def _written(self, connection: Connection, digest: str) -> int:
        row = {
            # A name that is no UTF-8 no database holds.
            "file": self._facts.path.name.encode("utf-8", "backslashreplace").decode(),
            "digest": digest,
            "list_id": self._target.list_id,
            "basis": self._target.basis,
            "state": ImportState.RUNNING,
            "counts": {name: count for name, count in self._counts.items() if count},
            "started_at": self._target.now,
        }
        made: int = connection.execute(insert(imports).values(row).returning(imports.c.id)).scalar_one()
        return made

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
                    take_turn(connection)
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

    def foretell(self, source: Feed, foretold: Foretold, reviving: Callable[[str], None] | None) -> None:
        """Count what would become of everybody, and write nothing."""
        while batch := source.next():
            fresh = foretold.first_seen(batch.fit)
            with self._connect() as connection:
                self._counts.update(merge(connection, fresh, self._target, reviving))
            self._counts[REJECTED] += len(batch.unfit)
            self._counts["unchanged"] += len(batch.fit) - len(fresh)
            self.position += batch.records
            self._tell()

    def result(self, columns: Columns, out: Rejects, left_out: tuple[str, ...]) -> ImportResult:
        """Sum up."""
        counts = {str(name): count for name, count in self._counts.items() if count}
        named = ("added", "joined", "updated", "unchanged", "revived", REJECTED)
        plain = {name: counts.pop(name, 0) for name in named}
        repeat_of = counts.pop(REPEATED, None)
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
            repeat_of=repeat_of,
        )
