"""The desk: claims in this process's hands, and whose turn it is. Pure; time is a parameter, in seconds.

Promises: one slow domain never holds up the others: its claims wait aside, a bounded few of them, and the rest is
handed back to be claimed later. Nor do the others hold up a slow one: what waits aside goes as soon as it may. Where
no domain is slow, taking the next is one popleft.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from mailer.delivery.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mailer.delivery.model import Claim
    from mailer.delivery.sharing import Turns

_POLL: Final = 0.01  # seconds until a domain that is full is looked at again
_ELSEWHERE: Final = 2.0  # seconds until claims of a domain whose connections all are others' fall due again
ASIDE: Final = 100  # claims of one slow domain that wait in memory, at the least
_MOST_ASIDE: Final = 2_000
_AHEAD: Final = (
    5.0  # seconds' worth of claims that wait of a domain whose pace is known: more take a while to come
)
LINGER = 20.0  # seconds that a claim is held for, and a send that does not wait stays for


class Desk:
    """Holds claims; `limits` are the fixed messages a second of some domains, `most` the messages under way at once.

    `asking` is set when a domain is wanted of which nothing was lent yet.
    """

    def __init__(
        self,
        limits: Mapping[str, float] | None = None,
        most: Mapping[str, int] | None = None,
        turns: Mapping[str, Turns] | None = None,
    ) -> None:
        self._ready: deque[Claim] = deque()
        self._aside: dict[str, deque[Claim]] = {}
        self._aside_at = 0.0  # when one of them may go next, so that nobody looks in vain for each message
        self._paces = {domain: Pace(limit) for domain, limit in (limits or {}).items()}
        self._most = dict(most or {})
        self._denied: set[str] = set()  # wanted, and all of it is others'
        self.asking = False
        self._turns = dict(turns or {})
        self._under_way: Counter[str] = Counter()  # of the domains in `most` alone
        for domain in self._most:
            self._paces.setdefault(domain, Pace())

    def __len__(self) -> int:
        return len(self._ready) + sum(map(len, self._aside.values()))

    def __bool__(self) -> bool:
        return bool(self._ready or self._aside)

    @property
    def ready(self) -> int:
        """How many wait for nothing but a connection."""
        return len(self._ready)

    @property
    def coming(self) -> Iterator[Claim]:
        """What `take` will give next, of the domains that nothing holds back."""
        return (claim for claim in self._ready if claim.domain not in self._paces)

    def add(self, claims: Iterable[Claim]) -> None:
        """Take claims in."""
        self._ready.extend(claims)

    def take(self, now: float) -> Claim | None:
        """Give the next claim that may go now, or None."""
        if self._aside and now >= self._aside_at and (waited := self._take_aside(now)) is not None:
            return waited
        while self._ready:
            claim = self._ready.popleft()
            pace = self._paces.get(claim.domain)
            if pace is None:
                return claim
            if claim.domain not in self._aside and self._may(claim.domain, pace, now):
                return claim
            self._aside.setdefault(claim.domain, deque()).append(claim)
            self._aside_at = min(self._aside_at, now + self._wait(claim.domain, now))
        return None

    def _take_aside(self, now: float) -> Claim | None:
        for domain, queue in self._aside.items():
            if self._may(domain, self._paces[domain], now):
                claim = queue.popleft()
                if not queue:
                    del self._aside[domain]
                return claim
        self._aside_at = now + max(_POLL, min(self._patience(domain, now) for domain in self._aside))
        return None

    def _may(self, domain: str, pace: Pace, now: float) -> bool:
        """Say whether a message to this domain may go now, and count it if so."""
        if self._wait(domain, now) > 0 or self._full(domain):
            return False
        pace.spend(now)
        if domain in self._turns:
            self._turns[domain].spend()
        if domain in self._most:
            self._under_way[domain] += 1
        return True

    def _wait(self, domain: str, now: float) -> float:
        wait = self._paces[domain].wait(now)
        return wait or (self._turns[domain].wait(now) if domain in self._turns else 0.0)

    def _full(self, domain: str) -> bool:
        if domain not in self._most or self._under_way[domain] < self._most[domain]:
            return False
        self.asking = self.asking or (not self._most[domain] and domain not in self._denied)
        return True

    def wanting(self) -> dict[str, int]:
        """Give each domain in `most` that is wanted here, and how many messages to it may be or are under way."""
        wanted = (one for one in self._most if one in self._aside or self._under_way[one])
        return {one: max(self._most[one], self._under_way[one]) for one in wanted}

    def lend(self, domain: str, count: int) -> None:
        """Let so many messages be under way at once from now on; none if others have all that there is."""
        self._most[domain] = count
        self._aside_at = 0.0
        (self._denied.discard if count else self._denied.add)(domain)

    def forget(self, domain: str) -> None:
        """Hear that nothing is lent any more of a domain that is not wanted here."""
        self._most[domain] = 0
        self._denied.discard(domain)

    def over(self, domain: str) -> None:
        """Hear that a message that `take` gave is no longer under way, whatever came of it."""
        if domain in self._most:
            self._under_way[domain] -= 1
            self._aside_at = 0.0

    def wait(self, now: float) -> float:
        """Give the seconds until `take` may give something; infinite when the desk is empty."""
        if self._ready:
            return 0.0
        return min((self._patience(domain, now) for domain in self._aside), default=math.inf)

    def _patience(self, domain: str, now: float) -> float:
        if self._full(domain):
            return _POLL if self._most[domain] else _ELSEWHERE
        return self._wait(domain, now)

    def busy(self, domain: str, now: float, rest: float | None = None) -> float:
        """Hear that a far host asked for patience; give the seconds of its rest, 0 if it rested already."""
        pace = self._paces.setdefault(domain, Pace())
        return pace.rest(now) if pace.busy(now, rest) else 0.0

    def success(self, domain: str, now: float) -> None:
        """Hear that a far host took a message; a domain that has recovered is forgotten."""
        pace = self._paces.get(domain)
        if pace is not None:
            pace.success(now)
            if pace.free and domain not in self._aside and domain not in self._most:
                del self._paces[domain]

    def crowded(self, now: float) -> list[str]:
        """Give the domains of which nothing more should be claimed now: enough waits aside, or they rest for long."""
        aside = [domain for domain, queue in self._aside.items() if len(queue) >= self._share(domain) // 2]
        return list({*aside, *self.resting(now), *self._denied})

    def _share(self, domain: str) -> int:
        """Give how many claims of a domain may wait aside."""
        return int(max(ASIDE, min(self._paces[domain].rate * _AHEAD, _MOST_ASIDE)))

    def resting(self, now: float) -> list[str]:
        """Give the domains that rest for longer than their claims should be held."""
        return [domain for domain, pace in self._paces.items() if pace.wait(now) > LINGER]

    def surplus(self, now: float) -> dict[float, list[Claim]]:
        """Take out what waits aside beyond a domain's share or patience: {seconds until its domain may go: claims}."""
        out: dict[float, list[Claim]] = {}
        for domain, queue in self._aside.items():
            wait = _ELSEWHERE if domain in self._denied else self._wait(domain, now)
            share = 0 if wait > LINGER or domain in self._denied else self._share(domain)
            while len(queue) > share:
                out.setdefault(wait, []).append(queue.pop())
        self._aside = {domain: queue for domain, queue in self._aside.items() if queue}
        return out

    def holds_other(self, edition_id: int) -> bool:
        """Say whether any claim is of another edition than this one."""
        queues = (self._ready, *self._aside.values())
        return any(claim.edition_id != edition_id for queue in queues for claim in queue)

    def clear(self) -> list[Claim]:
        """Take everything out."""
        claims = [*self._ready, *(claim for queue in self._aside.values() for claim in queue)]
        self._ready.clear()
        self._aside.clear()
        return claims
