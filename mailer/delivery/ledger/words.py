"""Conditions over `deliveries` that several statements share."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, text

from mailer.delivery.states import MailingState
from mailer.delivery.tables import mailings

WAITING: Final = text("deliveries.state IN ('planned', 'deferred')")
"""Planned or deferred, in literal words: only so can SQLite prove that the partial index serves."""

RUNNING: Final = (
    select(mailings.c.id)
    .where(mailings.c.id == bindparam("m", required=False), mailings.c.state == MailingState.RUNNING)
    .exists()
)
"""The mailing `:m` runs. Not correlated, so that it is asked once a statement and not once a row."""
