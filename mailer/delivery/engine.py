"""The engine: claim -> message -> pace -> smtp -> outcome -> settle, for one mailing, in one process.

Promises: memory is flat (a bounded desk, a few messages at a time); the first message leaves while the audience is
still being planned; a pause, a cancellation or Ctrl-C stops it between two messages, and what it holds goes back to
the ledger; a relay that vanishes costs nothing but time.
Never: decides what a reply means (outcome.py), what a state is (ledger/) or what comes next (supply.py).
"""

from __future__ import annotations

import asyncio
import logging
import random
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from mailer.delivery.lane import Lane
from mailer.delivery.outcome import Signal, Verdict
from mailer.delivery.rations import Rations
from mailer.delivery.shares import Shares
from mailer.delivery.states import DeliveryState, MailingState
from mailer.delivery.supply import Supply, moment
from mailer.delivery.tripwire import discreet, pause
from mailer.delivery.watch import Watch
from mailer.delivery.writer import RecorderFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailer.delivery.gate import Gate
    from mailer.delivery.model import Claim, Settlement
    from mailer.delivery.work import Work

log = logging.getLogger(__name__)

_HEADSTART: Final = 20.0  # messages, by weight, that one relay may be ahead of another
_LOOK: Final = 1.0  # seconds after which an idle connection looks again, though nobody rang
_OF_OTHERS: Final = 0.01  # seconds until it looks again when it is another relay's turn
_SHORT: Final = 0.001
_NO_RELAY: Final = 60.0  # seconds without any relay after which a send that does not wait gives up


class End(StrEnum):
    """Why the engine stopped."""

    DONE = "done"  # nothing is due any more
    STOPPED = "stopped"  # Ctrl-C or SIGTERM
    NOT_RUNNING = "not-running"  # paused or cancelled, by a person or the tripwire
    NO_RELAY = "no-relay"
    NO_DATABASE = "no-database"
    RETIRED = "retired"  # silent for so long that another process took its rows over


