"""Handed: the batches that an engine was handed, worked off one after the other; an engine without them claims all."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.delivery.batches import Batch


class Handed:
    """Batches of one mailing. `came` is rung when there is one more."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self._taken: set[Batch] = set()
        self._waiting: deque[tuple[Batch, asyncio.Future[None]]] = deque()
        self._closed = False

    def hand(self, batch: Batch) -> asyncio.Future[None]:
        """Take a batch in; it is over when nobody of it waits any more, or when the engine has ended."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._closed:
            over.set_result(None)
        else:
            self._waiting.append((batch, over))
            self._taken.add(batch)
            self.came.set()
        return over

    @property
    def current(self) -> Batch | None:
        """The batch to claim from."""
        return self._waiting[0][0] if self._waiting else None

    def spans(self) -> list[Batch]:
        """Give where all that ever came is, nothing twice: what is retried comes again, in wide ranges."""
        spans: list[Batch] = []
        for batch in sorted(self._taken):
            if spans and batch.first <= spans[-1].last + 1:
                spans[-1] = spans[-1]._replace(last=max(spans[-1].last, batch.last))
            else:
                spans.append(batch)
        return spans

    def exhausted(self) -> None:
        """Hear that nobody of the current batch is left to claim; nothing, if all were let go of meanwhile."""
        if not self._waiting:
            return
        _, over = self._waiting.popleft()
        if not over.done():
            over.set_result(None)

    def close(self) -> None:
        """Let go of all: what is left of them is cut anew."""
        self._closed = True
        while self._waiting:
            self.exhausted()
