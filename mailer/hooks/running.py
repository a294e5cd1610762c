"""The part that tells receivers: events become dispatches, dispatches become posts, answers become decisions.

Promises: an event is told at least once, under one id, to each receiver that wants it; a receiver that hangs or fails
holds up no other; when it is told to stop it ends within seconds, and what was on its way is told again. Each step is a
short transaction of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mailer import tokens
from mailer.database import reading, writing
from mailer.errors import MailerError
from mailer.hooks import incoming, outbox, queue
from mailer.hooks.patience import Standing, decide
from mailer.hooks.post import client, headers_of, post, signers
from mailer.hooks.words import body_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    import httpx
    from sqlalchemy import Connection
    from standardwebhooks import Webhook

    from mailer.delivery.ground import Ground
    from mailer.hooks.patience import Answer
    from mailer.hooks.queue import Dispatch
    from mailer.settings.hooks import WebhookSettings

log = logging.getLogger(__name__)
_LOOK: Final = 1.0
_SIDE_BY_SIDE: Final = 4
_ENDING: Final = 5.0
_UPKEEP: Final = 600.0
_AT_ONCE: Final = 500
_ROUNDS: Final = 1000


async def run(
    ground: Ground,
    stopped: asyncio.Event,
    *,
    look: float = _LOOK,
    chance: Callable[[], float] = random.random,
) -> None:
    """Tell every receiver what happens, until it is stopped. Raises UserError for a secret that cannot be read."""
    wanted = ground.settings.webhooks
    signing = {one.name: signers(one) for one in wanted}
    await asyncio.to_thread(_enrol, ground, wanted)
    async with client() as browser:
        telling = [Telling(ground, one, signing[one.name], browser, chance) for one in wanted]
        works: list[Callable[[], object]] = [lambda: upkeep(ground)]
        works += [lambda: fan_out(ground)] if wanted else []
        tasks = [asyncio.create_task(_repeated(stopped, one.turn, look)) for one in telling]
        tasks += [
            asyncio.create_task(_repeated(stopped, _threaded(work), pause))
            for work, pause in zip(works, (_UPKEEP, look), strict=False)
        ]
        await stopped.wait()
        _, late = await asyncio.wait(tasks, timeout=_ENDING)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _threaded(work: Callable[[], object]) -> Callable[[], object]:
    return lambda: asyncio.to_thread(work)


async def _repeated(stopped: asyncio.Event, turn: Callable[[], object], pause: float) -> None:
    """Do one thing again and again; what falls over is told and tried again."""
    while not stopped.is_set():
        busy = False
        try:
            busy = bool(await turn())  # type: ignore[misc]
        except MailerError as problem:
            log.warning("hooks: trying again: %s", problem)
        except Exception:
            log.exception("hooks: a turn fell over")
        if not busy:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopped.wait(), pause)


def _enrol(ground: Ground, wanted: tuple[WebhookSettings, ...]) -> None:
    with writing(ground.database) as connection:
        upto = outbox.horizon(connection)
    with writing(ground.database) as connection:
        outbox.enrol(connection, [one.name for one in wanted], upto, ground.clock())


def fan_out(ground: Ground) -> int:
    """Queue what is new; give how many dispatches were made. Asks before it locks: mostly nothing happened."""
    with reading(ground.database) as connection:
        if outbox.behind(connection) is None:
            return 0
    with writing(ground.database) as connection:
        upto = outbox.horizon(connection)
    with writing(ground.database) as connection:
        return outbox.fan_out(connection, ground.settings.webhooks, upto, ground.clock())


def upkeep(ground: Ground) -> int:
    """Forget what is old: reports, dispatches, answers under idempotency keys; in short transactions. Give how much."""
    return sum(
        _forgotten(ground, forget) for forget in (incoming.forget_old, queue.forget_old, tokens.forget_old)
    )


def _forgotten(ground: Ground, forget: Callable[[Connection, datetime, int], int]) -> int:
    gone = 0
    for _ in range(_ROUNDS):
        with writing(ground.database) as connection:
            some = forget(connection, ground.clock(), _AT_ONCE)
        gone += some
        if some < _AT_ONCE:
            break
    return gone


class Telling:
    """One receiver, and how it is told."""

    def __init__(
        self,
        ground: Ground,
        receiver: WebhookSettings,
        signing: tuple[Webhook, ...],
        browser: httpx.AsyncClient,
        chance: Callable[[], float],
    ) -> None:
        self._ground = ground
        self._receiver = receiver
        self._signing = signing
        self._browser = browser
        self._chance = chance
        self._room = asyncio.Semaphore(_SIDE_BY_SIDE)

    async def turn(self) -> int:
        """Tell what is due; give how much that was."""
        claimed = await asyncio.to_thread(self._claim)
        lines: dict[str, list[tuple[Dispatch, bytes]]] = {}
        for dispatch, body in claimed:  # in the order of the events
            lines.setdefault(dispatch.event.subject, []).append((dispatch, body))
        await asyncio.gather(*map(self._tell_in_order, lines.values()))
        return len(claimed)

    async def _tell_in_order(self, line: Sequence[tuple[Dispatch, bytes]]) -> None:
        """Tell what happened to one reader or one mailing, one after the other."""
        for dispatch, body in line:
            await self._tell(dispatch, body)

    def _claim(self) -> list[tuple[Dispatch, bytes]]:
        with reading(self._ground.database) as connection:
            if not queue.is_due(connection, self._receiver.name, self._ground.clock()):
                return []
        with writing(self._ground.database) as connection:
            claimed = queue.claim(connection, self._receiver.name, self._ground.clock())
        with reading(self._ground.database) as connection:
            newsletter = self._ground.settings.id
            return [(one, body_of(connection, one.event, newsletter)) for one in claimed]

    async def _tell(self, dispatch: Dispatch, body: bytes) -> None:
        async with self._room:
            now = self._ground.clock()
            key = f"msg_{self._ground.settings.id.hex[:12]}_{dispatch.event.id}"
            headers = headers_of(self._signing, key, body, now)
            answer = await post(self._browser, self._receiver.url, headers, body, now)
            if not answer.good:
                log.warning("webhook %s: event %d: %s", self._receiver.name, dispatch.event.id, answer)
            await asyncio.to_thread(self._settle, dispatch, answer)

    def _settle(self, dispatch: Dispatch, answer: Answer) -> None:
        now, limit = self._ground.clock(), timedelta(days=self._receiver.give_up_after_days)
        with writing(self._ground.database) as connection:
            known = queue.standing(connection, self._receiver.name) or Standing()
            decision = decide(answer, dispatch.attempts, known, now, limit, self._chance())
            queue.settle(connection, self._receiver, dispatch, decision, str(answer), now)
        if decision.ended:
            log.error("webhook %s is told nothing more: %s", self._receiver.name, decision.ended)
