"""What so many readers an hour need: workers, connections, database writes and relays, from what a message costs.

Pure arithmetic, the same that docs/scale.md shows; a test holds the page against it, and the simulation checks it.
MEASURED and SQLITE are what `python -m benchmarks stages` printed last; whoever measures anew changes them there.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MICRO = 1e-6
HOUR = 3600
BOTH_MOVES = 2  # a message writes its row twice after it was claimed: the fence and the outcome
LARGEST_GROUP = 256  # the recorder's own limit
LONGEST_GATHER = 20_000  # microseconds, and this


@dataclass(frozen=True)
class Costs:
    """CPU of one message in microseconds, stage by stage; a commit is paid once a group of messages."""

    plan: float
    claim: float
    make: float
    sign: float  # one RSA-2048 and one Ed25519 signature; outside of the interpreter's lock
    smtp: float
    journal: float
    move: float  # the worker's side of fence and outcome
    commit: float  # the worker's side of one transaction
    rest: float  # what the whole program costs beyond these: the desk, pacing, judging, waking threads
    server_read: float = 0.0  # the server's side, of PostgreSQL: planning and claiming
    server_move: float = 0.0  # and fence and outcome
    server_commit: float = 0.0
    commit_wait: float = 0.0  # microseconds that a transaction waits for the network and the disk
    # How moves come together before a transaction (mailer/delivery/recorder.py): for so many microseconds, or so many
    # times as long as the last transaction took; or until that share of a worker's connections has handed one in.
    gather: float = 2000.0
    patience: float = 4.0
    enough: float = 1.0

    @property
    def interpreter(self) -> float:
        """What one process can do one after the other only: all but the signatures and the commits."""
        return (self.plan + self.claim + self.make + self.smtp + self.journal + self.move + self.rest) * MICRO

    def transaction(self, moves: float) -> float:
        """Give the microseconds that a transaction of so many moves takes."""
        fixed = self.commit + self.server_commit + self.commit_wait
        return fixed + moves * (self.journal + self.move + self.server_move)

    def gathered(self, last: float) -> float:
        """Give the microseconds that moves come together for, when the last transaction took `last`."""
        return min(max(self.gather, self.patience * last), LONGEST_GATHER)

    def group(self, rate: float) -> float:
        """Give how many messages share a commit in a worker that sends so many a second.

        Moves gather while the transaction before runs, and for a while after; what comes then is a group. The more, the
        longer it takes, and the more come: the least number that stands still is meant.
        """
        group = 1.0
        while group < LARGEST_GROUP:
            took = self.transaction(group)
            more = rate * (took + self.gathered(took)) * MICRO
            if more <= group * 1.001:
                break
            group = more
        return min(group, LARGEST_GROUP)

    def record_wait(self, rate: float) -> float:
        """Give the seconds from handing in a move to its grant: half of what gathers, on average, and a transaction."""
        took = self.transaction(self.group(rate))
        return (took + (took + self.gathered(took)) / 2) * MICRO


@dataclass(frozen=True)
class Way:
    """A relay as it is seen from here: seconds from a body to its 250, what it takes, and how it is reached."""

    latency: float = 0.1
    connections: int = 100
    per_second: float = 300.0  # Postfix on two cores, `python -m benchmarks relay`


@dataclass(frozen=True)
class Demand:
    """What is needed. `filled` of it is used; the rest is for the next spike."""

    rate: float  # messages a second
    cores: float  # of all workers
    workers: int
    connections: int
    writes: float  # rows of the ledger a second
    commits: float  # transactions a second
    database_cores: float
    relays: int
    gigabits: float  # a second, to the relays


# The figures to measure anew: `python -m benchmarks stages` prints both, ready to be put here.
MEASURED = Costs(  # on PostgreSQL
    plan=2, claim=11, make=22, sign=478, smtp=71, journal=2, move=10, commit=345, rest=70,
    server_read=19, server_move=26, server_commit=299, commit_wait=146,
)  # fmt: skip
SQLITE = Costs(
    plan=3, claim=12, make=22, sign=478, smtp=71, journal=2, move=14, commit=71, rest=70, commit_wait=9,
    patience=0, enough=0.75,
)  # fmt: skip


def demand(
    readers_an_hour: float,
    costs: Costs = MEASURED,
    way: Way | None = None,
    *,
    signed: bool = True,
    filled: float = 0.7,
    connections_a_worker: int = 200,
    octets: int = 40_000,
) -> Demand:
    """Give what it takes to send to so many readers an hour; `filled` is how full anything may be.

    Raises ValueError for numbers that mean nothing.
    """
    if readers_an_hour <= 0 or not 0 < filled <= 1 or connections_a_worker < 1:
        raise ValueError("readers, the share filled (0 to 1) and connections must be more than nothing")
    way = way or Way()
    rate = readers_an_hour / HOUR
    workers, connections, busy = _settled(rate / filled, costs, way.latency, connections_a_worker)
    commits = rate / costs.group(rate / workers)
    server = rate * (costs.server_read + costs.server_move) + commits * costs.server_commit
    return Demand(
        rate,
        rate * (busy + signed * costs.sign * MICRO) / filled,
        workers,
        connections,
        BOTH_MOVES * rate,
        commits,
        server * MICRO / filled,
        max(ceil(rate / (way.per_second * filled)), ceil(connections / way.connections)),
        rate * octets * 8 / 1e9,
    )


def _settled(rate: float, costs: Costs, latency: float, connections_a_worker: int) -> tuple[int, int, float]:
    """Give workers, connections and a message's seconds of interpreter: each of the three depends on the others.

    `rate` is what they can carry at most: a fuller plant has larger groups, and waits longer for them.
    """
    busy = costs.interpreter + costs.commit * MICRO / costs.group(rate)
    workers = ceil(rate * busy)
    for _ in range(20):  # more workers have smaller groups, which cost more: a few rounds settle it
        each = rate / workers
        busy = costs.interpreter + costs.commit * MICRO / costs.group(each)
        connections = ceil(rate * (latency + costs.record_wait(each) + busy))
        needed = max(ceil(rate * busy), ceil(connections / connections_a_worker))
        if needed <= workers:
            break
        workers = needed
    return workers, connections, busy


def table(costs: Costs = MEASURED, way: Way | None = None) -> Iterator[tuple[str, ...]]:
    """Give the rows of the page: 1, 10 and 100 million readers an hour."""
    needs = [demand(millions * 1e6, costs, way) for millions in (1, 10, 100)]
    yield ("", *(f"{millions} million an hour" for millions in (1, 10, 100)))
    for name, words in _ROWS.items():
        yield (words[0], *(words[1].format(getattr(need, name)) for need in needs))


_ROWS = {
    "rate": ("messages a second", "{:,.0f}"),
    "workers": ("workers (processes)", "{:,}"),
    "cores": ("cores of all workers, DKIM included", "{:,.1f}"),
    "connections": ("connections to relays, all workers together", "{:,}"),
    "writes": ("rows of the ledger written a second", "{:,.0f}"),
    "commits": ("transactions a second", "{:,.0f}"),
    "database_cores": ("cores of PostgreSQL", "{:,.1f}"),
    "relays": ("relays", "{:,}"),
    "gigabits": ("Gbit/s to the relays, messages of 40 KB", "{:,.1f}"),
}


def stages() -> Iterator[tuple[str, ...]]:
    """Give the rows of the page: what each stage costs."""
    yield ("stage", "SQLite", "PostgreSQL: worker", "PostgreSQL: server")
    for name, words in _STAGES.items():
        server = f"{getattr(MEASURED, _SERVER[name]):.0f}" if name in _SERVER else ""
        yield (words, f"{getattr(SQLITE, name):.0f}", f"{getattr(MEASURED, name):.0f}", server)


_STAGES = {
    "plan": "plan a row",
    "claim": "claim it, and read the reader's name",
    "make": "make the message, 40 KB",
    "sign": "sign it, RSA-2048 and Ed25519, in threads of its own",
    "smtp": "exchange it with smtp-sink, pipelined",
    "journal": "write its two moves to the journal",
    "move": "fence and outcome in the ledger",
    "rest": "the rest of the program: desk, pacing, judging, waking threads",
    "commit": "a transaction, shared by a group of messages",
}
_SERVER = {"claim": "server_read", "move": "server_move", "commit": "server_commit"}


def markdown(rows: Iterable[tuple[str, ...]]) -> str:
    """Give rows as a table of the page."""
    first, *rest = rows
    lines = [first, tuple("---" for _ in first), *rest]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)


if __name__ == "__main__":
    print(markdown(stages()), markdown(table()), sep="\n\n")
