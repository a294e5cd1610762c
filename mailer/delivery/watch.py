"""The watch: once a second a process that sends asks the database what others did, and says what it did itself.

Does the mailing still run, does this process still count as alive, which connections may it have, who asked for
patience, how does the mailing fare elsewhere. One transaction a look. Promises: what a person or another process
decided is in force here within two seconds.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from mailer.delivery import mailing
from mailer.delivery.blamed import Blamed
from mailer.delivery.custody import workers
from mailer.delivery.sharing import Asked, Said, Sums, exchange, tallies
from mailer.delivery.supply import moment
from mailer.delivery.tripwire import Alarm

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from mailer.delivery.shares import Shares
    from mailer.delivery.supply import Supply
    from mailer.delivery.work import Work

_EVERY: Final = 1.0  # seconds between two looks


class Seen(NamedTuple):
    """What one look saw; `mailing` is None where this process no longer counts as alive."""

    mailing: mailing.Mailing | None
    said: Said
    others: Sums
    blamed: Sequence[str]


class Watch:
    """Looks for one engine. `gates` are those of its relays, `alarm` is what the tripwire hears.

    `admitted` is rung when this process may have other connections than before.
    """

    def __init__(self, work: Work, supply: Supply, shares: Shares) -> None:
        self.alarm = Alarm(work.settings.tripwire, work.tally)
        self.gates = [shares.gate(relay, self.hurry) for relay in work.relays]
        self.admitted = asyncio.Event()
        self._work = work
        self._supply = supply
        self._shares = shares
        self._blamed = Blamed()
        self._bell = asyncio.Event()
        self._since: datetime | None = None
        self._told = Sums()
        self._beat = work.clock()

    def hurry(self) -> None:
        """Look at once."""
        self._bell.set()

    def close(self) -> None:
        """Look no more, and let whoever waits here go."""
        self._bell.set()
        self.admitted.set()

    async def look(self) -> mailing.Mailing | None:
        """Look, apply what was seen, and give the mailing; None if others took this process's work over."""
        now = self._work.clock()
        late = now - self._beat >= workers.HEARTBEAT
        asked = self._shares.ask(self.gates, self._supply.desk, wanted=self._supply.wants())
        seen = await self._work.recorder.call(partial(self._ask, now=now, beat=late, asked=asked))
        if seen.mailing is None:
            return None
        if late:
            self._beat = now
        self._apply(seen, seen.mailing)
        await self._supply.amended(seen.mailing.edition_id)
        return seen.mailing

    async def rest(self) -> None:
        """Wait until the next look is due, or hurried."""
        await moment(self._bell, _EVERY)
        self._bell.clear()

    def _ask(self, connection: Connection, *, now: datetime, beat: bool, asked: Asked) -> Seen:
        worker = self._work.worker
        epoch = worker.epoch
        # Asked at each look: who is over, and does not know it yet, would take shares that nobody ever takes back.
        if not (workers.beat(connection, worker, now) if beat else workers.hold(connection, epoch)):
            return Seen(None, Said((), {}, ()), Sums(), ())
        row = mailing.get(connection, self._work.mailing_id)
        others = self._compare(connection, row)
        return Seen(row, exchange(connection, epoch, asked), others, self._blamed.fresh(connection))

    def _compare(self, connection: Connection, row: mailing.Mailing) -> Sums:
        """Tell how the mailing fares here, if that is news, and give how it fares elsewhere."""
        mailing_id, epoch, mine = self._work.mailing_id, self._work.worker.epoch, self.alarm.mine
        if row.changed_at == self._since and mine != self._told:
            tallies.tell(connection, mailing_id, epoch, row.changed_at, mine)
            self._told = mine
        return tallies.of_others(connection, mailing_id, epoch, row.changed_at)

    def _apply(self, seen: Seen, row: mailing.Mailing) -> None:
        if row.changed_at != self._since:
            self._since, self._told = row.changed_at, Sums()
            self.alarm.resumed()
        self.alarm.others = seen.others
        if list(seen.said.lanes) != [gate.lanes for gate in self.gates]:
            self.admitted.set()  # those that may work now
            self._supply.more.set()  # those that are to end
        self._shares.apply(self.gates, self._supply.desk, seen.said)
        for domain in seen.blamed:
            self._supply.desk.busy(domain, asyncio.get_running_loop().time())
