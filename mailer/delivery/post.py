"""The post: sends letters as they are written, over a connection of its own, in one process.

Promises: one letter that a relay does not take holds up no other, and a relay that takes none is asked now and then; a
database that is away is waited for. What a letter is, and what its states are, letters.py says.
"""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from mailer.database import writing
from mailer.delivery.letters import STREAM, claim, fence, lay_back, put_off, settle
from mailer.delivery.model import Claim
from mailer.delivery.outcome import judge_final, judge_loss, judge_refusal, judge_silence
from mailer.delivery.sharing import limits
from mailer.delivery.states import DeliveryState
from mailer.errors import TryLater
from mailer.smtp import Envelope, SessionLost
from mailer.smtp.connect import open_session

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Engine

    from mailer.delivery.letters import Held
    from mailer.delivery.model import Settlement
    from mailer.smtp import Reply, Session
    from mailer.smtp.relay import Relay

T = TypeVar("T")
log = logging.getLogger(__name__)
_IDLE: Final = 0.5  # seconds between two looks for new letters
_PUT_OFF: Final = timedelta(minutes=1)  # of a letter that a relay did not take for a reason of its own
_REST: Final = 5.0  # seconds after a relay gave no session, or did not take what it was offered
_TROUBLES: Final = 2  # letters one behind the other that it did not take: then it is not about these letters


class Post:
    """Sends letters as they are written, until it is stopped."""

    def __init__(
        self,
        database: Engine,
        relays: Sequence[Relay],
        epoch: int,
        hostname: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._relays = [relay for relay in relays if relay.serves(STREAM)]
        self._epoch = epoch
        self._hostname = hostname
        self._clock = clock
        self._stopped = asyncio.Event()
        self._lost = False  # the database was away
        self._troubles = 0  # letters one behind the other that the relay did not take
        self._random = random.Random()  # noqa: S311 - it spreads retries, it guards nothing

    def stop(self) -> None:
        """End after the letter that is on its way."""
        self._stopped.set()

    async def run(self) -> None:
        """Look for letters, send them over one session, look again; a database that is away is waited for."""
        while not self._stopped.is_set():
            try:
                await self._pause(await self._look())
            except TryLater as problem:
                log.warning("letters, trying again: %s", problem)
                self._lost = True
                await self._pause(_REST)
        await self._do(lambda c: lay_back(c, self._epoch))

    async def _look(self) -> float:
        """Send what is there, and give the seconds until the next look."""
        if self._lost:  # what was in hand then, nobody remembers
            await self._do(lambda c: lay_back(c, self._epoch))
            self._lost = False
        held = await self._do(lambda c: claim(c, self._epoch, self._clock()))
        if not held:
            return _IDLE
        session = await self._session()
        if session is None:
            await self._do(lambda c: lay_back(c, self._epoch))
            return _REST
        await self._send_all(session, held)
        if self._troubles < _TROUBLES:
            return 0
        self._troubles = 0
        return _REST

    async def _session(self) -> Session | None:
        """Give a session of the first relay that gives one."""
        for relay in self._relays:
            try:
                session = await open_session(relay, hostname=self._hostname)
            except SessionLost:
                continue
            self._relay = relay
            return session
        return None

    async def _send_all(self, session: Session, held: Sequence[Held]) -> None:
        try:
            for one in held:
                if not await self._send(session, one):
                    await self._do(lambda c: lay_back(c, self._epoch))
                    return
            await session.quit()
        finally:
            session.abort()  # nothing, where it was ended in good order

    async def _send(self, session: Session, held: Held) -> bool:
        """Send one letter; false when the session is gone."""
        settlement, alive = await self._said(session, held)
        if settlement is not None:
            await self._do(lambda c: self._settle(c, held, settlement))
        return alive

    def _settle(self, connection: Connection, held: Held, outcome: Settlement) -> None:
        """Record what came of a letter; what a relay took counts against its hour and day."""
        settle(connection, held, self._epoch, outcome)
        if outcome.state is DeliveryState.ACCEPTED:
            limits.count(connection, self._relay, self._clock())

    async def _said(self, session: Session, held: Held) -> tuple[Settlement | None, bool]:
        """Give what came of it (None: it is laid back), and whether the session lives."""
        claim_ = Claim(0, 0, 0, 0, held.address, held.address.rpartition("@")[2], held.attempts)
        utf8 = not (held.address.isascii() and held.mail_from.isascii())
        envelope = Envelope(held.mail_from, held.address, len(held.content), smtputf8=utf8)
        jitter = self._random.random()
        try:
            offer = await session.exchange(None, envelope)
        except SessionLost as lost:
            return self._silence(claim_, lost, jitter), False
        try:
            if offer.refusal is not None:
                return await self._refused(claim_, held, offer.refusal, offer.refused_at, jitter)
            self._troubles = 0
            if not await self._do(lambda c: fence(c, held, self._epoch, self._clock())):
                session.abort()
                return None, False
            answer = await session.exchange(held.content, None)
        except SessionLost as lost:
            return judge_loss(claim_, lost, self._relay.kind, self._clock(), jitter), False
        if answer.final is None:
            raise AssertionError("a body was sent and not answered")
        return judge_final(claim_, answer.final, self._relay.kind, self._clock(), jitter).settlement, True

    def _silence(self, claim_: Claim, lost: SessionLost, jitter: float) -> Settlement:
        """Judge a line that was lost before any body: a try, so that no letter is tried before the others for ever."""
        now = self._clock()
        self._troubles += 1
        if lost.reply is not None:
            verdict = judge_refusal(claim_, lost.reply, lost.at, self._relay.kind, now, jitter)
            if verdict.settlement is not None:
                return verdict.settlement
        return judge_silence(claim_, lost.why, now)

    async def _refused(
        self, claim_: Claim, held: Held, reply: Reply, at: str, jitter: float
    ) -> tuple[Settlement | None, bool]:
        """Judge a letter that was turned down. For the relay's own trouble it is put off; the others may go."""
        now = self._clock()
        verdict = judge_refusal(claim_, reply, at, self._relay.kind, now, jitter)
        if verdict.settlement is not None:
            self._troubles = 0
            return verdict.settlement, True
        self._troubles += 1
        await self._do(lambda c: put_off(c, held, self._epoch, now + _PUT_OFF))
        return None, self._troubles < _TROUBLES

    async def _do(self, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with writing(self._database) as connection:
                return work(connection)

        return await asyncio.to_thread(once)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopped.wait(), seconds)
        except TimeoutError:
            return
