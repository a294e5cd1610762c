"""One record of a file becomes a candidate, or is unfit and says why. Pure, and the import's hot path.

Values from outside are stripped, bounded and freed of what a database cannot hold. A cell that begins with an
apostrophe and then with =, +, - or @ is one that an export made harmless for spreadsheets, and loses it
again.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, NamedTuple

from subscribers.address import Address, parse_address
from subscribers.errors import InvalidAddress
from subscribers.exchange.columns import STANDINGS, Columns, Field, Standing, meaning_of, unguarded
from subscribers.exchange.source import Broken, split_mailbox
from subscribers.profile import (
    ATTRIBUTES_LENGTH,
    clean_language,
    clean_line,
    clean_tags,
    clean_time_zone,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from subscribers.exchange.source import Record

_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")
_FALSE = frozenset({"false", "no", "0", "f", "n", ""})
_EVIDENCE = frozenset({Field.JOINED_AT, Field.JOINED_FROM, Field.CONFIRMED_AT, Field.CONFIRMED_FROM})
_TELLING = frozenset({Field.BOUNCED_AT, Field.LEFT_AT, Field.SUBSCRIBED, Field.DISABLED, Field.STATUS})
MOST_TAGS = 100


class Unfit(Exception):  # noqa: N818 - it is what the record is
    """The record cannot be taken; its text is the reason."""


class Candidate(NamedTuple):
    """One person as a file tells of them. `line` is where; `attributes` are cleaned."""

    line: int
    address: Address
    name: str
    language: str | None
    time_zone: str | None
    attributes: dict[str, Any]
    tags: tuple[str, ...]
    standing: Standing
    paused_until: str | None
    evidence: dict[str, str] | None


class Intake:
    """Reads the records of one table."""

    def __init__(self, columns: Columns, mapping: Mapping[str, str] | None = None) -> None:
        self._columns = columns
        self._width = len(columns.meanings)
        self._fields = [
            (index, meaning)
            for index, meaning in enumerate(columns.meanings)
            if isinstance(meaning, Field) and meaning not in {Field.EMAIL, Field.NAME, Field.IGNORED}
        ]
        self._attributes = [
            (index, meaning)
            for index, meaning in enumerate(columns.meanings)
            if not isinstance(meaning, Field)
        ]
        self._email = self._index(Field.EMAIL)
        self._name = self._index(Field.NAME)
        self._mapping = dict(mapping or {})
        self._meanings: dict[str, Field | str] = {}

    def _index(self, field: Field) -> int:
        return self._columns.meanings.index(field) if field in self._columns.meanings else -1

    def read(self, line: int, record: Record) -> Candidate:
        """Give the candidate that a record describes; raises Unfit."""
        if isinstance(record, Broken):
            raise Unfit(record.reason)
        if isinstance(record, dict):
            return self._read_object(line, record)
        return self._read_row(line, record)

    def _read_row(self, line: int, row: Sequence[str]) -> Candidate:
        short = self._width - len(row)
        if short:
            row = self._fitted(row, short)
        attributes: dict[str, Any] = {}
        for index, name in self._attributes:
            if cell := row[index].strip():
                attributes[name] = _text(cell)
        name = row[self._name].strip() if self._name >= 0 else ""
        fields: dict[Field, Any] = {
            field: cell for index, field in self._fields if (cell := row[index].strip())
        }
        return self._candidate(line, row[self._email], unguarded(name), fields, attributes)

    def _fitted(self, row: Sequence[str], short: int) -> Sequence[str]:
        if short > 0:
            return [*row, *[""] * short]
        if any(cell.strip() for cell in row[self._width :]):
            raise Unfit(f"{len(row)} cells under {self._width} columns: is a comma not in quotes?")
        return row[: self._width]

    def _read_object(self, line: int, record: dict[str, Any]) -> Candidate:
        fields: dict[Field, Any] = {}
        attributes: dict[str, Any] = {}
        for key, value in record.items():
            meaning = self._meanings.get(key) or self._learn(key)
            if value is None or meaning is Field.IGNORED:
                continue
            if isinstance(meaning, Field):
                fields[meaning] = value if meaning in {Field.TAGS, Field.ATTRIBUTES} else _said(value)
            else:
                attributes[meaning] = _storable(value)
        email, name = fields.pop(Field.EMAIL, ""), fields.pop(Field.NAME, "")
        return self._candidate(line, email, name, fields, attributes)

    def _learn(self, key: str) -> Field | str:
        if len(self._meanings) > 10_000:
            raise Unfit("the objects of this file have more than 10,000 different keys")
        meaning = self._meanings[key] = meaning_of(key, None, self._mapping)
        return meaning

    def _candidate(
        self, line: int, email: str, name: str, fields: dict[Field, Any], attributes: dict[str, Any]
    ) -> Candidate:
        if self._columns.tool == "Mailman":
            name, email = split_mailbox(email)
        address = _address(email)
        if not fields:
            _bounded(attributes)
            return Candidate(
                line,
                address,
                clean_line(name),
                None,
                None,
                attributes,
                (),
                self._columns.standing,
                None,
                None,
            )
        attributes |= _object(fields.get(Field.ATTRIBUTES))
        _bounded(attributes)
        both = f"{fields.get(Field.FIRST_NAME, '')} {fields.get(Field.LAST_NAME, '')}"
        return Candidate(
            line,
            address,
            clean_line(name or both),
            clean_language(fields.get(Field.LANGUAGE)),
            clean_time_zone(fields.get(Field.TIME_ZONE)),
            attributes,
            _tags(fields.get(Field.TAGS)),
            _standing(fields, self._columns.standing),
            fields.get(Field.PAUSED_UNTIL),
            _evidence(fields, self._columns.tool),
        )


def _address(text: str) -> Address:
    try:
        return parse_address(unguarded(text))
    except InvalidAddress as error:
        raise Unfit(error.why if text.strip() else "no address") from None


def _text(cell: str) -> str:
    cell = unguarded(cell)
    return cell if cell.isprintable() else _UNSTORABLE.sub("", cell)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (str, int, float)):
        return _text(str(value).strip())
    raise Unfit("a list or an object stands where one value is expected")


def _storable(value: Any, depth: int = 0) -> Any:
    """Give JSON that both databases can hold."""
    if depth > 20:
        raise Unfit("the attributes are nested more than 20 levels deep")
    if isinstance(value, str):
        return value if value.isprintable() else _UNSTORABLE.sub("", value)
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {_text(key): _storable(each, depth + 1) for key, each in value.items()}
    if isinstance(value, float) and value - value != 0:
        raise Unfit("an attribute is no number that JSON knows")
    return value


def _object(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except (ValueError, RecursionError):
            raise Unfit("the attributes are no JSON object") from None
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Unfit("the attributes are no JSON object")
    stored: dict[str, Any] = _storable(value)
    return stored


def _bounded(attributes: dict[str, Any]) -> None:
    """Refuse what is too much; the length of the cells is measured first, because it is cheap."""
    if len(attributes) * 100 + sum(map(len, map(str, attributes.values()))) < ATTRIBUTES_LENGTH // 2:
        return
    try:
        size = len(json.dumps(attributes, ensure_ascii=False))
    except (ValueError, RecursionError):
        raise Unfit("the attributes are no JSON") from None
    if size > ATTRIBUTES_LENGTH:
        raise Unfit(f"the attributes take {size:,} characters; {ATTRIBUTES_LENGTH:,} are the most")


def _tags(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    if isinstance(value, str):
        return _tags_of_cell(value)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Unfit("the tags are no list of words")
    return clean_tags(value)[:MOST_TAGS]


@lru_cache(maxsize=4096)  # a file has few different cells of tags
def _tags_of_cell(cell: str) -> tuple[str, ...]:
    words = (word.strip().strip('"') for word in re.split(r"[,;]", cell))
    return clean_tags(words)[:MOST_TAGS]


def _standing(fields: Mapping[Field, Any], otherwise: Standing) -> Standing:
    """Say how someone stood; the strictest word wins, and a word that nobody knows is no consent."""
    if _TELLING.isdisjoint(fields):
        return otherwise
    if Field.BOUNCED_AT in fields:
        return Standing.BOUNCED
    if Field.LEFT_AT in fields or fields.get(Field.SUBSCRIBED, "yes").lower() in _FALSE:
        return Standing.UNSUBSCRIBED
    if fields.get(Field.DISABLED, "").lower() not in _FALSE:
        return Standing.UNSUBSCRIBED
    word = fields.get(Field.STATUS)
    if word is None or otherwise is not Standing.ACTIVE:
        return otherwise
    known = STANDINGS.get(word.lower())
    if known is None:
        raise Unfit(f"the status {word[:40]!r} is not known: map the column, or leave it out with -")
    return known


def _evidence(fields: Mapping[Field, Any], tool: str | None) -> dict[str, str] | None:
    if _EVIDENCE.isdisjoint(fields):
        return None
    told = {field.value: str(fields[field])[:64] for field in sorted(_EVIDENCE) if field in fields}
    return told | ({"tool": tool} if tool else {})


def network_of(evidence: Mapping[str, str] | None) -> str | None:
    """Give the prefix of the network that an old opt-in came from: /24 of IPv4, /48 of IPv6."""
    for field in (Field.CONFIRMED_FROM, Field.JOINED_FROM):
        try:
            address = ip_address((evidence or {}).get(field, ""))
        except ValueError:
            continue
        return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))
    return None
