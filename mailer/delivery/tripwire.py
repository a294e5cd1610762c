"""The tripwire: when so much goes wrong that a mailing had better stop and ask.

Refusals and deferrals are heard where the messages are sent, as they come (`tripped`, pure); bounces and complaints
come later and elsewhere, and are told to `hear_notices`. Promises: says nothing before `after` outcomes are known;
what a person has seen and resumed in spite of is not held against the mailing again. The defaults and their reasons
stand in docs/sending.md.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailer import events
from mailer.delivery import ledger, mailing
from mailer.delivery.states import DeliveryState, MailingState

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.settings import Tripwire


_ADDRESS = re.compile(r"[^\s<>()\[\],;:\"']+@[^\s<>()\[\],;:\"']+")


@dataclass(slots=True)
class Tally:
    """What came of the messages of one mailing in this process."""

    outcomes: Counter[DeliveryState] = field(default_factory=Counter)
    last_refusal: str = ""

    @property
    def total(self) -> int:
        """How many outcomes are known."""
        return sum(self.outcomes.values())


def tripped(tally: Tally, wire: Tripwire) -> str | None:
    """Give the reason to pause, or None."""
    total = tally.total
    if total < wire.after:
        return None
    limits = (
        (DeliveryState.REFUSED, wire.refused_percent),
        (DeliveryState.DEFERRED, wire.deferred_percent),
    )
    for state, percent in limits:
        count = tally.outcomes[state]
        if count * 100 > percent * total:
            return f"tripwire: {count:,} of {total:,} were {state} (limit {percent:g} %); last: {tally.last_refusal}"
    return None


def discreet(reply: str, address: str = "") -> str:
    """Give a server's words without addresses, as they may stand in reasons and events. Pure."""
    text = _ADDRESS.sub("…", reply)
    local = re.escape(address.rpartition("@")[0])
    return re.sub(rf"(?<!\w){local}(?!\w)", "…", text, flags=re.IGNORECASE) if len(local) > 1 else text


def since(connection: Connection, mailing_id: int) -> datetime | None:
    """Give when a running mailing began to run, or was resumed the last time; None if it does not run.

    Only notices about deliveries that were accepted since then are to be counted for `hear_notices`.
    """
    found = mailing.get(connection, mailing_id)
    return found.changed_at if found.state is MailingState.RUNNING else None


def hear_notices(
    connection: Connection,
    mailing_id: int,
    wire: Tripwire,
    now: datetime,
    *,
    bounced: int,
    complained: int,
    last: str = "",
) -> str | None:
    """Pause a running mailing of which too much came back; give the reason, or None if it may go on.

    `bounced` and `complained` are how many notices there are about deliveries accepted `since`; `last` is what the
    newest of them said, of which addresses are left out. In the caller's transaction; the process that sends is
    granted no fence after its commit. Counts at most as many deliveries as could make the notices too many, never a
    whole mailing.
    """
    began = since(connection, mailing_id)
    if began is None:
        return None
    heard = (("bounced", bounced, wire.bounced_percent), ("complained", complained, wire.complaint_percent))
    for word, count, percent in heard:
        enough = max(wire.after, int(count * 100 / percent) + 1)  # with so many accepted, `count` is no alarm
        if count * 100 <= percent * wire.after:
            continue
        accepted = ledger.count_accepted(connection, mailing_id, began, enough)
        if accepted >= wire.after and count * 100 > percent * accepted:
            words = f"; last: {discreet(last)}" if last else ""
            reason = f"tripwire: {count:,} of {accepted:,} {word} (limit {percent:g} %){words}"
            pause(connection, mailing_id, now, reason)
            return reason
    return None


def pause(connection: Connection, mailing_id: int, now: datetime, reason: str) -> bool:
    """Pause a mailing by itself and say why, in an event; false if it does not run any more."""
    moved = mailing.move(connection, mailing_id, MailingState.PAUSED, now, reason)
    if moved:
        name = mailing.get(connection, mailing_id).name
        events.record(connection, "mailing.paused", name, now, "mailer", reason=reason)
    return moved
