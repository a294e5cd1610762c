"""The arithmetic of scale against a simulation, and the simulation against the program.

First 1, 10 and 100 million readers an hour: what `demand` asks for is simulated, with relays as they are (lognormal
latency, a heavy tail, a stall). Then `mailer send` over a line with a known delay beside the model of it. Prints its
tables as docs/scale.md has them.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks import costing, newsroom, stock
from benchmarks.demand import MEASURED, SQLITE, Demand, Way, demand, markdown, table
from benchmarks.plant import Plant, Ran, Relay, Simulation
from benchmarks.process import free_port, serving, sink
from benchmarks.table import Wanted, alone, figure, heading, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.table import Options

FILLED = 0.7
LATENCY = 0.1  # seconds from a body to its 250, the mean
USUAL = Relay(LATENCY, sigma=0.6, tail=0.01, longer=10)  # one answer in a hundred takes ten times as long
CONNECTIONS = 20
DELAYS = (0.05, 0.02, 0.0)  # seconds each way
_HEADS = (
    "",
    "messages/s",
    "workers",
    "connections",
    "messages a commit",
    "processors",
    "PostgreSQL",
    "short of",
)


def measure(options: Options) -> list[Wanted]:
    """Simulate, measure, print the tables, and give what is wanted."""
    heading(f"Readers an hour: what is needed, {FILLED:.0%} filled, answers after {LATENCY * 1e3:.0f} ms")
    print(markdown(table()))
    off = _hourly(20 if options.quick else 60)
    _breaking(20 if options.quick else 60)
    beside = [_beside(delay, 6 if options.quick else 20) for delay in DELAYS]
    return [Wanted("arithmetic against simulation, worst of three, off by", off, "<=", 10, "%"), *beside]


def plant_of(need: Demand, relay: Relay = USUAL) -> Plant:
    """Give the plant that a demand asks for, with as many relays as it says."""
    share = replace(relay, connections=None)
    cores = max(1, round(need.database_cores))
    return Plant(MEASURED, need.workers, need.connections, (share,) * need.relays, cores, signed=True)


def _hourly(seconds: int) -> float:
    """Simulate what the arithmetic asks for; give by how many per cent the worst misses what it was to be filled."""
    heading("The same, simulated: what it carries at most")
    rows, off = [_HEADS], 0.0
    for millions in (1, 10, 100):
        progress(f"simulating {millions} million an hour")
        need = demand(millions * 1e6, way=Way(LATENCY), filled=FILLED)
        plant = plant_of(need)
        done = Simulation(plant).run(min(seconds, seconds * 20 / millions))
        rows.append(row(f"{millions} million an hour, {need.rate:,.0f} a second", plant, done))
        off = max(off, abs(need.rate / done.rate / FILLED - 1) * 100)
    print(markdown(rows))
    return off


def row(name: str, plant: Plant, done: Ran) -> tuple[str, ...]:
    """Give one line of a table."""
    filled = f"{done.processors * 100:.0f} %", f"{done.database * 100:.0f} %"
    counts = figure(done.rate), f"{plant.workers}", f"{done.connections:,}", f"{done.group:.1f}"
    return name, *counts, *filled, done.bottleneck


def _breaking(seconds: int) -> None:
    """Start from ten million an hour, and take away one thing a time."""
    heading("Ten million readers an hour, and one thing goes wrong")
    need = demand(10e6, way=Way(LATENCY), filled=FILLED)
    good = plant_of(need)
    rows = [row(name, plant, Simulation(plant).run(seconds)) for name, plant in _worse(good, seconds).items()]
    print(markdown([_HEADS, *rows]))


def _worse(good: Plant, seconds: int) -> dict[str, Plant]:
    """Give the plants in which one thing is worse, by name. The stall covers the middle half of the measured time."""
    usual, number = good.relays[0], len(good.relays)
    warm = seconds / 5
    stalls = (warm + seconds / 4, warm + seconds * 3 / 4)
    paced = (replace(usual, per_second=200.0),) * number
    more = replace(good, connections=4 * good.connections, database_cores=4)
    return {
        "as reckoned": good,
        "answers after 1 s": replace(good, relays=(replace(usual, latency=1.0),) * number),
        "one relay stalls for half of the time": replace(
            good, relays=(replace(usual, stalls=stalls), *good.relays[1:])
        ),
        "each relay takes 200 a second": replace(good, relays=paced),
        "each connection takes 20 messages, opens in 0.5 s": replace(
            good, relays=(replace(usual, per_connection=20),) * number
        ),
        "commits that wait 20 ms": replace(good, costs=replace(MEASURED, commit_wait=20_000)),
        "four times the connections, four cores for PostgreSQL": more,
        "four times the connections, one core for PostgreSQL": replace(more, database_cores=1),
        "four times the connections, four cores, nothing signed": replace(more, signed=False),
        "the same, and one worker": replace(more, signed=False, workers=1),
    }


def _beside(delay: float, seconds: int) -> Wanted:
    """Send over a line with a delay, and simulate the same; give by how many per cent the two differ.

    How long the line takes is measured before and after with one connection that only exchanges: a proxy's timers are
    no finer than a millisecond, and the machine may be busy. What twenty connections, the ledger and the rest of the
    program make of it, the model has to tell. Without a delay it is the processor that counts.
    """
    count = int(min(CONNECTIONS / (2 * delay), 2_000) * seconds) if delay else 2_000 * seconds
    progress(f"mailer send of {count:,} messages over a line of {delay * 1e3:.0f} ms each way")
    with sink() as server, _delayed(server, delay) as port, newsroom.newsroom(count) as room:
        before = _answer(port, delay)
        sent = newsroom.send(room, port, connections=CONNECTIONS)
        latency = (before + _answer(port, delay)) / 2
    model = Simulation(Plant(SQLITE, 1, CONNECTIONS, (Relay(latency, sigma=0),))).run(30)
    off = abs(model.rate / sent.rate - 1) * 100
    heads = ("an answer", "the model", "`mailer send`", "off by", "connections / answer", "short of")
    rates = f"{model.rate:,.0f}/s", f"{sent.rate:,.0f}/s", f"{off:.1f} %", f"{CONNECTIONS / latency:,.0f}/s"
    heading(f"The model beside the program: {CONNECTIONS} connections, on SQLite")
    print(markdown([heads, (f"{latency * 1e3:.1f} ms", *rates, model.bottleneck)]))
    most = 10 if delay else 25  # two programs on two cores: what the server takes of them is not in the model
    return Wanted(f"model against mailer send, {delay * 1e3:.0f} ms each way, off by", off, "<=", most, "%")


def _answer(port: int, delay: float) -> float:
    """Give the seconds of one exchange over a line."""
    line = costing.exchanging(stock.edition(), port, int(2 / delay) if delay else 2_000, 1)
    return line.clock / line.messages


@contextmanager
def _delayed(server: int, delay: float) -> Iterator[int]:
    if not delay:
        yield server
        return
    port = free_port()
    with serving((sys.executable, "-m", "benchmarks.proxy", str(port), str(server), str(delay)), port):
        yield port


if __name__ == "__main__":
    alone(measure)
