"""Packing: the deliveries of one mailing to one block of subscriber ids as a few octets, and back. Pure.

Promises: lossless, every column; what is packed is final and moves no more, so a block is rewritten for one reason
alone: a person in it is erased. `marks` has a character a subscriber id, so that plain SQL can ask who is in a block
and what became of them; `facts` and `words` are columns as JSON, compressed. Words are what may name a person: apart,
so that an erasure compresses little.
Never: sees the database.
"""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mailer.delivery.states import MOVES, Skip
from mailer.delivery.states import DeliveryState as State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BLOCK: Final = 200
"""Subscriber ids in a block: measured in benchmarks/packing.py, and written in each row's key, so it cannot change."""

NOBODY: Final = "."
SKIPPED: Final = "s"
MARKS: Final[dict[State, str]] = {State.ACCEPTED: "a", State.REFUSED: "r", State.SKIPPED: SKIPPED}
"""The mark of each state that can be packed; skipped for a reason that we know has one of its own."""

REASONS: Final[dict[Skip, str]] = {Skip.CANCELLED: "c", Skip.LEFT: "l", Skip.DECIDED: "d"}

FINAL: Final = tuple(state for state in State if not MOVES[state])
"""The states that nothing leaves."""

_FORM: Final = 1
_QUICK: Final = 1  # zlib's level where somebody waits: four times as quick, a twelfth larger
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_RELAY_ID: Final = "\0"  # in a reply: there stood the relay's id, which facts have


class Row(NamedTuple):
    """One delivery: every column of `deliveries` but the mailing, in the table's order."""

    subscriber_id: int
    edition_id: int
    list_id: int
    address_id: int
    address: str
    domain: str
    due_at: datetime
    state: str
    reason: str
    epoch: int
    attempts: int
    reply: str
    relay_id: str
    at: datetime | None


class Packed(NamedTuple):
    """One block."""

    marks: str
    facts: bytes
    words: bytes


def block_of(subscriber_id: int) -> int:
    """Give the block in which a subscriber's deliveries are."""
    return subscriber_id // BLOCK


def mark_of(row: Row) -> str:
    """Give the character that says what became of a delivery."""
    state = State(row.state)
    if state is State.SKIPPED and row.reason in set(Skip):
        return REASONS[Skip(row.reason)]
    return MARKS[state]


def letters_of(state: State) -> str:
    """Give all marks of a state; none for one that is never packed."""
    mark = MARKS.get(state, "")
    return mark + "".join(REASONS.values()) if mark == SKIPPED else mark


def pack(rows: Sequence[Row]) -> Packed:
    """Pack deliveries of one mailing and one block, in the order of their subscribers, all of them final."""
    marks = [NOBODY] * BLOCK
    for row in rows:
        marks[row.subscriber_id % BLOCK] = mark_of(row)
    return Packed("".join(marks), _squeezed([[_FORM], *_facts(rows)]), _words(rows))


def unpack(block: int, packed: Packed) -> list[Row]:
    """Give the deliveries of a block as they were."""
    form, edition, list_, address_id, due, state, reason, epoch, attempts, at, relay_id = _loosened(
        packed.facts
    )
    if form != [_FORM]:
        raise AssertionError(f"block {block} is packed in form {form[0]}, which this program does not know")
    ids = [block * BLOCK + place for place, mark in enumerate(packed.marks) if mark != NOBODY]
    address, domain, reply = _loosened(packed.words)
    moments = list(_undelta(at))
    columns = (
        ids, edition, list_, map(int.__add__, ids, address_id), address, map(_domain, address, domain),
        (_EPOCH + (offset + (tick or 0)) * _TICK for offset, tick in zip(due, moments, strict=True)),
        state, reason, epoch, attempts, map(_reply, reply, relay_id), relay_id,
        (None if tick is None else _EPOCH + tick * _TICK for tick in moments),
    )  # fmt: skip
    return [Row(*values) for values in zip(*columns, strict=True)]


def without(packed: Packed, subscriber_id: int, shorten: Callable[[str], str]) -> bytes:
    """Give a block's words without one person's: no address, and of the reply what `shorten` leaves.

    Only what it needs is made of the block: a reader of many years stands in hundreds.
    """
    before = packed.marks[: subscriber_id % BLOCK]
    place = len(before) - before.count(NOBODY)
    address, domain, reply = _loosened(packed.words)
    address[place], domain[place] = "", None
    relay_id = _last(packed.facts)[place]
    reply[place] = _short_reply(shorten(_reply(reply[place], relay_id)), relay_id)
    return _squeezed([address, domain, reply], _QUICK)


def _facts(rows: Sequence[Row]) -> Iterator[list[Any]]:
    """Give the columns that name nobody; numbers as differences, which are small or alike."""
    moments = [None if row.at is None else _ticks(row.at) for row in rows]
    yield [row.edition_id for row in rows]
    yield [row.list_id for row in rows]
    yield [row.address_id - row.subscriber_id for row in rows]
    yield [_ticks(row.due_at) - (tick or 0) for row, tick in zip(rows, moments, strict=True)]
    yield [row.state for row in rows]
    yield [row.reason for row in rows]
    yield [row.epoch for row in rows]
    yield [row.attempts for row in rows]
    yield list(_delta(moments))
    yield [row.relay_id for row in rows]  # the last: `without` needs no other


def _words(rows: Sequence[Row]) -> bytes:
    addresses = [row.address for row in rows]
    domains = [None if row.domain == _domain(row.address) else row.domain for row in rows]
    return _squeezed([addresses, domains, [_short_reply(row.reply, row.relay_id) for row in rows]])


def _domain(address: str, kept: str | None = None) -> str:
    return address.rpartition("@")[2] if kept is None else kept


def _short_reply(reply: str, relay_id: str) -> str | list[str]:
    """Leave out the relay's id, which most replies repeat; a list of one is a reply that is kept as it is."""
    if _RELAY_ID in reply:
        return [reply]
    return reply.replace(relay_id, _RELAY_ID) if relay_id else reply


def _reply(kept: str | list[str], relay_id: str) -> str:
    return kept[0] if isinstance(kept, list) else kept.replace(_RELAY_ID, relay_id)


def _ticks(moment: datetime) -> int:
    return (moment - _EPOCH) // _TICK


def _delta(values: Sequence[int | None]) -> Iterator[int | None]:
    last = 0
    for value in values:
        yield None if value is None else value - last
        last = last if value is None else value


def _undelta(values: Sequence[int | None]) -> Iterator[int | None]:
    last = 0
    for value in values:
        last += value or 0
        yield None if value is None else last


def _squeezed(columns: Sequence[Sequence[Any]], level: int = zlib.Z_DEFAULT_COMPRESSION) -> bytes:
    """Write each column as a line of JSON, which holds no line's end itself, and compress."""
    return zlib.compress(
        "\n".join(json.dumps(column, separators=(",", ":")) for column in columns).encode(), level
    )


def _loosened(octets: bytes) -> list[Any]:
    return [json.loads(line) for line in zlib.decompress(octets).split(b"\n")]


def _last(octets: bytes) -> list[Any]:
    """Give the last column alone: reading the others takes most of the time."""
    column: list[Any] = json.loads(zlib.decompress(octets).rpartition(b"\n")[2])
    return column
