"""The journal: what one worker did, one line a move, appended before the ledger's commit.

Promises: a fence or an outcome is in the file before the database hears of it, so that a crash between the two, or a
database restored from yesterday's backup, loses no outcome; reading never raises on a torn or foreign line, and takes
no more memory than what it is asked for. Holds ids and relays' ids, never an address, so erasing a person has nothing
to erase here.

A line: `h EPOCH BOOT MARK` (the head), `s MAILING SUBSCRIBER` (the body may leave), `o MAILING SUBSCRIBER STATE
RELAY-ID`; tab-separated, each with a checksum so that a line cut by a power loss is known as such. What a power cut
may cost, which `keep_synced` bounds: docs/reliability.md.
"""

from __future__ import annotations

import asyncio
import logging
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Self

from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from mailer.delivery.model import Claim, Settlement

log = logging.getLogger(__name__)
SYNC_EVERY: Final = 1.0  # seconds: at most what was sent in so many is forgotten by a power cut
_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


class Proof(NamedTuple):
    """The last that a journal says of one delivery. `state` is SENDING where no outcome was written."""

    mailing_id: int
    subscriber_id: int
    state: DeliveryState
    relay_id: str


class Journal:
    """The journal of one worker: a file of its own, named by the worker's epoch."""

    def __init__(self, folder: Path, epoch: int, mark: str = "") -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        self._file = os.open(_path(folder, epoch), flags, 0o600)
        self._torn = False
        self._fresh = False
        try:
            self._append(_line(f"h\t{epoch}\t{boot()}\t{mark}"))
            self.sync()
            _sync_folder(folder)
        except BaseException:
            os.close(self._file)
            raise

    def write(self, settlements: Iterable[Settlement], fences: Iterable[Claim]) -> None:
        """Append in one write; raises OSError when the disk is full, and then nothing counts as written."""
        lines = [_outcome(settlement) for settlement in settlements]
        lines += [_line(f"s\t{claim.mailing_id}\t{claim.subscriber_id}") for claim in fences]
        if lines:
            self._append(b"".join(lines))

    def _append(self, data: bytes) -> None:
        # What a full disk cut off is ended by a newline: its checksum marks it as torn, and the next line stands whole.
        data = b"\n" + data if self._torn else data
        written = os.write(self._file, data)
        self._fresh = True
        self._torn = written != len(data)
        if self._torn:
            raise OSError("the journal took only part of a write: is the disk full?")

    def sync(self) -> None:
        """Bring it to the disk, past the kernel's cache; nothing to do where nothing was written."""
        if self._fresh:
            self._fresh = False
            os.fdatasync(self._file)

    async def keep_synced(self, every: float = SYNC_EVERY) -> None:
        """Sync every so many seconds until cancelled, in a thread, so that nobody waits for the disk."""
        while True:
            await asyncio.sleep(every)
            try:
                await asyncio.to_thread(self.sync)
            except OSError as problem:
                log.warning("the journal cannot be brought to the disk: %s", problem)

    def close(self) -> None:
        """Close the file; it stays for recovery and audit."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def boot() -> str:
    """Give the id of the kernel's life, the same until the machine goes down; empty where there is none to ask."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


def outlived(folder: Path, epoch: int) -> bool:
    """Say whether the machine has surely not gone down since this worker began: what it committed then stands."""
    began = _head(folder, epoch)[0]
    return not _path(folder, epoch).exists() or (began != "" and began == boot())


def mark_of(folder: Path, epoch: int) -> str:
    """Give the mark of the worker that began this journal, empty where it is not known."""
    return _head(folder, epoch)[1]


def _head(folder: Path, epoch: int) -> tuple[str, str]:
    """Give boot and mark of a journal."""
    try:
        with _path(folder, epoch).open("rb") as file:
            fields = _fields(file.readline())
    except (FileNotFoundError, NotADirectoryError):
        fields = []
    match fields:
        case ["h", _, began, mark]:
            return began, mark
        case _:
            return "", ""


def read_journal(
    folder: Path, epoch: int, only: Collection[tuple[int, int]] | None = None
) -> dict[tuple[int, int], Proof]:
    """Give the last proof of each (mailing, subscriber) that this worker handled; empty without a journal.

    `only` names the deliveries that are asked about: a journal may be longer than memory should be.
    """
    if only is not None and not only:
        return {}
    found = proofs(folder, epoch)
    return {proof[:2]: proof for proof in found if only is None or proof[:2] in only}


def proofs(folder: Path, epoch: int) -> Iterator[Proof]:
    """Give every proof in the order of its writing: of several about one delivery the last counts."""
    try:
        file = _path(folder, epoch).open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return
    with file:
        yield from _parse(file)


def epochs(folder: Path) -> list[int]:
    """Give the epochs that have a journal, oldest first."""
    return sorted(int(path.stem) for path in folder.glob("*.log") if path.stem.isdecimal())


def _path(folder: Path, epoch: int) -> Path:
    return folder / f"{epoch}.log"


def _sync_folder(folder: Path) -> None:
    """Bring the file's name to the disk too: a journal that nobody finds proves nothing."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _line(text: str) -> bytes:
    data = text.encode(errors="backslashreplace")
    return b"%s\t%08x\n" % (data, zlib.crc32(data))


def _outcome(settlement: Settlement) -> bytes:
    claim = settlement.claim
    relay_id = settlement.relay_id
    if not relay_id.isprintable():
        relay_id = relay_id.replace("\t", " ").replace("\n", " ")
    return _line(f"o\t{claim.mailing_id}\t{claim.subscriber_id}\t{settlement.state}\t{relay_id}")


def _fields(line: bytes) -> list[str]:
    """Give the fields of a line, none of one that is torn."""
    text, _, checksum = line.rstrip(b"\n").rpartition(b"\t")
    return text.decode().split("\t") if checksum == b"%08x" % zlib.crc32(text) else []


def _parse(lines: Iterable[bytes]) -> Iterator[Proof]:
    for line in lines:
        match _fields(line):
            case ["s", mailing, subscriber]:
                yield Proof(int(mailing), int(subscriber), DeliveryState.SENDING, "")
            case ["o", mailing, subscriber, state, relay_id]:
                yield Proof(int(mailing), int(subscriber), DeliveryState(state), relay_id)
            case _:
                continue
