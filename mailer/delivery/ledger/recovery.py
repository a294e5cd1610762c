"""Recovery: what becomes of the rows of a worker that died, and of doubt that late proof ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, select, update

from mailer.delivery.states import DeliveryState as State
from mailer.delivery.states import MailingState
from mailer.delivery.tables import deliveries, mailings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.journal import Proof

_d = deliveries.c


class Recovered(NamedTuple):
    """What one recovery did."""

    proven: int
    uncertain: int
    given_back: int


def take_back(
    connection: Connection, epoch: int, proofs: Mapping[tuple[int, int], Proof], now: datetime
) -> Recovered:
    """Settle every row of a dead worker: proven by its journal, else uncertain if fenced, else given back.

    `epoch` must be dead: nothing else may still write for it.
    """
    # Finished mailings have no open rows; years of them need not be read.
    live = select(mailings.c.id).where(mailings.c.state != MailingState.FINISHED)
    mine = (_d.mailing_id.in_(live), _d.epoch == epoch)
    fenced = connection.execute(
        select(_d.mailing_id, _d.subscriber_id).where(*mine, _d.state == State.SENDING)
    ).all()
    proven = 0
    for mailing_id, subscriber_id in fenced:
        proof = proofs.get((mailing_id, subscriber_id))
        known = proof is not None and proof.state is not State.SENDING
        row = (_d.mailing_id == mailing_id, _d.subscriber_id == subscriber_id, _d.state == State.SENDING)
        values: dict[str, object] = {"at": now, "attempts": _d.attempts + 1}
        if proof is not None and known:
            proven += 1
            values |= {"state": proof.state, "relay_id": proof.relay_id, "due_at": now}
        else:
            values |= {"state": State.UNCERTAIN, "reply": "the process ended before the server answered"}
        connection.execute(update(deliveries).where(*row).values(values))
    given_back = connection.execute(
        update(deliveries)
        .where(*mine, _d.state == State.CLAIMED)
        .values(state=case((_d.attempts > 0, State.DEFERRED.value), else_=State.PLANNED.value))
    ).rowcount
    return Recovered(proven, len(fenced) - proven, given_back)


def replay(connection: Connection, proofs: Mapping[tuple[int, int], Proof], now: datetime) -> Recovered:
    """Bring a restored database up to what a journal knows: whoever it says was mailed is not mailed again.

    Unlike take_back it also moves rows that the old database believes untouched.
    """
    proven = uncertain = 0
    open_states = (State.PLANNED, State.CLAIMED, State.SENDING, State.DEFERRED)
    for proof in proofs.values():
        if proof.state is State.DEFERRED:
            continue
        doubt = proof.state is State.SENDING
        moved = connection.execute(
            update(deliveries)
            .where(
                _d.mailing_id == proof.mailing_id,
                _d.subscriber_id == proof.subscriber_id,
                _d.state.in_(open_states),
            )
            .values(
                state=State.UNCERTAIN if doubt else proof.state,
                relay_id=proof.relay_id,
                reply="known from the journal alone",
                at=now,
                attempts=_d.attempts + 1,
            )
        ).rowcount
        proven += 0 if doubt else moved
        uncertain += moved if doubt else 0
    return Recovered(proven, uncertain, 0)


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
