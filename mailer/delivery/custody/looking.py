"""Looking: what the witness, the journals and the database say of each other. Writes nothing.

Promises: the files are read before the database, so that a process that starts meanwhile never looks like a gap. What
was seen means nothing yet: witness.py decides, by that alone.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.database import reading, sqlite_file
from mailer.delivery import journal, ledger
from mailer.delivery.custody import home, workers
from mailer.delivery.custody.sequences import highest_ids
from mailer.delivery.custody.witness import Seen, Witness, read_witness
from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from mailer.delivery.ground import Ground


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


def _forked(
    connection: Connection, ground: Ground, witness: Witness, epoch: int, journals: frozenset[int]
) -> bool:
    """Say whether an epoch that the database and this folder both know was not the same worker's.

    Asked of the witness's epoch and of the newest journal that the database can know: what forked stays forked.
    """
    if witness.born != home.born(connection):
        return True
    newest = max((one for one in journals if witness.since < one <= epoch), default=0)
    marks = {newest: journal.mark_of(ground.journals, newest), witness.epoch: witness.mark}
    found = {one: workers.mark(connection, one) for one in marks}
    return any(marks[one] and found[one] and marks[one] != found[one] for one in marks)


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
