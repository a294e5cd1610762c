"""The witness: a file beside the database that notices when the database is not the one that was last sent from.

A database that was copied, restored or replaced does not know what went out since, and would mail people again. The
file keeps the highest epoch that ever enlisted, with the mark of that worker; the database must know both. `decide` is
pure: what was seen goes in, and out comes whether sending may go on.

A machine that never sent may join the others of a server (`at_home`).
No alarm after VACUUM, an upgrade, a backup, or a folder moved on one machine: none of them changes an epoch or a mark.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Trust(StrEnum):
    """What the witness says of the database."""

    FRESH = "fresh"  # nothing was ever sent, here or with it
    SAME = "same"  # it knows all that the witness knows
    CATCH_UP = "catch-up"  # older, and the journals know all that it lacks
    GAP = "gap"  # older, and nobody knows all that it lacks
    STRANGER = "stranger"  # it has sent, and never from here: it came from another machine
    FORKED = "forked"  # it shares only the beginning with what was sent from here
    COPY = "copy"  # the one that the witness knows still stands where it stood
    IN_USE = "in-use"  # older, and a process still sends with the newer one


@dataclass(frozen=True, slots=True)
class Witness:
    """What the file holds. `mark` is the mark of the worker of `epoch`; `ids` the highest ids then handed out."""

    newsletter: str
    epoch: int
    mark: str
    at: str
    born: str = ""  # when the database was made: one made anew is another one
    ids: Mapping[str, int] = field(default_factory=dict)
    since: int = 0  # the epoch of the last adoption: what lies before is no evidence
    file: str = ""  # of SQLite: where the database stood,
    inode: int = 0  # and which file it was

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all, and bring it to the disk."""
        scratch = path.with_name(f".{path.name}.{os.getpid()}")
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w") as stream:
            stream.write(json.dumps(asdict(self)) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        scratch.replace(path)


def read_witness(path: Path) -> Witness | None:
    """Give what the file holds; None where there is none, or one that cannot be understood."""
    try:
        raw: Any = json.loads(path.read_text())
        known = {name: raw[name] for name in ("newsletter", "mark", "at", "born", "file")}
        ids = {str(name): int(value) for name, value in raw["ids"].items()}
        return Witness(
            **known, epoch=int(raw["epoch"]), since=int(raw["since"]), ids=ids, inode=int(raw["inode"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen at one moment. `forked`: made anew, or an epoch that both sides know was not the same worker's."""

    newsletter: str
    witness: Witness | None
    epoch: int  # the highest that the database knows; 0: it never sent
    journals: frozenset[int] = frozenset()  # epochs with a journal
    alive: frozenset[int] = frozenset()  # epochs of the gap whose process lives
    unknown: int = 0  # deliveries in the gap's journals, of mailings that the database does not know
    forked: bool = False
    original: bool = False  # the file that the witness saw stands where it stood, and is another one
    at_home: bool = False  # the server is the one from which it was last sent: no copy of it

    @property
    def newest(self) -> int:
        """The highest epoch that anything here speaks of."""
        return max([self.witness.epoch if self.witness else 0, *self.journals])

    @property
    def gap(self) -> range:
        """The epochs that the database does not know."""
        return range(self.epoch + 1, self.newest + 1)

    @property
    def missing(self) -> int:
        """Of how many epochs of the gap there is no journal."""
        return sum(epoch not in self.journals for epoch in self.gap)


def decide(seen: Seen) -> Trust:
    """Decide whether the database may be sent from."""
    witness = seen.witness
    if witness is None or witness.newsletter != seen.newsletter:
        if seen.journals:
            return Trust.STRANGER
        # Another machine that joins: it never sent, so what the server's own database knows is all there is.
        return Trust.FRESH if seen.epoch == 0 else Trust.SAME if seen.at_home else Trust.STRANGER
    if seen.original:
        return Trust.COPY
    if seen.forked:
        return Trust.FORKED
    return _older(seen) if seen.gap else Trust.SAME


def _older(seen: Seen) -> Trust:
    if seen.alive:
        return Trust.IN_USE
    return Trust.GAP if seen.missing or seen.unknown else Trust.CATCH_UP
