"""Notices are taken in: each once, proven by its evidence, and what it means is applied. One transaction, the caller's.

Only what proves that we mailed a reader can touch one (D19): a genuine token of the return path or of the unsubscribe
mailbox, a Message-ID or envelope id of ours, or a relay's id together with the address it went to. Everything else is
written down and changes nothing. Never: commits, answers a mail, or believes an address that a report merely names.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

import subscribers
from mailer import events
from mailer.delivery import ledger, mailing
from mailer.feedback import alarm
from mailer.feedback.history import days_without_delivery
from mailer.feedback.model import Kind, Permanence
from mailer.feedback.policy import Effect, Standing, decide
from mailer.feedback.reading import reason_for
from mailer.feedback.reading.octets import storable
from mailer.feedback.tables import notices as table
from mailer.keys import Purpose
from mailer.letters.welcome import FIRST
from mailer.message.identity import read_message_id

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ledger.places import Place
    from mailer.feedback.model import Notice
    from mailer.keys import Keys
    from mailer.settings import Tripwire

LONGEST_REPLY: Final = 500
ACTOR: Final = "mailer"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of notices: how many were new, proven, and changed something; `effects` has one for each new one.

    `ours` has the addresses that we had mailed, each with the first notice that found the fault with us.
    """

    new: int
    known: int
    proven: int
    changed: int
    effects: tuple[Effect, ...] = ()
    ours: tuple[tuple[str, Notice], ...] = ()


class Proof(NamedTuple):
    """Whom a notice is about, and what proves it; `list_id` where the token is one of the unsubscribe mailbox."""

    how: str
    subscriber_id: int
    mailing_id: int | None = None
    list_id: int | None = None


def take(
    connection: Connection,
    keys: Keys,
    notices: Iterable[Notice],
    now: datetime,
    *,
    channel: str,
    wire: Tripwire | None = None,
    again: bool = False,
) -> Taken:
    """Store each notice once by its key, prove it, decide and apply; the caller commits.

    With `wire` a mailing of which too much came back is paused. With `again` a notice that had changed nothing is
    decided anew: the rules got better.
    """
    effects: list[Effect | None] = []
    ours: dict[Proof, Notice] = {}
    touched: defaultdict[int, Counter[Kind]] = defaultdict(Counter)
    for notice in notices:
        proof = prove(connection, keys, notice)
        judged = _judged(notice)
        effect = _take_one(connection, judged, proof, now, channel, again=again)
        effects.append(effect)
        if effect is Effect.OURS and proof:
            ours.setdefault(proof, judged)
        if (
            effect in {Effect.LOST, Effect.COUNTED, Effect.OURS, Effect.COMPLAINED}
            and proof
            and proof.mailing_id
        ):
            touched[proof.mailing_id][notice.kind] += 1
    if wire is not None:
        for mailing_id, new in sorted(touched.items()):
            alarm.hear(connection, mailing_id, wire, now, new)
    return _summed(effects, tuple((_mailed(connection, proof), notice) for proof, notice in ours.items()))


def prove(connection: Connection, keys: Keys, notice: Notice) -> Proof | None:
    """Say which delivery of ours a notice is about, or None if nothing proves that it is about one."""
    evidence = notice.evidence
    about = keys.read_mail_token(Purpose.RETURN_PATH, evidence.token)
    if about is not None:
        return Proof("token", about[0], about[1])
    wish = keys.read_mail_token(Purpose.UNSUBSCRIBE, evidence.token)
    if wish is not None:
        return Proof("token", wish[0], None, wish[1])
    for how, text in (("message-id", evidence.message_id), ("envid", evidence.envid)):
        about = read_message_id(keys, text)
        if about is not None:
            return Proof(how, about[0], about[1])
    return _by_relay(connection, notice)


def _by_relay(connection: Connection, notice: Notice) -> Proof | None:
    """Find the delivery that a relay's own id names; the address it went to must be the one that is named."""
    relay_id, recipient = storable(notice.evidence.relay_id), storable(notice.recipient)
    if not relay_id or not recipient:
        return None
    person = subscribers.find(connection, recipient)
    place = ledger.by_relay_id(connection, relay_id, person.id) if person else None
    return Proof("relay-id", place.subscriber_id, place.mailing_id) if place else None


def _judged(notice: Notice) -> Notice:
    """Give a bounce without a reason the one that its words name."""
    if notice.kind is not Kind.BOUNCE or notice.reason:
        return notice
    verdict = reason_for(notice.status, "", notice.reply)
    permanence = notice.permanence
    permanence = verdict.permanence if permanence is Permanence.NONE else permanence
    dead = verdict.hardbounce and permanence is Permanence.PERMANENT
    return replace(notice, reason=verdict.reason, permanence=permanence, hardbounce=dead or notice.hardbounce)


def _take_one(
    connection: Connection, notice: Notice, proof: Proof | None, now: datetime, channel: str, *, again: bool
) -> Effect | None:
    """Take one notice; None if it was heard before."""
    place = _place(connection, proof)
    effect = _decided(connection, notice, proof, place, now)
    row = _row(notice, proof, effect, now, channel)
    if not _store(connection, row, again=again):
        return None
    if proof is not None:
        _apply(connection, notice, proof, effect, now, channel)
        if place is not None and notice.kind in {Kind.BOUNCE, Kind.DELIVERED, Kind.COMPLAINT, Kind.AUTOREPLY}:
            # Whatever comes back of a message proves that a server had taken it.
            ledger.late_proof(
                connection, place.mailing_id, place.subscriber_id, "proven by what came back", now
            )
    return effect


