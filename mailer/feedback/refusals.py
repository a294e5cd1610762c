"""What servers say at once: a reader who is refused for good while we send is heard by the same policy as a bounce.

The engine's recorder calls the ear in the transaction that settles the delivery, so that the ledger and the reader's
standing move together. Promises: what cannot be heard never undoes what was settled.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mailer.feedback.model import Evidence, Kind, Notice, Permanence
from mailer.keys import Purpose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from mailer.delivery.model import Settlement
    from mailer.keys import Keys

log = logging.getLogger(__name__)
CHANNEL: Final = "smtp"
_STATUS: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")


def ear(keys: Keys) -> Callable[[Connection, Sequence[Settlement]], None]:
    """Give what hears of readers who were refused for good, in the caller's transaction."""

    def heard(connection: Connection, settlements: Sequence[Settlement]) -> None:
        for settlement in settlements:
            try:
                with connection.begin_nested():
                    _hear(connection, keys, settlement)
            except Exception:
                log.exception("what a server said of a reader could not be heard")

    return heard


def _hear(connection: Connection, keys: Keys, settlement: Settlement) -> None:
    from mailer.feedback.intake.blaming import blame  # noqa: PLC0415 - the policy is loaded with the first refusal
    from mailer.feedback.reading import reason_for  # noqa: PLC0415
    from mailer.feedback.taking import take  # noqa: PLC0415

    notice = told(keys, settlement)
    verdict = reason_for(notice.status, "", notice.reply)
    dead = verdict.hardbounce and notice.permanence is Permanence.PERMANENT
    notice = replace(notice, reason=verdict.reason, hardbounce=dead)
    taken = take(connection, keys, [notice], settlement.at, channel=CHANNEL)
    blame(connection, taken, settlement.at)


def told(keys: Keys, settlement: Settlement) -> Notice:
    """Give the notice of a refusal: it is about the very address that we mailed, so it proves itself."""
    claim, reply = settlement.claim, settlement.reply
    status = _STATUS.search(reply[:80])
    digit = reply[:1]
    permanence = Permanence.PERMANENT if digit == "5" else Permanence.TEMPORARY
    return Notice(
        kind=Kind.BOUNCE,
        recipient=claim.address,
        permanence=permanence,
        final=True,
        status=status[1] if status else "",
        reply=reply,
        at=settlement.at,
        key=f"smtp {claim.mailing_id} {claim.subscriber_id} {claim.attempts}",
        evidence=Evidence(token=keys.mail_token(Purpose.RETURN_PATH, claim.subscriber_id, claim.mailing_id)),
    )
