"""Recovery: what becomes of the rows of a worker that died, and of doubt that late proof ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import and_, bindparam, case, insert, or_, select, update

from mailer.delivery.ledger import packed, shelving
from mailer.delivery.ledger.planning import plan
from mailer.delivery.ledger.words import WAITING as WAITING_ROWS
from mailer.delivery.states import OPEN, MailingState, Skip
from mailer.delivery.states import DeliveryState as State
from mailer.delivery.tables import audiences, deliveries, mailings
from subscribers import audience

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime
    from typing import TypeAlias

    from sqlalchemy import ColumnElement, Connection

    from mailer.delivery.journal import Proof

    Proofs: TypeAlias = Mapping[tuple[int, int], Proof]
    Prove: TypeAlias = Callable[[Collection[tuple[int, int]]], Proofs]

_d = deliveries.c


class Recovered(NamedTuple):
    """What one recovery did."""

    proven: int
    uncertain: int
    given_back: int


def take_back(
    connection: Connection,
    epoch: int,
    prove: Prove,
    now: datetime,
    within: Iterable[tuple[int, int, int]] | None = None,
) -> Recovered:
    """Settle every row of a dead worker: proven by its journal, else uncertain if fenced, else given back.

    `epoch` must be dead: nothing else may still write for it. `prove` is asked what its journal says of the rows that
    it had fenced. What it held or laid back of a cancelled mailing is skipped: who cancelled it went through those that
    waited then. `within` says where all its rows are, if that is known: mailing, first and last reader, and nobody in
    two of them. Else every mailing that is not over is read, which of workers that end together each would do.
    """
    # Nobody cancels before this is committed: else what is laid back here would be seen by neither.
    open_ = select(mailings.c.id).where(mailings.c.state.in_((MailingState.RUNNING, MailingState.PAUSED)))
    connection.execute(open_.with_for_update(read=True))
    parts = _parts(within)
    rows = select(_d.mailing_id, _d.subscriber_id, _d.state).where(
        _d.epoch == epoch, _d.state.in_((State.SENDING, State.CLAIMED))
    )
    held = [row for part in parts for row in connection.execute(rows.where(part))]
    fenced = {(row.mailing_id, row.subscriber_id) for row in held if row.state == State.SENDING}
    proofs = prove(fenced)
    proven = sum(_settle(connection, epoch, each, proofs.get(each), now) for each in fenced)
    if len(held) > len(fenced):
        _lay_back(connection, epoch, parts)
    _skip_cancelled(connection, epoch, now)
    return Recovered(proven, len(fenced) - proven, len(held) - len(fenced))


def _parts(within: Iterable[tuple[int, int, int]] | None) -> list[ColumnElement[bool]]:
    """Give where to look, a part at a time."""
    if within is None:
        # Finished mailings have no open rows; years of them need not be read.
        return [_d.mailing_id.in_(select(mailings.c.id).where(mailings.c.state != MailingState.FINISHED))]
    return [
        and_(_d.mailing_id == mailing_id, _d.subscriber_id.between(first, last))
        for mailing_id, first, last in within
    ]


def _settle(
    connection: Connection, epoch: int, key: tuple[int, int], proof: Proof | None, now: datetime
) -> bool:
    """Settle one row that was fenced: as the journal says, else in doubt. Say whether the journal proved it."""
    row = (_d.mailing_id == key[0], _d.subscriber_id == key[1], _d.state == State.SENDING, _d.epoch == epoch)
    values: dict[str, object] = {"at": now, "attempts": _d.attempts + 1}
    proven = proof is not None and proof.state is not State.SENDING
    if proof is not None and proven:
        values |= {"state": proof.state, "relay_id": proof.relay_id, "due_at": now}
    else:
        values |= {"state": State.UNCERTAIN, "reply": "the process ended before the server answered"}
    connection.execute(update(deliveries).where(*row).values(values))
    return proven


def _lay_back(connection: Connection, epoch: int, parts: Iterable[ColumnElement[bool]]) -> None:
    """Lay back what was claimed and never fenced."""
    waits = case((_d.attempts > 0, State.DEFERRED.value), else_=State.PLANNED.value)
    mine = update(deliveries).where(_d.epoch == epoch, _d.state == State.CLAIMED).values(state=waits)
    for part in parts:
        connection.execute(mine.where(part))


def _skip_cancelled(connection: Connection, epoch: int, now: datetime) -> None:
    """Skip what waits of cancelled mailings and was this worker's last."""
    cancelled = select(mailings.c.id).where(mailings.c.state == MailingState.CANCELLED)
    # One by one, and mostly none: a server that is asked for all at once goes through whoever waits anywhere.
    for mailing_id in connection.execute(cancelled).scalars().all():
        connection.execute(
            update(deliveries)
            .where(_d.mailing_id == mailing_id, _d.epoch == epoch, WAITING_ROWS)
            .values(state=State.SKIPPED, reason=Skip.CANCELLED, at=now)
        )


FROM_JOURNAL: Final = "known from the journal alone"


