"""Securing: before anything is sent, the database is held against the witness; here is done what witness.py decides.

Promises: a database that lost commits (restored, copied back, cut off by a power loss) is brought up to what the
journals know, if they know all; else every running mailing is paused, nothing is sent, and a person hears what is
missing until `adopt`. Ids that were handed out once are never handed out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from mailer import events
from mailer.database import writing
from mailer.delivery import journal, ledger, mailing
from mailer.delivery.custody import workers
from mailer.delivery.custody.attesting import attest
from mailer.delivery.custody.looking import look
from mailer.delivery.custody.sequences import raise_ids
from mailer.delivery.custody.witness import Seen, Trust, decide
from mailer.delivery.states import MailingState
from mailer.errors import PersonNeeded, Problem, TryLater

if TYPE_CHECKING:
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


def secure(ground: Ground) -> CaughtUp | None:
    """Let nothing be sent from a database that does not know what went out.

    Gives what the journals had to tell, if anything. Raises PersonNeeded, with every running mailing paused, where
    they cannot tell all; TryLater while a process still sends with the newer database.
    """
    seen = look(ground)
    match trust := decide(seen):
        case Trust.FRESH:
            # Before the first epoch: a start that dies at once must not look like another machine's.
            attest(ground)
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


def replay(ground: Ground, epoch: int, *, unended: bool = False) -> Told:
    """Tell the database all that a worker's journal knows, a page a transaction.

    `unended`: only until another process has accounted for the worker, for from then on its rows are others'.
    """
    proven = uncertain = 0
    highest = {"mailings": 0, "subscribers": 0}
    proofs = journal.proofs(ground.journals, epoch)
    while page := list(islice(proofs, _PAGE)):
        with writing(ground.database) as connection:
            if unended and not workers.seize(connection, epoch):
                break
            done = ledger.replay(connection, {one[:2]: one for one in page}, ground.clock())
        proven, uncertain = proven + done.proven, uncertain + done.uncertain
        highest["mailings"] = max(highest["mailings"], *(one.mailing_id for one in page))
        highest["subscribers"] = max(highest["subscribers"], *(one.subscriber_id for one in page))
    return Told(proven, uncertain, highest)


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
