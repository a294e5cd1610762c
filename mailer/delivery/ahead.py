"""Messages made ahead of their turn, in threads: for signed mail alone.

A signature takes twice as long as all else that a message costs, and leaves the interpreter's lock alone while it is
made. So what will be taken next is made in two threads, a few messages a time, while the loop talks SMTP.

Promises: the same octets as made in turn; at most MOST messages exist ahead; none is older than FRESH seconds when it
is sent, for it has a Date. Never: touches the ledger; a message made in vain is dropped.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mailer.delivery.model import Claim
    from mailer.message import Message, Recipient
    from mailer.message.press import Press

MOST: Final = 64
BATCH: Final = (
    8  # messages a thread makes before it hands them over: waking the loop costs as much as a message
)
FRESH: Final = 60.0
_THREADS: Final = 2  # one loop cannot talk faster than two threads sign


class Order(NamedTuple):
    """What a message is made from. Both are safe in any thread."""

    press: Press
    recipient: Recipient

    def make(self) -> Message:
        """Make the message; raises MailerError if it cannot be made."""
        return self.press.message(self.recipient)


@dataclass(slots=True)
class _Batch:
    orders: dict[int, Order]
    made: asyncio.Future[dict[int, Message | Exception]]
    begun: float


class Ahead:
    """Makes the messages of claims before they are asked for. Its methods are called in the loop's thread."""

    def __init__(self, order: Callable[[Claim], Order]) -> None:
        self._order = order
        self._loop = asyncio.get_running_loop()
        self._pool = ThreadPoolExecutor(_THREADS, "press")
        self._begun: dict[int, _Batch] = {}  # by subscriber: an engine sends one mailing

    def look(self, coming: Iterable[Claim]) -> None:
        """Begin what comes next, in order, as far as there is room."""
        while len(self._begun) <= MOST - BATCH:
            batch = [claim for claim in islice(coming, MOST) if claim.subscriber_id not in self._begun]
            if not batch:
                return
            self._begin(batch[:BATCH])

    def _begin(self, claims: Sequence[Claim]) -> None:
        orders = {claim.subscriber_id: self._order(claim) for claim in claims}
        made = self._loop.run_in_executor(self._pool, _make, list(orders.items()))
        batch = _Batch(orders, made, self._loop.time())
        self._begun.update(dict.fromkeys(orders, batch))

    async def message(self, claim: Claim) -> Message:
        """Give the message of a claim, waiting for the threads if they have begun it."""
        batch = self._begun.pop(claim.subscriber_id, None)
        if batch is None:
            return self._order(claim).make()
        # Shielded: the batch is awaited by several lanes, and one that is cancelled must not take it from the others.
        made = batch.made.result() if batch.made.done() else await asyncio.shield(batch.made)
        message, order = made.pop(claim.subscriber_id), batch.orders.pop(claim.subscriber_id)
        if isinstance(message, Exception):
            raise message
        return message if self._loop.time() - batch.begun < FRESH else order.make()

    def forget(self, claims: Iterable[Claim]) -> None:
        """Drop what was begun for claims that were laid back."""
        for claim in claims:
            self._begun.pop(claim.subscriber_id, None)

    def close(self) -> None:
        """End the threads after the messages in hand."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _make(orders: Sequence[tuple[int, Order]]) -> dict[int, Message | Exception]:
    """Make messages one after the other; runs in a thread of the pool."""
    made: dict[int, Message | Exception] = {}
    for number, order in orders:
        try:
            made[number] = order.make()
        except Exception as problem:  # noqa: BLE001 - whoever asks for this message hears of it, the others do not
            made[number] = problem
    return made