def _place(connection: Connection, proof: Proof | None) -> Place | None:
    if proof is None or proof.mailing_id is None:
        return None
    return ledger.find(connection, proof.mailing_id, proof.subscriber_id)


def _mailed(connection: Connection, proof: Proof) -> str:
    """Give the address that a delivery went to, or the reader's where there is none."""
    place = _place(connection, proof)
    return (place.address if place else subscribers.get(connection, proof.subscriber_id).email) or ""


def _decided(
    connection: Connection, notice: Notice, proof: Proof | None, place: Place | None, now: datetime
) -> Effect:
    if proof is None:
        return Effect.UNPROVEN
    try:
        person = subscribers.get(connection, proof.subscriber_id)
    except subscribers.UnknownSubscriber:
        return Effect.UNPROVEN
    mailed = (place.address if place else person.email or "").lower()
    named = not notice.recipient or notice.recipient.lower() == mailed
    current = bool(person.email) and mailed == (person.email or "").lower()
    days = days_without_delivery(connection, person.id, now) if notice.kind is Kind.BOUNCE else ()
    return decide(notice, Standing(named=named, current=current, days=days), now)


def _row(notice: Notice, proof: Proof | None, effect: Effect, now: datetime, channel: str) -> dict[str, Any]:
    return {
        "key": storable(notice.key)[:200],
        "channel": channel[:64],
        "kind": notice.kind.value,
        "proof": proof.how if proof else "",
        "subscriber_id": proof.subscriber_id if proof else None,
        "mailing_id": proof.mailing_id if proof else None,
        "recipient": storable(notice.recipient)[:320],
        "reason": notice.reason[:32],
        "permanence": notice.permanence.value,
        "final": notice.final,
        "hardbounce": notice.hardbounce,
        "status": storable(notice.status)[:16],
        "feedback": storable(notice.feedback)[:40],
        "reply": storable(notice.reply)[:LONGEST_REPLY],
        "effect": effect.value,
        "said_at": notice.at,
        "at": now,
    }


def _store(connection: Connection, row: dict[str, Any], *, again: bool) -> bool:
    """Write a notice down, unless its key is known; say whether it was new.

    A report that nothing proved is new once something does: another channel may carry the proof.
    """
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = make(table).values(row)
    open_effects = _IDLE if again else (Effect.UNPROVEN.value,)
    if row["proof"]:
        anew = table.c.effect.in_(open_effects)
        kept = statement.on_conflict_do_update(index_elements=["key"], set_=row, where=anew)
    else:
        kept = statement.on_conflict_do_nothing(index_elements=["key"])
    return connection.execute(kept.returning(table.c.id)).first() is not None


_IDLE: Final = tuple(effect.value for effect in (Effect.UNPROVEN, Effect.NOTED, Effect.OURS, Effect.COUNTED))


def _apply(
    connection: Connection, notice: Notice, proof: Proof, effect: Effect, now: datetime, channel: str
) -> None:
    """Change what the effect says, and record what a reader's history should hold."""
    subject = str(proof.subscriber_id)
    if effect in {Effect.LOST, Effect.WORN_OUT}:
        why = notice.reason if effect is Effect.LOST else f"worn out: {notice.reason}"
        if subscribers.lose(connection, proof.subscriber_id, now, why):
            events.record(connection, "reader.bounced", subject, now, ACTOR, reason=why, status=notice.status)
    elif effect is Effect.COMPLAINED:
        key = list_key(connection, proof)
        left = subscribers.complain(connection, proof.subscriber_id, key, now, channel)
        said = {"how": channel, "lists": list(left), "feedback": notice.feedback}
        events.record(connection, "reader.complained", subject, now, ACTOR, **said)
    elif effect is Effect.UNSUBSCRIBED:
        left = subscribers.unsubscribe(
            connection, proof.subscriber_id, list_key(connection, proof), now, "mail"
        )
        if left:
            events.record(
                connection, "reader.unsubscribed", subject, now, ACTOR, how="mail", lists=list(left)
            )


def list_key(connection: Connection, proof: Proof) -> str | None:
    """Give the list that a notice is about, where it is still known."""
    list_id = proof.list_id
    if list_id is None and proof.mailing_id is not None and proof.mailing_id > FIRST:  # of a welcome letter
        list_id = proof.mailing_id - FIRST
    if list_id is not None:
        ids = subscribers.list_ids(connection)
        return next((key for key, number in ids.items() if number == list_id), None)
    if proof.mailing_id is None or not ledger.known_mailings(connection, {proof.mailing_id}):
        return None
    return mailing.get(connection, proof.mailing_id).list_key


def _summed(effects: list[Effect | None], ours: tuple[tuple[str, Notice], ...]) -> Taken:
    new = tuple(effect for effect in effects if effect is not None)
    proven = sum(effect is not Effect.UNPROVEN for effect in new)
    idle = {Effect.UNPROVEN, Effect.NOTED, Effect.OURS}
    changed = sum(effect not in idle for effect in new)
    return Taken(len(new), len(effects) - len(new), proven, changed, new, ours)


def came_back(connection: Connection, mailing_id: int) -> dict[int, list[dict[str, Any]]]:
    """Give what came back of a mailing, {subscriber: notices}, oldest first, for `mailer audit`."""
    query = select(table).where(table.c.mailing_id == mailing_id).order_by(table.c.id)
    told: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(query):
        told.setdefault(row.subscriber_id, []).append({name: getattr(row, name) for name in _TOLD})
    return told


_TOLD: Final = ("at", "channel", "kind", "reason", "permanence", "status", "reply", "effect")
