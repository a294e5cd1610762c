"""The journal: what one worker did, one line a move, appended before the ledger's commit.

Promises: a fence or an outcome is in the file before the database hears of it, so that a crash between the two, or a
database restored from yesterday's backup, loses no outcome; reading never raises on a torn or foreign line. Holds
ids and replies' codes, never an address, so erasing a person has nothing to erase here.

A line: `s MAILING SUBSCRIBER` (the body may leave) or `o MAILING SUBSCRIBER STATE RELAY-ID`, tab-separated, each with a
checksum so that a line cut by a power loss is known as such. What a power cut may cost: docs/reliability.md.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, NamedTuple, Self

from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mailer.delivery.model import Claim, Settlement


class Proof(NamedTuple):
    """The last that a journal says of one delivery. `state` is SENDING where no outcome was written."""

    mailing_id: int
    subscriber_id: int
    state: DeliveryState
    relay_id: str


class Journal:
    """The journal of one worker: a file of its own, named by the worker's epoch."""

    def __init__(self, folder: Path, epoch: int) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(_path(folder, epoch), flags, 0o600)

    def write(self, settlements: Iterable[Settlement], fences: Iterable[Claim]) -> None:
        """Append in one write; raises OSError when the disk is full, and then nothing counts as written."""
        lines = [_outcome(settlement) for settlement in settlements]
        lines += [_line(f"s\t{claim.mailing_id}\t{claim.subscriber_id}") for claim in fences]
        data = b"".join(lines)
        if data and os.write(self._file, data) != len(data):
            # A part of the last line stays; its checksum marks it as torn, and the newline ends it.
            os.write(self._file, b"\n")
            raise OSError("the journal took only part of a write: is the disk full?")

    def sync(self) -> None:
        """Bring it to the disk, past the kernel's cache."""
        os.fdatasync(self._file)

    def close(self) -> None:
        """Close the file; it stays for recovery and audit."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(folder: Path, epoch: int) -> dict[tuple[int, int], Proof]:
    """Give the last proof of each (mailing, subscriber) that this worker handled; empty without a journal."""
    proofs: dict[tuple[int, int], Proof] = {}
    try:
        with _path(folder, epoch).open("rb") as file:
            for proof in _parse(file):
                proofs[proof.mailing_id, proof.subscriber_id] = proof
    except FileNotFoundError:
        pass
    return proofs


def epochs(folder: Path) -> list[int]:
    """Give the epochs that have a journal, oldest first."""
    return sorted(int(path.stem) for path in folder.glob("*.log") if path.stem.isdigit())


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"{epoch}.log"


def _line(text: str) -> bytes:
    data = text.encode()
    return b"%s\t%08x\n" % (data, zlib.crc32(data))


def _outcome(settlement: Settlement) -> bytes:
    claim = settlement.claim
    relay_id = settlement.relay_id.replace("\t", " ").replace("\n", " ")
    return _line(f"o\t{claim.mailing_id}\t{claim.subscriber_id}\t{settlement.state}\t{relay_id}")


def _parse(lines: Iterable[bytes]) -> Iterator[Proof]:
    for line in lines:
        text, _, checksum = line.rstrip(b"\n").rpartition(b"\t")
        if checksum != b"%08x" % zlib.crc32(text):
            continue
        kind, mailing, subscriber, *rest = text.decode().split("\t")
        if kind == "s":
            yield Proof(int(mailing), int(subscriber), DeliveryState.SENDING, "")
        elif kind == "o":
            yield Proof(int(mailing), int(subscriber), DeliveryState(rest[0]), rest[1])