def replay(connection: Connection, proofs: Proofs, now: datetime) -> Recovered:
    """Bring a database that lost its newest commits up to what a journal knows: nobody is mailed again.

    The moves were made once, in a history that this database does not hold; so here alone a row may go from planned
    to a final state, and who has no row yet is given one. What the journal says later corrects what it said before.
    Proofs of a mailing that the database does not know are passed over; see `known_mailings`.
    """
    proven = uncertain = 0
    for mailing_id in known_mailings(connection, {proof.mailing_id for proof in proofs.values()}):
        told = {proof.subscriber_id: proof for proof in proofs.values() if proof.mailing_id == mailing_id}
        _remember(connection, mailing_id, set(told), now)
        moves = _moves(connection, mailing_id, told, now)
        if moves:
            connection.execute(_REPLAY, moves)
        doubts = sum(move["state"] == State.UNCERTAIN for move in moves)
        proven, uncertain = proven + len(moves) - doubts, uncertain + doubts
    return Recovered(proven, uncertain, 0)


def known_mailings(connection: Connection, ids: Collection[int]) -> set[int]:
    """Give those of the ids that this database has a mailing of."""
    return set(connection.execute(select(mailings.c.id).where(mailings.c.id.in_(list(ids)))).scalars())


_REPLAY = (
    update(deliveries)
    .where(_d.mailing_id == bindparam("m"), _d.subscriber_id == bindparam("s"))
    .values(
        state=bindparam("state"),
        relay_id=bindparam("relay_id"),
        reply=FROM_JOURNAL,
        at=bindparam("now"),
        due_at=bindparam("now"),
        attempts=_d.attempts + 1,
    )
)


def _moves(
    connection: Connection, mailing_id: int, told: Mapping[int, Proof], now: datetime
) -> list[dict[str, object]]:
    """Decide which rows the proofs move: the open ones, and doubts that an earlier page of the journal left.

    A deferral ends such a doubt and nothing else. Whose row is in hand may be another's by now, and be on its way: it
    would wait again, and get a second copy; if it is still the dead worker's, `take_back` lays it back.
    """
    doubt = and_(_d.state == State.UNCERTAIN, _d.reply == FROM_JOURNAL)
    rows = connection.execute(
        select(_d.subscriber_id, _d.state).where(
            _d.mailing_id == mailing_id, _d.subscriber_id.in_(list(told)), or_(_d.state.in_(OPEN), doubt)
        )
    ).all()
    moves: list[dict[str, object]] = []
    for subscriber_id, state in rows:
        proof = told[subscriber_id]
        target = State.UNCERTAIN if proof.state is State.SENDING else proof.state
        if target != state and (target is not State.DEFERRED or state == State.UNCERTAIN):
            values = {"state": target.value, "relay_id": proof.relay_id, "now": now}
            moves.append({"m": mailing_id, "s": subscriber_id, **values})
    return moves


def _remember(connection: Connection, mailing_id: int, subscribers: set[int], now: datetime) -> None:
    """Give a row to each of these who has none: the database was kept before they were planned.

    Who is no reader any more, or is unknown to this database, gets one without an address: the sums stay true, and
    should the address come back, it is not mailed again.
    """
    if shelving.hold(connection, mailing_id):
        subscribers = subscribers - packed.known(connection, mailing_id, subscribers)
    known = select(_d.subscriber_id).where(
        _d.mailing_id == mailing_id, _d.subscriber_id.in_(list(subscribers))
    )
    missing = subscribers - set(connection.execute(known).scalars())
    if not missing:
        return
    edition_id = connection.execute(
        select(mailings.c.edition_id).where(mailings.c.id == mailing_id)
    ).scalar_one()
    lists = connection.execute(
        select(audiences.c.list_id).where(audiences.c.mailing_id == mailing_id).distinct()
    ).scalars()
    for list_id in (every := list(lists)):
        readers = audience(list_id, now)
        readers = readers.where(readers.selected_columns.subscriber_id.in_(list(missing)))
        plan(connection, readers, mailing_id=mailing_id, edition_id=edition_id, due_at=now)
    missing -= set(connection.execute(known).scalars())
    blank = {"mailing_id": mailing_id, "edition_id": edition_id, "list_id": every[0] if every else 0}
    blank |= {"address_id": 0, "address": "", "domain": "", "due_at": now, "state": State.PLANNED}
    if missing:
        connection.execute(insert(deliveries), [{**blank, "subscriber_id": one} for one in missing])


def late_proof(
    connection: Connection, mailing_id: int, subscriber_id: int, reply: str, now: datetime
) -> bool:
    """Move an uncertain delivery to accepted: a bounce or a report proves that the server had taken it."""
    return bool(
        connection.execute(
            update(deliveries)
            .where(
                _d.mailing_id == mailing_id,
                _d.subscriber_id == subscriber_id,
                _d.state == State.UNCERTAIN,
            )
            .values(state=State.ACCEPTED, reply=reply, at=now)
        ).rowcount
    )
