"""Retention: mailings that ended long ago are packed, a little at a time. Nothing is ever thrown away.

Promises: short transactions, and as much rest after each as it took, so that whoever sends is not held up; a bounded
amount at a time; killed at any moment, each delivery is in one place or the other, and the next time goes on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mailer.database import reading, writing
from mailer.delivery import ledger

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

AT_ONCE: Final = 40_000
"""Deliveries that are packed before others have their turn: some seconds."""


def pack_old(
    database: Engine, before: datetime, most: int = AT_ONCE, rest: Callable[[float], None] = time.sleep
) -> int:
    """Pack deliveries of mailings that ended before a moment, oldest first, until it is `most`; give how many."""
    with reading(database) as connection:
        old = ledger.ended(connection, before)
    done = 0
    for mailing_id in old:
        if done < most:
            done += _pack(database, mailing_id, before, most - done, rest)
    return done


def _pack(
    database: Engine, mailing_id: int, before: datetime, most: int, rest: Callable[[float], None]
) -> int:
    done = after = 0
    while done < most:
        began = time.monotonic()
        with writing(database) as connection:
            step = ledger.shelve(connection, mailing_id, before, after)
        if step is None:
            break
        done, after = done + step[0], step[1]
        rest(time.monotonic() - began)
    return done
