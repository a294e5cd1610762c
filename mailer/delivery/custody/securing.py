"""Custody: before anything is sent, the database is held against the witness; here is done what witness.py decides.

Promises: a database that lost commits (restored, copied back, cut off by a power loss) is brought up to what the
journals know, if they know all; else every running mailing is paused, nothing is sent, and a person hears what is
missing until `adopt`. Ids that were handed out once are never handed out again.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from mailer import events
from mailer.database import newsletter, reading, sqlite_file, writing
from mailer.delivery import journal, ledger, mailing
from mailer.delivery.custody import home, workers
from mailer.delivery.custody.sequences import highest_ids, raise_ids
from mailer.delivery.custody.witness import Seen, Trust, Witness, decide, read_witness
from mailer.delivery.states import DeliveryState, MailingState
from mailer.errors import PersonNeeded, Problem, TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from mailer.delivery.ground import Ground

_PAGE: Final = 2_000  # proofs in one transaction: far below 200 ms
_REMEDY: Final = (
    "Bring the newer database back if there is one; else `mailer db adopt` goes on with this one, and then "
    "`mailer resume` with each mailing"
)


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """What the journals told a database that lacked it."""

    epochs: int
    proven: int
    uncertain: int

    def __str__(self) -> str:
        """Give the sentence that a person reads."""
        return (
            f"The database had lost its newest part; the journals of {self.epochs} sending processes knew it: "
            f"{self.proven:,} deliveries settled, {self.uncertain:,} uncertain."
        )


def look(ground: Ground) -> Seen:
    """See what the witness, the journals and the database say. Writes nothing."""
    # The files first: a process that starts meanwhile is then in the database before it is in them, never after.
    witness = read_witness(ground.witness)
    journals = frozenset(journal.epochs(ground.journals))
    with reading(ground.database) as connection:
        epoch = highest_ids(connection)["workers"]
        at_home = home.stands(connection)
        forked = witness is not None and _forked(connection, ground, witness, epoch, journals)
    newest = max([witness.epoch if witness else 0, *journals])
    gap = range(epoch + 1, newest + 1) if witness else range(0)
    return Seen(
        newsletter=str(ground.settings.id),
        witness=witness,
        epoch=epoch,
        journals=journals,
        alive=frozenset(one for one in gap if workers.locked(ground.locks, one)),
        unknown=_unknown(ground, gap),
        forked=forked,
        original=witness is not None and _stands_elsewhere(witness, ground.database),
        at_home=at_home,
    )


def secure(ground: Ground) -> CaughtUp | None:
    """Let nothing be sent from a database that does not know what went out.

    Gives what the journals had to tell, if anything. Raises PersonNeeded, with every running mailing paused, where
    they cannot tell all; TryLater while a process still sends with the newer database.
    """
    seen = look(ground)
    match trust := decide(seen):
        case Trust.FRESH:
            attest(
                ground
            )  # before the first epoch: a start that dies at once must not look like another machine's
            return None
        case Trust.SAME:
            return None
        case Trust.CATCH_UP:
            return catch_up(ground, seen, "database.caught-up")
        case Trust.IN_USE:
            who = ", ".join(map(str, sorted(seen.alive)))
            message = (
                f"a process (epoch {who}) still sends with the database that stood here before: end it first"
            )
            raise TryLater(Problem(message, key="database"))
        case Trust.GAP | Trust.STRANGER | Trust.FORKED | Trust.COPY:
            sentence = explain(trust, seen)
            _pause(ground, sentence)
            raise PersonNeeded(Problem(f"{sentence}. {_REMEDY}", key="database"))


def explain(trust: Trust, seen: Seen) -> str:
    """Say what is known and what is not: epochs, times, how many deliveries."""
    witness = seen.witness
    if trust is Trust.GAP and witness is not None:
        return (
            f"the database is older than what was sent from here: it ends with epoch {seen.epoch}, and epochs "
            f"{seen.epoch + 1} to {seen.newest} (the last began {_minute(witness.at)}) are not in it; of "
            f"{seen.missing} of them no journal is here, and {seen.unknown:,} deliveries in the others are of "
            "mailings that it does not know"
        )
    if trust is Trust.FORKED and witness is not None:
        return (
            f"the database has another history than what was sent from here, the last time on {_minute(witness.at)}: "
            f"it ends with epoch {seen.epoch}, and not all up to {witness.epoch} are those that began here"
        )
    if trust is Trust.COPY and witness is not None:
        return f"the database is a copy: the one that was last sent from still stands at {witness.file}"
    return (
        f"the database has sent before (its last epoch is {seen.epoch}), and not from this folder: "
        "what went out since it was copied cannot be known here"
    )


def adopt(ground: Ground, actor: str) -> CaughtUp:
    """Take the database as it is: what the journals know is told to it, and the witness is written anew.

    Mailings that are paused stay so. Raises TryLater while a process still sends with another one.
    """
    seen = look(ground)
    if seen.alive:
        raise TryLater(Problem("a process still sends with another database: end it first", key="database"))
    return catch_up(ground, seen, "database.adopted", actor)


def catch_up(ground: Ground, seen: Seen, kind: str, actor: str = "mailer") -> CaughtUp:
    """Replay the journals that may know more than the database, oldest first, and attest."""
    with writing(ground.database) as connection:
        dead = workers.dead(connection, ground.locks, ground.clock())
    # A database made anew, or one that went its own way, means other mailings by the ids of the journals.
    same = (seen.epoch > 0 or seen.witness is not None) and not seen.forked and not seen.original
    told = [
        replay(ground, epoch)
        for epoch in sorted(seen.journals)
        if same and (epoch > seen.epoch or epoch in dead)
    ]
    keeper = max(seen.epoch, seen.newest) + 1
    done = CaughtUp(len(told), sum(one.proven for one in told), sum(one.uncertain for one in told))
    with writing(ground.database) as connection:
        ids = dict(seen.witness.ids) if seen.witness else {}
        workers.skip_to(connection, keeper, ground.clock())
        raise_ids(connection, {**ids, "workers": keeper})
        for name in ("mailings", "subscribers"):
            raise_ids(connection, {name: max((one.highest[name] for one in told), default=0)})
        data = {"from": seen.epoch, "to": seen.newest, "proven": done.proven, "uncertain": done.uncertain}
        events.record(connection, kind, "", ground.clock(), actor, **data)
    attest(ground, since=keeper)
    return done


@dataclass(frozen=True, slots=True)
class Told:
    """What one journal told."""

    proven: int
    uncertain: int
    highest: dict[str, int]


def replay(ground: Ground, epoch: int) -> Told:
    """Tell the database all that a worker's journal knows, a page a transaction."""
    proven = uncertain = 0
    highest = {"mailings": 0, "subscribers": 0}
    proofs = journal.proofs(ground.journals, epoch)
    while page := list(islice(proofs, _PAGE)):
        with writing(ground.database) as connection:
            done = ledger.replay(connection, {one[:2]: one for one in page}, ground.clock())
        proven, uncertain = proven + done.proven, uncertain + done.uncertain
        highest["mailings"] = max(highest["mailings"], *(one.mailing_id for one in page))
        highest["subscribers"] = max(highest["subscribers"], *(one.subscriber_id for one in page))
    return Told(proven, uncertain, highest)


