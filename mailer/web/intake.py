"""What readers ask for: taken down in one INSERT and answered; worked off a moment later, by one task of the process.

So the answer, and the time it takes, is the same for everybody: whether an address is known, active, suppressed or new
decides nothing before it. A network has a budget of forms, checked at the door; an address and the whole newsletter
have budgets of letters, checked where the letter would be written. Promises: what was taken is worked off
once, also after a crash; nothing is kept longer than a day.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, insert, select, update

from mailer.errors import MailerError, TryLater
from mailer.web import budgets
from mailer.web.guards import tell
from mailer.web.problems import ProblemError
from mailer.web.requests import HANDLERS, AllSpent
from mailer.web.tables import requests

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.web.site import Site

log = logging.getLogger("mailer.web")
LOOK: Final = 1.0
PAUSE: Final = 0.25  # between a request and its working off: nothing of it shows in the next answer's time
TOGETHER: Final = 4
BATCH: Final = 40
MOST_TRIES: Final = 3
MOST_WAITING: Final = 10_000
OLDEST: Final = timedelta(days=1)
MOST_REFUSED: Final = 10_000
_R = requests.c
_HERE: Final = ("127.", "::")


class Intake:
    """Takes requests, and works them off until it is stopped."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._full = False
        self._refused: dict[str, float] = {}  # networks that have nothing left, and until when (monotonic)
        self._stopped = False

    async def take(self, kind: str, network: str, document: dict[str, Any], *, proven: bool = True) -> None:
        """Take a request down. Raises ProblemError: 429 for a network that has no budget left, 503 where too many wait.

        Without proof of work, where it is asked for, the network has a tenth of its budget.
        """
        who = network if proven else f"plain {network}"
        if (until := self._refused.get(who, 0)) > time.monotonic():
            raise _too_many(until - time.monotonic())
        if self._full:
            raise ProblemError(503, headers={"Retry-After": "600"})
        now = self._site.now()
        work = partial(self._written, kind, who, document, now, proven=proven)
        if seconds := await self._site.write(work):
            self._refuse(who, seconds)
            raise _too_many(seconds)
        self._site.wake.set()

    def _written(
        self,
        kind: str,
        who: str,
        document: dict[str, Any],
        now: datetime,
        connection: Connection,
        *,
        proven: bool,
    ) -> float:
        """Spend one of the network's budget and take the request down; else give the seconds to wait."""
        allowance = self._site.network_budget
        if not proven:
            allowance = budgets.Allowance(max(1, allowance.count // 10), allowance.seconds)
        subject = budgets.subject_of(self._site.ground.keys.suppression, who)
        if not budgets.spend(connection, budgets.NETWORK, subject, allowance, now):
            return max(1.0, budgets.wait(connection, budgets.NETWORK, subject, allowance, now))
        row = {"kind": kind, "document": json.dumps(document), "created_at": now}
        connection.execute(insert(requests).values(**row))
        return 0

    def _refuse(self, who: str, seconds: float) -> None:
        """Remember a network, so that a flood from it does not reach the database."""
        if who.removeprefix("plain ").startswith(_HERE):
            log.warning("all forms seem to come from this machine: does the proxy set X-Forwarded-For?")
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        self._refused[who] = time.monotonic() + seconds

    def stop(self) -> None:
        """End after what is being worked on."""
        self._stopped = True
        self._site.wake.set()

    async def run(self) -> None:
        """Work off what was asked for, as it comes."""
        forgotten = time.monotonic()
        while not self._stopped:
            try:
                more = await self._look()
                if time.monotonic() - forgotten > 3600:
                    forgotten = time.monotonic()
                    await self._site.write(lambda connection: budgets.forget(connection, self._site.now()))
            except MailerError as problem:
                log.warning("requests wait: %s", problem)
                more = False
            if not more:
                await self._rest()

    async def _rest(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._site.wake.wait(), LOOK)
            self._site.wake.clear()
            await asyncio.sleep(0 if self._stopped else PAUSE)

    async def _look(self) -> bool:
        """Work off a batch; false when nothing is left that could be done now."""
        ids, waiting = await self._site.read(_waiting)
        self._full = waiting > MOST_WAITING
        for start in range(0, len(ids), TOGETHER):
            works = [self._site.write(partial(self._work, one)) for one in ids[start : start + TOGETHER]]
            outcomes = await asyncio.gather(*works, return_exceptions=True)
            if not await self._settled(ids[start : start + TOGETHER], outcomes):
                return False
        return len(ids) == BATCH

    async def _settled(self, ids: list[int], outcomes: list[Any]) -> bool:
        """Count the tries of what went wrong; false where the budget of all is spent, or the database away."""
        for one, outcome in zip(ids, outcomes, strict=True):
            if isinstance(outcome, (AllSpent, TryLater)):
                log.warning("requests wait: %s", outcome)
                return False
            if isinstance(outcome, BaseException):
                _told(outcome)
                await self._site.write(partial(_tried, one))
        return True

    def _work(self, request_id: int, connection: Connection) -> None:
        """Take one request out of the table and do it, in one transaction: done once, or not at all."""
        mine = delete(requests).where(_R.id == request_id).returning(_R.kind, _R.document, _R.created_at)
        row = connection.execute(mine).first()
        if row is None or row.created_at < self._site.now() - OLDEST:
            return
        HANDLERS[row.kind](connection, self._site, json.loads(row.document))


def _too_many(seconds: float) -> ProblemError:
    detail = "Very many forms were sent from your network lately."
    return ProblemError(429, "Too many at once", detail, headers={"Retry-After": str(int(seconds) + 1)})


def _told(problem: BaseException) -> None:
    """Log what is wrong with one request, in its own words where they are for the operator."""
    if isinstance(problem, MailerError):
        log.error("a request cannot be worked off: %s", problem)
    else:
        tell(problem)


def _waiting(connection: Connection) -> tuple[list[int], int]:
    ids = connection.scalars(select(_R.id).order_by(_R.id).limit(BATCH)).all()
    return list(ids), connection.scalar(select(func.count()).select_from(requests)) or 0


def _tried(request_id: int, connection: Connection) -> None:
    connection.execute(update(requests).where(_R.id == request_id).values(tries=_R.tries + 1))
    connection.execute(delete(requests).where(_R.id == request_id, _R.tries >= MOST_TRIES))
