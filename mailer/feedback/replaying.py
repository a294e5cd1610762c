"""Mails that nobody understood are read again, after the rules got better: what is proven now counts now."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailer.database import reading, writing
from mailer.feedback.intake import keeping
from mailer.feedback.intake.hearing import hear
from mailer.feedback.reading import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from mailer.delivery.ground import Ground


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of kept mails: how many were read, and how many of them are understood now, by kind."""

    read: int = 0
    solved: dict[str, int] = field(default_factory=dict)


def replay(ground: Ground) -> Replayed:
    """Read every kept mail again, each in a transaction of its own."""
    number, solved = 0, dict[str, int]()
    for row in _every(ground):
        number += 1
        kind = _again(ground, row)
        if kind is not None:
            solved[kind] = solved.get(kind, 0) + 1
    return Replayed(number, solved)


def _every(ground: Ground) -> Iterator[Any]:
    after = 0
    while True:
        with reading(ground.database) as connection:
            rows = keeping.kept(connection, after=after, limit=20)
        if not rows:
            return
        yield from rows
        after = rows[-1].id


def _again(ground: Ground, row: Any) -> str | None:
    """Hear a kept mail once more; give what it is if it is understood now."""
    raw = bytes(row.raw)
    found = read(raw)
    with writing(ground.database) as connection:
        heard = hear(connection, ground, found, raw, ground.clock(), channel=row.channel)
        if not heard.understood or heard.person:
            return None
        keeping.solve(connection, row.id, ground.clock())
    return heard.kind.value
