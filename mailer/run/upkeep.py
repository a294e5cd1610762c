"""The part that keeps house: each chore in its turn, by whichever process claims it in the database.

Promises: of several processes one does a chore, and one that died over it is followed by another within the hour; the
operator hears of a failure once a day; it ends between two chores.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, or_, update
from sqlalchemy.dialects import postgresql, sqlite

from mailer import events
from mailer.database import writing
from mailer.errors import MailerError
from mailer.run.chores import CHORES
from mailer.schedule.tables import chores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.ground import Ground
    from mailer.run.chores import Chore

log = logging.getLogger(__name__)
_LOOK: Final = 60.0  # seconds
_AGAIN: Final = timedelta(hours=1)  # after a chore that failed, or whose process died
_DAY: Final = timedelta(days=1)
_c = chores.c


async def run(ground: Ground, stopped: asyncio.Event, *, seconds: float = _LOOK) -> None:
    """Do what is due until it is stopped."""
    while not stopped.is_set():
        for chore in CHORES:
            if stopped.is_set():
                return
            await asyncio.to_thread(_guarded, ground, chore)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), seconds)


def keep_house(ground: Ground, wanted: Sequence[Chore] = CHORES) -> list[str]:
    """Do every chore that is due; give their names. What fails is told, and raised by none."""
    return [chore.name for chore in wanted if _guarded(ground, chore)]


def _guarded(ground: Ground, chore: Chore) -> bool:
    """Do a chore if it is due and nobody else does it; say whether it was done."""
    try:
        with writing(ground.database) as connection:
            if not claim(connection, chore, ground.clock()):
                return False
        chore.work(ground, ground.clock())
        with writing(ground.database) as connection:
            connection.execute(update(chores).where(_c.name == chore.name).values(done_at=ground.clock()))
    except (MailerError, OSError) as problem:
        _failed(ground, chore, str(problem))
        return False
    except Exception as problem:
        log.exception("the chore %s fell over", chore.name)
        _failed(ground, chore, type(problem).__name__)
        return False
    return True


def claim(connection: Connection, chore: Chore, now: datetime) -> bool:
    """Take a chore that is due: never done, done long enough ago, or begun by a process that did not end it.

    A claim in the future was made by a clock that was ahead, and counts for nothing.
    """
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    first = dialect.insert(chores).values(name=chore.name, claimed_at=now).on_conflict_do_nothing()
    if connection.execute(first.returning(_c.name)).first() is not None:
        return True
    undone = or_(_c.done_at.is_(None), _c.done_at < _c.claimed_at)
    due = or_(
        _c.claimed_at <= now - chore.every,
        and_(undone, _c.claimed_at <= now - _AGAIN),
        _c.claimed_at > now + _AGAIN,
    )
    taken = update(chores).where(_c.name == chore.name, due).values(claimed_at=now, done_at=None)
    return bool(connection.execute(taken).rowcount)


def _failed(ground: Ground, chore: Chore, reason: str) -> None:
    """Log a failure, and record it once a day."""
    log.warning("the chore %s failed: %s", chore.name, reason)
    now = ground.clock()
    with contextlib.suppress(MailerError), writing(ground.database) as connection:
        last = events.latest(connection, "upkeep.failed", chore.name)
        if last is None or last.at <= now - _DAY:
            events.record(connection, "upkeep.failed", chore.name, now, "mailer", reason=reason[:500])
