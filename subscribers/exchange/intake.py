"""One record of a file becomes a candidate, or is unfit and says why. Pure, and the import's hot path."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from subscribers.address import Address, parse_address
from subscribers.errors import InvalidAddress
from subscribers.exchange.cells import Unfit, json_of, object_of, said, storable, tags_of, text_of
from subscribers.exchange.columns import Columns, meaning_of, unguarded
from subscribers.exchange.fields import Field, Standing
from subscribers.exchange.source import Broken, split_mailbox
from subscribers.exchange.told import STRICTEST, TELLING, evidence_of, joined_of, network_of, standing_of
from subscribers.exchange.vocabulary import standing_of_file
from subscribers.profile import clean_language, clean_line, clean_time_zone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from subscribers.exchange.source import Record

_APART = frozenset({Field.EMAIL, Field.NAME, Field.IGNORED, Field.FILE, Field.RECORD})
_OF_JSON = frozenset({Field.TAGS, Field.ATTRIBUTES})


class Candidate(NamedTuple):
    """One person as a file tells of them, in plain values that can be handed to another process.

    `hash` is the keyed hash of the address, `attributes` and `evidence` are JSON, `standing` is the text of a
    Standing, `joined_at` the ISO text of when they opted in, where the file tells it.
    """

    email: str
    normalized: str
    domain: str
    hash: bytes
    name: str
    language: str | None
    time_zone: str | None
    attributes: str
    tags: tuple[str, ...]
    standing: str
    paused_until: str | None
    joined_at: str | None
    network: str | None
    evidence: str | None


class Intake:
    """Reads the records of one table."""

    def __init__(self, columns: Columns, hash_key: bytes, mapping: Mapping[str, str] | None = None) -> None:
        meanings = columns.meanings
        self._columns = columns
        self._hash_key = hash_key
        self._width = len(meanings)
        self._fields = [
            (index, meaning)
            for index, meaning in enumerate(meanings)
            if isinstance(meaning, Field) and meaning not in _APART
        ]
        telling = [meaning for _, meaning in self._fields if meaning in TELLING]
        self._twice = len(telling) > len(set(telling))
        self._attributes = [
            (index, meaning) for index, meaning in enumerate(meanings) if not isinstance(meaning, Field)
        ]
        self._email, self._name, self._file, self._record = (
            next((index for index, meaning in enumerate(meanings) if meaning is field), -1)
            for field in (Field.EMAIL, Field.NAME, Field.FILE, Field.RECORD)
        )
        self._by_hand = dict(mapping or {})
        self._meanings: dict[str, Field | str] = {}

    def read(self, record: Record) -> Candidate:
        """Give the candidate that a record describes; raises Unfit."""
        if isinstance(record, Broken):
            raise Unfit(record.reason)
        if isinstance(record, dict):
            return self._read_object(record)
        return self._read_row(record)

    def _read_row(self, row: Sequence[str]) -> Candidate:
        short = self._width - len(row)
        if short:
            row = self._fitted(row, short)
        if self._record >= 0 and row[self._record].strip():
            return self._read_object(_object(row[self._record]))
        attributes: dict[str, Any] = {}
        for index, key in self._attributes:
            if cell := row[index].strip():
                attributes[key] = text_of(cell)
        name = row[self._name].strip() if self._name >= 0 else ""
        fields: dict[Field, Any] = {
            field: unguarded(cell) for index, field in self._fields if (cell := row[index].strip())
        }
        standing = self._columns.standing
        if self._file >= 0:
            standing = min(standing, standing_of_file(row[self._file]), key=STRICTEST.index)
        if self._twice:
            standing = self._strictest(row, standing)
        email = row[self._email] if self._email >= 0 else ""
        return self._candidate(email, unguarded(name), fields, attributes, standing)

    def _strictest(self, row: Sequence[str], standing: Standing) -> Standing:
        """Hear each of several columns that mean the same: of a record's fields the last alone is kept."""
        for index, field in self._fields:
            if field in TELLING and (cell := row[index].strip()):
                standing = self._stood(field, unguarded(cell), standing)
        return standing

    def _stood(self, field: Field, told: Any, otherwise: Standing) -> Standing:
        return standing_of({field: told}, otherwise, self._columns.words)

    def _fitted(self, row: Sequence[str], short: int) -> Sequence[str]:
        if short > 0:
            return [*row, *[""] * short]
        if any(cell.strip() for cell in row[self._width :]):
            raise Unfit(f"{len(row)} cells under {self._width} columns: is a comma not in quotes?")
        return row[: self._width]

    def _read_object(self, record: dict[str, Any]) -> Candidate:
        fields: dict[Field, Any] = {}
        attributes: dict[str, Any] = {}
        standing = self._columns.standing
        for key, value in record.items():
            meaning = self._meanings.get(key) or self._learn(key)
            if value is None or meaning is Field.IGNORED:
                continue
            if isinstance(meaning, Field):
                told = value if meaning in _OF_JSON else said(value)
                if told != "":
                    if meaning in TELLING and meaning in fields:
                        standing = self._stood(meaning, fields[meaning], standing)
                    fields[meaning] = told
            else:
                attributes[meaning] = storable(value)
        email, name = fields.pop(Field.EMAIL, ""), fields.pop(Field.NAME, "")
        return self._candidate(email, name, fields, attributes, standing)

    def _learn(self, key: str) -> Field | str:
        if len(self._meanings) > 10_000:
            raise Unfit("the objects of this file have more than 10,000 different keys")
        meaning = self._meanings[key] = meaning_of(key, None, self._by_hand)
        return meaning

    def _candidate(
        self, email: str, name: str, fields: dict[Field, Any], attributes: dict[str, Any], standing: Standing
    ) -> Candidate:
        address, called = _address(email)
        who = (address.email, address.normalized, address.domain, address.hash(self._hash_key))
        name = clean_line(name or called)
        if not fields:
            return Candidate(
                *who, name, None, None, json_of(attributes), (), standing.value, None, None, None, None
            )
        attributes |= object_of(fields.get(Field.ATTRIBUTES))
        evidence = evidence_of(fields, self._columns.tool)
        return Candidate(
            *who,
            _called(name, fields),
            clean_language(fields.get(Field.LANGUAGE)),
            clean_time_zone(fields.get(Field.TIME_ZONE)),
            json_of(attributes),
            tags_of(fields.get(Field.TAGS)),
            standing_of(fields, standing, self._columns.words).value,
            fields.get(Field.PAUSED_UNTIL),
            joined_of(fields) if evidence else None,
            network_of(fields) if evidence else None,
            json_of(evidence) if evidence else None,
        )


def _called(name: str, fields: Mapping[Field, Any]) -> str:
    """Give the whole name; "Vorname, Name": what stands beside a first name alone is the last one."""
    first, last = fields.get(Field.FIRST_NAME, ""), fields.get(Field.LAST_NAME, "")
    if name and (last or first in name):
        return name
    return clean_line(f"{first} {last or name}")


def _object(cell: str) -> dict[str, Any]:
    """Read a line of JSON that came back in a file of rejects."""
    try:
        value = json.loads(unguarded(cell))
    except (ValueError, RecursionError) as error:
        raise Unfit(f"no JSON: {error}") from None
    if not isinstance(value, dict):
        raise Unfit("no JSON object")
    return value


def _address(text: str) -> tuple[Address, str]:
    """Give the address of a cell, and the name where it stands as `Name <address>`."""
    text = unguarded(text.strip())
    name = ""
    if text.endswith(">"):
        name, text = split_mailbox(text)
    try:
        return parse_address(text), name
    except InvalidAddress as error:
        raise Unfit(error.why if text.strip() else "no address") from None
