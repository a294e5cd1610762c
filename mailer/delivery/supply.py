"""Supply: planning, claiming, and what this process holds, for one mailing.

Promises: while there is something due the desk is not empty; readers are planned while the first messages leave; what
a slow domain has too much of goes back to the ledger, and so does everything at the end. All work on the database
goes through the recorder.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from mailer.delivery import desk, ledger
from mailer.delivery.ahead import Ahead
from mailer.delivery.custody import workers
from mailer.delivery.desk import Desk
from mailer.delivery.states import DeliveryState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.handed import Handed
    from mailer.delivery.model import Claim, Counts
    from mailer.delivery.sharing import Turns
    from mailer.delivery.work import Work
    from mailer.message import Message

BATCH: Final = 500  # claims in one transaction
_WHOLE: Final = 1_500  # of a batch: all of it, or each claim reads again what the last one took
LOW: Final = 250  # claims on the desk below which more are fetched


class Supply:
    """Keeps the lanes in claims. `more` is rung when there are new ones."""

    def __init__(self, work: Work, turns: Mapping[str, Turns]) -> None:
        self.more = asyncio.Event()
        domains = work.settings.domains.items()
        self.desk = Desk(
            {name: limit.per_second for name, limit in domains if limit.per_second},
            {name: 0 for name, limit in domains if limit.connections},  # until some are lent
            turns,
        )
        self._work = work
        self._loop = asyncio.get_running_loop()
        self._ahead = Ahead(work.presses.order) if work.presses.signers else None
        self._in_flight = 0
        self._planning = True
        self._closed = False
        self._low = asyncio.Event()

    def close(self) -> None:
        """Give nothing out any more, and let whoever waits here go."""
        self._closed = True
        if self._work.handed is not None:
            self._work.handed.close()
        self._low.set()
        self.more.set()

    async def plan(self) -> None:
        """Plan the audience to its end, a chunk at a time."""
        planner, clock = self._work.planner, self._work.clock
        while not self._closed and await self._work.recorder.call(lambda c: planner.step(c, clock())):
            self._low.set()
        self._planning = False
        self._low.set()

    async def run(self) -> None:
        """Fetch claims until nothing is due that this run has to stay for."""
        while not self._closed:
            self._low.clear()
            await self._give_back_surplus()
            claims = await self._fetch() if self.desk.ready < LOW else []
            if claims:
                self._work.presses.freshen(self._work.clock())
                self.desk.add(claims)
                self._look_ahead()
                self.more.set()
            if self.desk.ready >= LOW:
                await self._low.wait()
            elif not claims and await self._nothing_due():
                return

    async def _fetch(self) -> list[Claim]:
        """Claim what is due: of the batch in turn, where batches are handed to this process."""
        handed = self._work.handed
        # To look past the readers of crowded domains may take as long as there are readers.
        brief = not self.desk.crowded(self._loop.time())
        if handed is None:
            return await self._work.recorder.call(self._claiming(), brief=brief)
        while (batch := handed.current) is not None:
            claim = self._claiming(most=_WHOLE, within=(batch.first, batch.last))
            claims = await self._work.recorder.call(claim, brief=brief)
            if len(claims) < _WHOLE:
                handed.exhausted()
            if claims:
                return claims
        return []

    def wants(self) -> bool:
        """Say whether connections are of use here."""
        return self._planning or self.holds() or self._in_flight > 0

    def holds(self) -> bool:
        """Say whether there is anything to send here."""
        return bool(self.desk)

    def _claiming(self, **what: Any) -> Callable[[Connection], list[Claim]]:
        """Give a claim that may be repeated: what was claimed, and not heard of, is known by its moment."""
        now, tries = self._work.clock(), count()
        return lambda connection: self._claim(connection, now, again=next(tries) > 0, **what)

    def _claim(
        self,
        connection: Connection,
        now: datetime,
        *,
        again: bool,
        most: int = BATCH,
        within: tuple[int, int] | None = None,
    ) -> list[Claim]:
        work, epoch = self._work, self._work.worker.epoch
        # To seize it waits until the try whose answer was lost has ended one way or the other.
        if not (workers.seize if again else workers.hold)(connection, epoch):
            return []  # the engine hears of it at its next heartbeat
        claims = ledger.claimed(connection, work.mailing_id, epoch, now) if again else []
        if not claims:
            crowded = self.desk.crowded(self._loop.time())
            claims = ledger.claim(connection, work.mailing_id, epoch, now, most, crowded, within)
        if claims:
            work.presses.prepare(connection, claims, now)
        return claims

    async def _nothing_due(self) -> bool:
        """Wait a moment for what may still come; true when nothing will, and this run need not stay."""
        if self._planning or self._in_flight or len(self.desk):
            await moment(self._low, 0.2)
            return False
        if self._work.handed is not None:
            return await self._nothing_handed(self._work.handed)
        sums = await self._work.recorder.call(lambda c: ledger.counts(c, self._work.mailing_id))
        patience = self._patience(sums)
        if patience is None:
            return True
        await moment(self._low, patience)
        return False

    async def _nothing_handed(self, handed: Handed) -> bool:
        """Wait for a batch for as long as anybody is due; who is claimed by others is theirs."""
        now = self._work.clock()
        if not await self._work.recorder.call(lambda c: ledger.anybody_due(c, self._work.mailing_id, now)):
            return handed.current is None
        handed.came.clear()
        if handed.current is None:
            await moment(handed.came, 1.0)
        return False

    def _patience(self, sums: Counts) -> float | None:
        """Give the seconds until another look is worth it, or None if this run need not stay."""
        now = self._work.clock()
        others = sums[DeliveryState.CLAIMED] + sums[DeliveryState.SENDING]  # who has them may hand them back
        if sums.next_due is None:
            return 1.0 if others else None
        overdue = sums.next_due <= now
        if overdue and not self.desk.resting(self._loop.time()):
            return 0.05  # fell due, or was given back, since the last claim
        soon = not overdue and sums.next_due - now <= timedelta(seconds=desk.LINGER)
        return 1.0 if others or soon or self._work.wait else None

    def take(self, now: float) -> Claim | None:
        """Give the next claim that may go now, or None."""
        claim = self.desk.take(now)
        if claim is not None:
            self._in_flight += 1
            self._look_ahead()
        if self.desk.ready < LOW:
            self._low.set()
        return claim

    def _look_ahead(self) -> None:
        if self._ahead is not None:
            self._ahead.look(self.desk.coming)

    async def message(self, claim: Claim) -> Message:
        """Give the bytes for a claim; raises MailerError if they cannot be made."""
        if self._ahead is None:
            return self._work.presses.order(claim).make()
        return await self._ahead.message(claim)

    def over(self, claim: Claim) -> None:
        """Hear that a claim which was taken is no longer under way, whatever came of it."""
        self._in_flight -= 1
        self.desk.over(claim.domain)

    def lay(self, claims: Sequence[Claim], due_at: datetime | None = None) -> asyncio.Future[None]:
        """Lay claims back into the ledger, due at once or at `due_at`."""
        epoch = self._work.worker.epoch
        return self._work.recorder.call(lambda c: ledger.give_back(c, epoch, claims, due_at), brief=True)

    async def amended(self, edition_id: int) -> None:
        """Hear which edition is the newest: what is here of another goes back, and is claimed anew with this one."""
        if self.desk.holds_other(edition_id):
            claims = self.desk.clear()
            self._forget(claims)
            await self.lay(claims)
            self._low.set()

    def _forget(self, claims: Sequence[Claim]) -> None:
        self._work.presses.forget(claims)
        if self._ahead is not None:
            self._ahead.forget(claims)

    async def _give_back_surplus(self) -> None:
        for wait, claims in self.desk.surplus(self._loop.time()).items():
            self._forget(claims)
            await self.lay(claims, self._work.clock() + timedelta(seconds=wait))

    async def end(self, *, lay: bool) -> None:
        """Put everything down; into the ledger, if that can be reached (`lay`)."""
        if self._ahead is not None:
            await asyncio.to_thread(self._ahead.close)
        left = self.desk.clear()
        if left and lay:
            await self.lay(left)


async def moment(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
