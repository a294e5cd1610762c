"""A lane: one connection to one relay, message after message.

While the body of one message travels, the envelope of the next rides behind it. So each turn of the loop is one
round trip and one record: what came of the last message, and the fence of the next, whose body leaves only after
the grant. At most one row a lane is ever in `sending`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from mailer.delivery.model import Settlement
from mailer.delivery.outcome import Signal, judge_final, judge_loss, judge_refusal, judge_silence
from mailer.delivery.states import DeliveryState
from mailer.errors import MailerError
from mailer.smtp import Envelope, Reply, SessionLost
from mailer.smtp.connect import ConnectRefused, open_session

if TYPE_CHECKING:
    from mailer.delivery.engine import Engine
    from mailer.delivery.gate import Gate
    from mailer.delivery.model import Claim
    from mailer.message import Message
    from mailer.smtp import Exchange, Session

log = logging.getLogger(__name__)
IDLE: Final = 5.0  # seconds an open connection waits for work before it says goodbye


class Lane:
    """Runs until the engine has no more work for its relay."""

    def __init__(self, engine: Engine, gate: Gate, number: int = 0) -> None:
        self._engine = engine
        self._gate = gate
        self._number = number  # it works while the process may have more connections than this
        self._kind = gate.relay.kind

    async def run(self) -> None:
        """Take claims, open a session when there is one, and converse until it ends."""
        while (claim := await self._engine.next_claim(self._gate, self._number)) is not None:
            self._gate.enter(self._number)
            try:
                await self._connect(claim)
            finally:
                self._gate.leave(self._number)

    async def _connect(self, claim: Claim) -> None:
        """Open a session and converse until it ends; without one the claim goes back."""
        try:
            session = await open_session(self._gate.relay, hostname=self._engine.work.hostname)
        except ConnectRefused as refused:
            self._engine.give_back([claim])
            self._engine.unreachable(self._gate, str(refused), hopeless=refused.needs_operator)
        else:
            self._gate.opened()
            recorder = self._engine.work.recorder
            recorder.attend(1)
            try:
                await self._converse(session, claim)
            finally:
                recorder.attend(-1)

    async def _converse(self, session: Session, first: Claim) -> None:
        """Send `first` and whatever comes after it over one session."""
        offered: Claim | None = first
        current: Claim | None = None  # its envelope is ready and its fence granted
        body: bytes | None = None
        count = 0
        while offered is not None or current is not None:
            message, offered = await self._message(offered)
            envelope = _envelope(message) if message is not None else None
            if offered is None and current is None:
                offered = await self._next(count)
                continue
            try:
                exchange = await session.exchange(body, envelope)
            except SessionLost as lost:
                self._lost(current, offered, lost, count)
                return
            settlements = self._settlements(current, offered, exchange)
            current = body = None
            if offered is not None and message is not None and exchange.ready:
                if not await self._engine.record(settlements, offered):
                    session.abort()  # 354 was given: the only way not to send is to drop the line
                    self._engine.denied(offered)
                    return
                current, body = offered, message.content
            elif settlements:
                self._engine.record(settlements, None)
            count += offered is not None
            offered = self._at_once(count) if current is not None else await self._next(count)
        await session.quit()

    async def _message(self, offered: Claim | None) -> tuple[Message | None, Claim | None]:
        """Get the message of a claim; one that cannot be made is refused."""
        if offered is None:
            return None, None
        try:
            return await self._engine.message(offered), offered
        except MailerError as error:
            reply = Reply(553, "5.1.3", str(error))
        now = self._engine.work.clock()
        refused = Settlement(offered, DeliveryState.REFUSED, now, sent=False, reply=str(reply))
        self._engine.record([refused], None)
        return None, None

    def _at_once(self, count: int) -> Claim | None:
        """Give the next claim if there is one: a body waits to be sent."""
        return None if self._over(count) else self._engine.take(self._gate, self._number)

    async def _next(self, count: int) -> Claim | None:
        """Give the next claim, with some patience."""
        return None if self._over(count) else await self._engine.next_claim(self._gate, self._number, IDLE)

    def _over(self, count: int) -> bool:
        """Say whether this connection is to end, after so many messages."""
        most = self._gate.relay.per_connection
        return self._number >= self._gate.lanes or (most is not None and count >= most)

    def _settlements(
        self, current: Claim | None, offered: Claim | None, exchange: Exchange
    ) -> list[Settlement]:
        """Judge both halves of an exchange."""
        engine, settlements = self._engine, []
        now = engine.work.clock()
        if current is not None and exchange.final is not None:
            verdict = judge_final(current, exchange.final, self._kind, now, engine.jitter())
            engine.hear(verdict, current, self._gate)
            if verdict.settlement is not None:
                settlements.append(verdict.settlement)
        if offered is not None and exchange.refusal is not None:
            settlement = self._turned_down(offered, exchange.refusal, exchange.refused_at)
            if settlement is not None:
                settlements.append(settlement)
        return settlements

    def _lost(self, current: Claim | None, offered: Claim | None, lost: SessionLost, count: int) -> None:
        """Account for both messages of a lost session, which had carried `count` before."""
        engine = self._engine
        if current is not None:
            now = engine.work.clock()
            engine.record([judge_loss(current, lost, self._kind, now, engine.jitter())], None)
        if offered is None:
            return
        if lost.reply is not None:
            settlement = self._turned_down(offered, lost.reply, lost.at, quiet=count > 0)
            if settlement is not None:
                engine.record([settlement], None)
        elif current is not None:
            engine.give_back(
                [offered]
            )  # the body's fate is told above; the envelope behind it was hardly begun
        else:
            engine.unreachable(self._gate, lost.why)
            engine.record([judge_silence(offered, lost.why, engine.work.clock())], None)

    def _turned_down(
        self, offered: Claim, reply: Reply, at: str, *, quiet: bool = False
    ) -> Settlement | None:
        """Judge an envelope that was not taken; one that the relay is to blame for is given back.

        `quiet`: a server that ends a connection after some messages (421) is not asking for patience.
        """
        engine, self._gate.trouble = self._engine, str(reply)
        verdict = judge_refusal(offered, reply, at, self._kind, engine.work.clock(), engine.jitter())
        if not (quiet and verdict.signal is Signal.RELAY_BUSY):
            engine.hear(verdict, offered, self._gate)
        if verdict.settlement is None:
            engine.give_back([offered])
        return verdict.settlement


def _envelope(message: Message) -> Envelope:
    mail_from, recipient, content, _, envid, smtputf8 = message
    return Envelope(mail_from, recipient, len(content), envid, smtputf8)
