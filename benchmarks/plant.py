"""A model of a sending plant, event by event: workers, connections, relays and the database. Pure and seeded.

A connection goes round: make a message (the worker's processor; its signing threads), exchange it (the relay), record
it (the worker's one recorder, in groups), and again. So the same things are short as in the program: one interpreter a
worker, one writer a worker, one database for all, a relay's turns. Stations serve first come, first served.
Never: reads a clock, or knows how the program is written; what a message costs is given.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from benchmarks.demand import LARGEST_GROUP, MICRO, Costs
from benchmarks.station import Station

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

SATURATED = 0.9
_SIGNING_THREADS = 2  # mailer/delivery/ahead.py
_FEW = 8  # connections below which there is nothing to gather, mailer/delivery/recorder.py


@dataclass(frozen=True)
class Relay:
    """How long a relay takes: lognormal with this mean, and `tail` of all messages that much `longer`.

    `sigma` 0 means always the same. `connections` is the most that it allows, in all; `per_second` paces it; after
    `per_connection` messages a connection is opened anew, which takes `opening` seconds (greeting, TLS, AUTH).
    Between `stalls[0]` and `stalls[1]` it takes everything and answers nothing.
    """

    latency: float = 0.1
    sigma: float = 0.5
    tail: float = 0.0
    longer: float = 10.0
    connections: int | None = None
    per_second: float | None = None
    per_connection: int | None = None
    opening: float = 0.5
    stalls: tuple[float, float] | None = None
    weight: int = 1

    def sample(self, dice: random.Random) -> float:
        """Draw one latency."""
        body = self.latency / (1 + self.tail * (self.longer - 1))
        drawn = body
        if self.sigma:
            drawn = dice.lognormvariate(math.log(body) - self.sigma**2 / 2, self.sigma)
        return drawn * self.longer if self.tail and dice.random() < self.tail else drawn


@dataclass(frozen=True)
class Plant:
    """What is simulated. `database_cores` serve all workers; on SQLite (no server side) they are idle."""

    costs: Costs
    workers: int = 1
    connections: int = 20  # of all workers together
    relays: tuple[Relay, ...] = (Relay(),)
    database_cores: int = 4
    signed: bool = False


@dataclass(frozen=True)
class Ran:
    """What came of it, after the warm-up. Utilisations are 0 to 1; `circulating` is the mean number under way."""

    rate: float
    cycle: float  # seconds, the mean of a message from its making to its grant
    group: float
    processors: float
    signing: float
    database: float
    relays: tuple[float, ...]  # messages a second, of each
    limits: float  # of the relays' rates: how much of the tightest is used
    waiting: float  # share of a connection's time in which it waits for its relay's answer
    recording: float  # and for a grant
    connections: int

    @property
    def bottleneck(self) -> str:
        """Name what is short: the fullest station, or what connections wait for where every station has room."""
        full = {
            "the workers' processors": self.processors,
            "the signing threads": self.signing,
            "the database's processors": self.database,
            "the relays' rate": self.limits,
        }
        name = max(full, key=full.__getitem__)
        if full[name] >= SATURATED:
            return name
        return "the wait for commits" if self.recording > self.waiting else "connections"


@dataclass
class _Worker:
    processor: Station = field(default_factory=lambda: Station(1))
    signers: Station = field(default_factory=lambda: Station(_SIGNING_THREADS))
    waiting: list[int] = field(default_factory=list)  # connections, to be recorded
    enough: int = 1  # of them are begun at once
    gather: float = 0.0  # microseconds that they come together for, if they are fewer
    recording: bool = False
    awaited: bool = False
    group: int = 0  # how many were begun
    asked: float = 0.0  # when the last was


class Simulation:
    """One run. `run` may be called once."""

    def __init__(self, plant: Plant, seed: int = 72) -> None:
        self.plant = plant
        self.dice = random.Random(seed)
        self.now = 0.0
        self.events: list[tuple[float, int, Callable[..., None], tuple]] = []
        self.count = 0
        self.workers = [_Worker() for _ in range(plant.workers)]
        self.database = Station(plant.database_cores)
        self.turns = [0.0] * len(plant.relays)
        self.lanes = _lanes(plant)
        for number, worker in enumerate(self.workers):
            theirs = sum(mine == number for mine, _ in self.lanes)
            worker.enough = int(theirs * plant.costs.enough) if theirs >= _FEW else 1
            worker.gather = plant.costs.gather
        self.begun = [0.0] * len(self.lanes)
        self.handed = [0.0] * len(self.lanes)
        self.said = [0] * len(self.lanes)  # messages of its present connection
        self._clear()
        costs = plant.costs
        self.message = costs.interpreter - (costs.journal + costs.move) * MICRO
        self.move = (costs.journal + costs.move) * MICRO

    def run(self, seconds: float, warm: float | None = None) -> Ran:
        """Simulate so many seconds, of which the first, a fifth unless said otherwise, do not count."""
        warm = seconds / 5 if warm is None else warm
        for lane in range(len(self.lanes)):
            self.at(self.dice.random() * 0.1, self.make, lane)
        self._until(warm)
        self._clear()
        self._until(warm + seconds)
        return self._ran(seconds)

    def at(self, time: float, what: Callable[..., None], *values: object) -> None:
        """Let something happen at a time."""
        self.count += 1
        heappush(self.events, (time, self.count, what, values))

    def make(self, lane: int) -> None:
        """Make the next message of a connection, and sign it."""
        worker = self.workers[self.lanes[lane][0]]
        self.begun[lane] = self.now
        if self.plant.costs.server_read:
            self.database.serve(
                self.now, self.plant.costs.server_read * MICRO
            )  # ahead of its turn: nobody waits
        done = worker.processor.serve(self.now, self.message)
        if self.plant.signed:
            done = max(done, worker.signers.serve(self.now, self.plant.costs.sign * MICRO))
        self.at(done, self.exchange, lane)

    def exchange(self, lane: int) -> None:
        """Give it to the relay, in its turn, and hear the answer."""
        number = self.lanes[lane][1]
        relay = self.plant.relays[number]
        leaves = self.now + self._opened(lane, relay)
        if relay.per_second:
            leaves = max(leaves, self.turns[number])
            self.turns[number] = leaves + 1 / relay.per_second
        answer = leaves + relay.sample(self.dice)
        if relay.stalls and answer > relay.stalls[0] and leaves < relay.stalls[1]:
            answer = max(answer, relay.stalls[1])
        self.under_way += answer - leaves
        self.at(answer, self.record, lane)

    def _opened(self, lane: int, relay: Relay) -> float:
        """Give the seconds until the lane's connection can take a message."""
        anew = relay.per_connection is not None and self.said[lane] >= relay.per_connection
        self.said[lane] = 1 if anew else self.said[lane] + 1
        return relay.opening if anew else 0.0

    def record(self, lane: int) -> None:
        """Hand it in to the worker's recorder."""
        worker = self.workers[self.lanes[lane][0]]
        self.handed[lane] = self.now
        worker.waiting.append(lane)
        self.look(worker)

    def look(self, worker: _Worker) -> None:
        """Begin a group if enough have come together, else see to it that it is begun in time."""
        if worker.recording or not worker.waiting:
            return
        if len(worker.waiting) >= worker.enough:
            self.commit(worker, worker.group)
        elif not worker.awaited:
            worker.awaited = True
            self.at(self.now + worker.gather * MICRO, self.commit, worker, worker.group)

    def commit(self, worker: _Worker, before: int) -> None:
        """Write down what waits: the worker's side, the server's side, the disk; `before` groups were begun."""
        if worker.group != before:
            return  # it was enough in the meantime
        costs = self.plant.costs
        group, worker.waiting = worker.waiting[:LARGEST_GROUP], worker.waiting[LARGEST_GROUP:]
        worker.recording, worker.awaited, worker.group, worker.asked = True, False, before + 1, self.now
        self.groups += 1
        done = worker.processor.serve(self.now, len(group) * self.move + costs.commit * MICRO)
        server = len(group) * costs.server_move + costs.server_commit
        self.at(done, self.serve, worker, group, server * MICRO)

    def serve(self, worker: _Worker, group: list[int], seconds: float) -> None:
        """Let the database do its part."""
        done = self.database.serve(self.now, seconds) if seconds else self.now
        self.at(done + self.plant.costs.commit_wait * MICRO, self.grant, worker, group)

    def grant(self, worker: _Worker, group: list[int]) -> None:
        """Let the connections of a group go on, and the next group begin."""
        for lane in group:
            self.taken[self.lanes[lane][1]] += 1
            self.cycles += self.now - self.begun[lane]
            self.held += self.now - self.handed[lane]
            self.make(lane)
        worker.recording = False
        worker.gather = self.plant.costs.gathered((self.now - worker.asked) / MICRO)
        self.look(worker)

    def _until(self, end: float) -> None:
        events = self.events
        while events and events[0][0] <= end:
            self.now, _, what, values = heappop(events)
            what(*values)
        self.now = end

    def _clear(self) -> None:
        self.taken = [0] * len(self.plant.relays)
        self.groups, self.cycles, self.under_way, self.held = 0, 0.0, 0.0, 0.0
        for worker in self.workers:
            worker.processor.busy = worker.signers.busy = 0.0
        self.database.busy = 0.0

    def _ran(self, span: float) -> Ran:
        done = sum(self.taken)
        rates = tuple(taken / span for taken in self.taken)
        limits = [
            rate / relay.per_second
            for rate, relay in zip(rates, self.plant.relays, strict=True)
            if relay.per_second
        ]
        lanes = len(self.lanes)
        return Ran(
            done / span,
            self.cycles / max(1, done),
            done / max(1, self.groups),
            _mean(worker.processor.filled(span) for worker in self.workers),
            _mean(worker.signers.filled(span) for worker in self.workers),
            self.database.filled(span),
            rates,
            max(limits, default=0.0),
            min(1.0, self.under_way / (span * lanes)),
            min(1.0, self.held / (span * lanes)),
            lanes,
        )


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers)


def _lanes(plant: Plant) -> list[tuple[int, int]]:
    """Give (worker, relay) of each connection: relays by weight and up to their limits, workers in turns."""
    room = [relay.connections if relay.connections is not None else math.inf for relay in plant.relays]
    held = [0] * len(plant.relays)
    for _ in range(plant.connections):
        open_ones = [number for number, most in enumerate(room) if held[number] < most]
        if not open_ones:
            break
        held[min(open_ones, key=lambda number: (held[number] + 1) / plant.relays[number].weight)] += 1
    relays = [number for number, count in enumerate(held) for _ in range(count)]
    return [(index % plant.workers, number) for index, number in enumerate(relays)]
