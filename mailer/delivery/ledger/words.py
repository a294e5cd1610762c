"""Conditions over `deliveries` that several statements share, and how claims fall into their kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, select, text

from mailer.delivery.states import MailingState
from mailer.delivery.tables import deliveries, mailings
from subscribers import Instant, still_reached

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import ColumnElement

    from mailer.delivery.model import Claim

WAITING: Final = text("deliveries.state IN ('planned', 'deferred')")
"""Planned or deferred, in literal words: only so can a database prove that the partial index serves."""

RUNNING: Final = (
    select(mailings.c.id)
    .where(mailings.c.id == bindparam("m", required=False), mailings.c.state == MailingState.RUNNING)
    .exists()
)
"""The mailing `:m` runs. Not correlated, so that it is asked once a statement and not once a row."""


def mailable(list_id: int, *, apart: bool = False) -> ColumnElement[bool]:
    """Say whether the reader of a row may be mailed on this list at `:now`, at the row's address.

    `apart` has a server look up each row by itself. Else it may join, and of a list that was imported a minute ago it
    believes that it is short: it reads all of it for each group.
    """
    now: Any = bindparam("now", type_=Instant(), required=False)
    found = still_reached(list_id, now, deliveries.c.subscriber_id, deliveries.c.address)
    # With an OFFSET PostgreSQL does not make a join of EXISTS.
    return (found.offset(0) if apart else found).exists()


def by_kind(claims: Iterable[Claim]) -> dict[tuple[int, int], list[Claim]]:
    """Give claims by mailing and list: those of one kind can be fenced by one statement. Pure."""
    kinds: dict[tuple[int, int], list[Claim]] = {}
    for item in claims:
        kinds.setdefault((item.mailing_id, item.list_id), []).append(item)
    return kinds