def attest(ground: Ground, *, since: int | None = None) -> None:
    """Write down what the database knows now; `since` is the epoch of an adoption, which begins anew."""
    with _room(ground), _alone(ground.locks):
        before = read_witness(ground.witness) if since is None else None
        home.move_in(ground.database)
        with reading(ground.database) as connection:
            ids = highest_ids(connection)
            epoch = ids["workers"]
            mark = workers.mark(connection, epoch) or ""
            born = _born(connection)
        if before is not None and before.epoch > epoch:
            return  # another process has been quicker, with what it began later
        file = sqlite_file(ground.database)
        Witness(
            newsletter=str(ground.settings.id),
            epoch=epoch,
            mark=mark,
            at=ground.clock().isoformat(),
            born=born,
            ids=ids,
            since=since or (before.since if before else 0),
            file=str(file.resolve()) if file else "",
            inode=file.stat().st_ino if file else 0,
        ).write(ground.witness)


@contextmanager
def _room(ground: Ground) -> Iterator[None]:
    """Turn a disk that takes nothing into an ending with words."""
    try:
        yield
    except OSError as problem:
        message = f"the witness cannot be written: {problem.strerror or problem}"
        raise TryLater(Problem(message, str(ground.witness))) from problem


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process of this machine write the witness at a time."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / "witness.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _forked(
    connection: Connection, ground: Ground, witness: Witness, epoch: int, journals: frozenset[int]
) -> bool:
    """Say whether an epoch that the database and this folder both know was not the same worker's.

    Asked of the witness's epoch and of the newest journal that the database can know: what forked stays forked.
    """
    if witness.born != _born(connection):
        return True
    newest = max((one for one in journals if witness.since < one <= epoch), default=0)
    marks = {newest: journal.mark_of(ground.journals, newest), witness.epoch: witness.mark}
    found = {one: workers.mark(connection, one) for one in marks}
    return any(marks[one] and found[one] and marks[one] != found[one] for one in marks)


def _born(connection: Connection) -> str:
    made = connection.execute(select(func.min(newsletter.c.created_at))).scalar()
    return made.isoformat() if made else ""


def _unknown(ground: Ground, gap: range) -> int:
    """Count the deliveries in the gap's journals of mailings that the database does not know."""
    counts: dict[int, int] = {}
    for epoch in gap:
        for proof in journal.proofs(ground.journals, epoch):
            if proof.state is DeliveryState.SENDING:
                counts[proof.mailing_id] = counts.get(proof.mailing_id, 0) + 1
    with reading(ground.database) as connection:
        known = ledger.known_mailings(connection, counts) if counts else set()
    return sum(count for mailing_id, count in counts.items() if mailing_id not in known)


def _stands_elsewhere(witness: Witness, database: Engine) -> bool:
    """Say whether the file that the witness saw still stands where it stood, and is not ours."""
    ours = sqlite_file(database)
    if ours is None or not witness.file or Path(witness.file) == ours.resolve():
        return False
    try:
        there = Path(witness.file).stat()
    except OSError:
        return False
    return there.st_ino == witness.inode and not os.path.samestat(there, ours.stat())


def _pause(ground: Ground, reason: str) -> None:
    now = ground.clock()
    with writing(ground.database) as connection:
        for one in mailing.every(connection, MailingState.RUNNING):
            mailing.move(connection, one.id, MailingState.PAUSED, now, reason)
            events.record(connection, "mailing.paused", one.name, now, "mailer", reason=reason)


def _minute(at: str) -> str:
    try:
        return f"{datetime.fromisoformat(at).astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    except ValueError:
        return at
