"""What the interfaces hold of a person: provider's events that nobody understood, and answers under idempotency keys.

The queue of hooks going out holds ids alone. Both go by themselves, after a month and a day; here they go at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailer import tokens
from mailer.hooks import incoming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def held(connection: Connection, _subscriber_id: int, addresses: Sequence[str]) -> dict[str, Any]:
    """Give the kept events that mention a person's addresses."""
    return {"reports": incoming.mentioning(connection, addresses)}


def erased(connection: Connection, _subscriber_id: int, addresses: Sequence[str]) -> None:
    """Blank what mentions a person's addresses."""
    incoming.blank(connection, addresses)
    tokens.forget_answers(connection, addresses)
