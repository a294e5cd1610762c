"""What a segment asks that nobody may ever answer: attributes that nobody has, and which issues it names.

Nothing of it is a mistake; a misspelt name looks the same to the database as one that is still to come. Reads a
bounded number of people, however many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import case, func, select

from subscribers.segment import expressions, on_postgresql, on_sqlite
from subscribers.segment.reading import FROZEN_LENGTH, parse_segment
from subscribers.segment.tree import Attribute, Received, leaves
from subscribers.status import PersonState
from subscribers.tables import subscribers

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["MOST", "named_issues", "on_postgresql", "on_sqlite", "unheld"]  # those two teach SQLAlchemy

MOST: Final = 10_000


def unheld(connection: Connection, text: str, most: int = MOST) -> tuple[str, ...]:
    """Give the attributes of a frozen text that none of the newest `most` people has, as `address.city`."""
    paths = list(
        dict.fromkeys(
            subject.path
            for leaf in leaves(parse_segment(text, FROZEN_LENGTH))
            if isinstance(subject := getattr(leaf, "subject", None), Attribute)
        )
    )
    if not paths:
        return ()
    mine = select(subscribers.c.attributes).where(subscribers.c.state == PersonState.PRESENT)
    newest = mine.order_by(subscribers.c.id.desc()).limit(most).subquery()
    known = [expressions.KnownOf(*expressions.attribute(path, newest.c.attributes)) for path in paths]
    count, *held = connection.execute(
        select(func.count(), *(func.count(case((each, 1))) for each in known)).select_from(newest)
    ).one()
    # Of nobody nothing can be told: a new newsletter has no readers yet.
    return tuple(".".join(path) for path, some in zip(paths, held, strict=True) if count and not some)


def named_issues(text: str) -> tuple[Received, ...]:
    """Give what a frozen text asks of issues by their number or slug, each once."""
    asked = leaves(parse_segment(text, FROZEN_LENGTH))
    return tuple(
        dict.fromkeys(each for each in asked if isinstance(each, Received) and each.issue is not None)
    )
