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
from mailer.delivery.sharing import Sums
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

    @property
    def sums(self) -> Sums:
        """Its sums, as the tripwire needs them."""
        return Sums(self.total, self.outcomes[DeliveryState.REFUSED], self.outcomes[DeliveryState.DEFERRED])


@dataclass(slots=True)
class Alarm:
    """What the tripwire hears of a mailing that runs: this process's tally, and the sums of the others."""

    wire: Tripwire
    tally: Tally
    others: Sums = field(default_factory=Sums)
    _seen: Sums = field(default_factory=Sums)

    @property
    def mine(self) -> Sums:
        """What came of it here since it was last resumed."""
        return self.tally.sums - self._seen

    def resumed(self) -> None:
        """Hear that a person has seen all that came until now, and let the mailing go on."""
        self._seen, self.others = self.tally.sums, Sums()

    def reason(self) -> str | None:
        """Give the reason to pause, or None."""
        return tripped(self.mine + self.others, self.tally.last_refusal, self.wire)


def tripped(sums: Sums, last: str, wire: Tripwire) -> str | None:
    """Give the reason to pause, or None; `last` is what the newest refusal said. Pure."""
    if sums.total < wire.after:
        return None
    limits = (
        ("refused", sums.refused, wire.refused_percent),
        ("deferred", sums.deferred, wire.deferred_percent),
    )
    for word, count, percent in limits:
        if count * 100 > percent * sums.total:
            said = f"; last: {last}" if last else ""
            return f"tripwire: {count:,} of {sums.total:,} were {word} (limit {percent:g} %){said}"
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
