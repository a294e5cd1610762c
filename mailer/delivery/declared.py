"""Declared mailings: issues that went out before this program did, and must not go out again.

A declared mailing is a cancelled one with a reason of its own: it has no readers, `send` refuses it by name, and
`--again NAME` is the one way to send such an issue all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer import events
from mailer.delivery import mailing
from mailer.delivery.states import MailingState

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.mailing import Mailing
    from mailer.edition import Edition

REASON: Final = "declared sent"


def declare(
    connection: Connection, edition: Edition, list_key: str, now: datetime, actor: str
) -> Mailing | None:
    """Write that this issue went out before; None if it has a mailing already. Raises UserError for a conflict."""
    mailing.opening(connection)
    if mailing.of_issue(connection, list_key, edition.number, edition.slug) is not None:
        return None
    made = mailing.open_mailing(connection, edition, list_key, now)
    mailing.move(connection, made.id, MailingState.CANCELLED, now, REASON)
    events.record(connection, "mailing.declared", made.name, now, actor)
    return made


def is_declared(found: Mailing) -> bool:
    """Say whether the mailing stands for an issue that went out elsewhere."""
    return found.state is MailingState.CANCELLED and found.reason == REASON
