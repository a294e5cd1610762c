"""The records of a file in batches, cleaned and judged fit or not: all of an import that needs no database.

A batch holds plain values alone, so that it may come from another process (apart.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from subscribers.errors import BadFile
from subscribers.exchange.cells import Unfit
from subscribers.exchange.columns import Columns, understand
from subscribers.exchange.intake import Candidate, Intake
from subscribers.exchange.source import Broken, Table, read_table
from subscribers.exchange.survey import Part, open_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from subscribers.exchange.source import Record

BATCH = 500  # records
LETTERS = 1 << 21  # after which a batch ends early


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be read: the parts of a file, after the first `skip` records of them all."""

    path: str
    parts: tuple[Part, ...]
    hash_key: bytes = field(repr=False)
    mapping: Mapping[str, str]
    skip: int = 0
    size: int | None = None  # records of a batch, where it is to be less than usual


class Batch(NamedTuple):
    """Some records: how many, who is fit, and of each that is not (line, reason, file, cells)."""

    records: int
    fit: list[Candidate]
    unfit: list[tuple[Any, ...]]


def columns_of(table: Table, part: Part, mapping: Mapping[str, str] | None) -> Columns:
    """Say what the columns of a part mean; raises BadFile that names the part."""
    try:
        return understand(table.header, part.name, mapping, kind=table.kind)
    except BadFile as error:
        raise BadFile(f"{part.name}: {error}", error.line) from None


def batches(job: Job) -> Iterator[Batch]:
    """Give the records of a file in batches, those of each part apart."""
    skip = job.skip
    for part in job.parts:
        with open_text(Path(job.path), part) as stream:
            table = read_table(stream)
            intake = Intake(columns_of(table, part, job.mapping), job.hash_key, job.mapping)
            if skip:
                skip -= sum(1 for _ in islice(table.records, skip))
            while records := _some(table.records, job.size or BATCH):
                yield _batch(intake, records, part.name)


def _some(records: Iterator[tuple[int, Record]], most: int) -> list[tuple[int, Record]]:
    """Take the next records: so many, or fewer where they are long, for a batch is held whole."""
    taken: list[tuple[int, Record]] = []
    letters = 0
    for each in records:
        taken.append(each)
        record = each[1]
        letters += len(record.text) if isinstance(record, Broken) else sum(map(len, record))
        if len(taken) >= most or letters > LETTERS:
            break
    return taken


def _batch(intake: Intake, records: Sequence[tuple[int, Record]], file: str) -> Batch:
    fit: list[Candidate] = []
    unfit: list[tuple[Any, ...]] = []
    read = intake.read
    for line, record in records:
        try:
            fit.append(read(record))
        except Unfit as reason:
            unfit.append((line, str(reason), file, *_cells(record)))
    return Batch(len(records), fit, unfit)


def _cells(record: Record) -> Sequence[str]:
    if isinstance(record, Broken):
        return (record.text,)
    if isinstance(record, dict):
        return (json.dumps(record, ensure_ascii=False),)
    return record