class Engine:
    """Runs one mailing to its end. `progress` is read by whoever draws the bar."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.loop = asyncio.get_running_loop()
        self.end: End | None = None
        self.problem = ""
        self._shares = Shares(work.settings, work.relays, work.recorder)
        self._supply = Supply(work, self._shares.domains)
        self.message = self._supply.message  # itself: a layer of ours would cost a coroutine a message
        self._watch = Watch(work, self._supply, self._shares)
        self._gates = self._watch.gates
        self._rations = Rations(self._gates, work.recorder, work.clock, self._supply.more, self._supply.holds)
        self._random = random.Random()  # noqa: S311 - it spreads retries, it guards nothing

    async def run(self) -> End:
        """Send until nothing is due, and give why it stopped. Everything it held is back in the ledger then."""
        lanes = [
            asyncio.create_task(Lane(self, gate, number).run())
            for gate in self._gates
            for number in range(gate.relay.connections)
        ]
        # Like them it is not cancelled: it ends by itself.
        lanes.append(asyncio.create_task(self._rations.run()))
        parts = (self._supply.plan(), self._supplied(), self._watched(), self._shares.run(self._supply.more))
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            await self._until_over([*lanes, *tasks])
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, *lanes, return_exceptions=True)
            if self.end is not End.NO_DATABASE:
                await self._rations.give_back()
            await self._supply.end(lay=self.end is not End.NO_DATABASE)
        return self.end or End.DONE

    async def _supplied(self) -> None:
        await self._supply.run()
        self.stop(End.DONE)

    async def _until_over(self, tasks: list[asyncio.Task[None]]) -> None:
        pending = set(tasks)
        while self.end is None and pending:
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if (problem := task.exception()) is not None:
                    self._fail(problem)

    def _fail(self, problem: BaseException) -> None:
        if not isinstance(problem, RecorderFailed):
            self.stop(End.STOPPED)
            raise problem
        self.stop(End.NO_DATABASE, str(problem))

    def stop(self, end: End, problem: str = "") -> None:
        """Stop between two messages: what is on the wire is finished and recorded."""
        if self.end is None:
            self.end, self.problem = end, problem
            self._supply.close()
            self._rations.close()
            self._watch.close()

    def take(self, gate: Gate, number: int) -> Claim | None:
        """Give the next claim that may go through this relay's connection `number` now, or None."""
        if self.end is not None or not self._supply.holds():
            return None
        if number >= gate.lanes:
            if not number:
                self._watch.hurry()  # there is something to send again: ask for connections at once
            return None
        now = self.loop.time()
        if gate.wait(now) > 0 or (len(self._gates) > 1 and self._ahead(gate, now)):
            return None
        claim = self._supply.take(now)
        if claim is not None:
            gate.spend(now)
            if gate.allowance is not None:
                self._rations.spent(gate)
        if self._supply.desk.asking:
            self._supply.desk.asking = False
            self._watch.hurry()
        return claim

    def _ahead(self, gate: Gate, now: float) -> bool:
        """Say whether a relay has had more than its weight's share; one that cannot take mail now holds up no other."""
        able = [one.share for one in self._gates if one.open and one.wait(now) == 0]
        return bool(able) and gate.share > min(able) + _HEADSTART

    async def next_claim(self, gate: Gate, number: int, patience: float | None = None) -> Claim | None:
        """Wait for a claim; None when the run is over, or after `patience` seconds."""
        until = None if patience is None else self.loop.time() + patience
        while self.end is None:
            claim = self.take(gate, number)
            if claim is not None:
                return claim
            now = self.loop.time()
            if until is not None and (now >= until or number >= gate.lanes):
                return None  # an idle connection that is no longer ours to have is let go at once
            if number and number >= gate.lanes:
                self._watch.admitted.clear()
                await self._watch.admitted.wait()
                continue
            wait = self._wait(gate, now) if number < gate.lanes else _LOOK
            if until is not None:
                wait = min(wait, until - now)
            self._supply.more.clear()
            await moment(self._supply.more, max(wait, _SHORT))
        return None

    def _wait(self, gate: Gate, now: float) -> float:
        """Give the seconds until a connection of this relay may find something to send."""
        if not self._supply.holds():
            return _LOOK  # and the relay is not asked: asking costs others their turns
        wait = gate.wait(now) or self._supply.desk.wait(now) or _OF_OTHERS
        return min(wait, _LOOK)

    def jitter(self) -> float:
        """Give a random number of [0, 1)."""
        return self._random.random()

    def hear(self, verdict: Verdict, claim: Claim, gate: Gate) -> None:
        """Let pace and tripwire hear of an outcome."""
        now, signal = self.loop.time(), verdict.signal
        rest = gate.hear(signal, now)
        if signal is Signal.SUCCESS:
            self._supply.desk.success(claim.domain, now)
            return
        self._shares.plead(f"relay:{gate.relay.name}", rest)
        if signal is Signal.DOMAIN_BUSY:
            self._shares.plead(f"domain:{claim.domain}", self._supply.desk.busy(claim.domain, now))
        elif signal is Signal.RELAY_REFUSES:
            reply = verdict.settlement.reply if verdict.settlement else gate.trouble
            self._pause(f"{gate.relay.name} does not take our mail: {discreet(reply, claim.address)}")

    def record(self, settlements: list[Settlement], fence: Claim | None) -> asyncio.Future[bool]:
        """Hand settlements and the next fence to the recorder."""
        supply, tally, bad = self._supply, self.work.tally, False
        for settlement in settlements:
            supply.over(settlement.claim)
            tally.outcomes[settlement.state] += 1
            if settlement.state in _BAD:
                tally.last_refusal = discreet(settlement.reply, settlement.claim.address)
                bad = True
        answer = self.work.recorder.record(settlements, fence)
        if fence is None:
            answer.add_done_callback(self._recorded)
        if bad and (reason := self._watch.alarm.reason()):
            self._pause(reason)
        return answer

    def _recorded(self, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled() and (problem := answer.exception()) is not None:
            self.stop(End.NO_DATABASE, str(problem))

    def denied(self, claim: Claim) -> None:
        """Hear that a fence was not granted: the recorder has laid the claim back; find out why."""
        self._supply.over(claim)
        self._watch.hurry()

    def give_back(self, claims: Sequence[Claim]) -> None:
        """Lay claims back that no server has seen a body of."""
        for claim in claims:
            self._supply.over(claim)
        self._supply.lay(list(claims)).add_done_callback(self._recorded)

    def unreachable(self, gate: Gate, trouble: str, *, hopeless: bool = False) -> None:
        """Hear that a relay gave no session; `hopeless` where only a person can mend it.

        With no relay left for a minute a run that does not wait gives up; with every one hopeless, at once.
        """
        now = self.loop.time()
        gate.fail(trouble, now, hopeless=hopeless)
        down = [one.down_since for one in self._gates if one.down_since is not None]
        patient = self.work.wait or now - max(down) < _NO_RELAY
        if len(down) == len(self._gates) and (not patient or all(one.hopeless for one in self._gates)):
            self.stop(End.NO_RELAY, trouble)

    def _pause(self, reason: str) -> None:
        mailing_id, clock = self.work.mailing_id, self.work.clock
        answer = self.work.recorder.call(lambda c: pause(c, mailing_id, clock(), reason))
        answer.add_done_callback(self._recorded)
        self.stop(End.NOT_RUNNING, reason)

    async def _watched(self) -> None:
        while self.end is None:
            row = await self._watch.look()
            if row is None:
                self.stop(End.RETIRED, "this process was silent for over a minute: others took its work over")
            elif row.state is MailingState.FINISHED:
                self.stop(End.DONE)  # by another process
            elif row.state is not MailingState.RUNNING:
                self.stop(End.NOT_RUNNING, row.reason or row.state)
            elif reason := self._watch.alarm.reason():
                self._pause(reason)
            else:
                await self._watch.rest()


_BAD = (DeliveryState.REFUSED, DeliveryState.DEFERRED)
