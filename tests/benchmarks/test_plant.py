"""The model of a sending plant against queueing theory, where that is exact."""

from __future__ import annotations

import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.demand import MICRO, Costs, demand
from benchmarks.plant import Plant, Ran, Relay, Simulation
from benchmarks.station import Station

FREE = Costs(0, 0, 0, 0, 0, 0, 0, 0, 0, gather=0, patience=0)
REAL = Costs(
    plan=7, claim=10, make=25, sign=300, smtp=45, journal=4, move=60, commit=150, rest=60,
    server_move=60, server_commit=80, commit_wait=1500,
)  # fmt: skip


def ran(plant: Plant, seconds: float = 20, seed: int = 72) -> Ran:
    return Simulation(plant, seed).run(seconds)


@settings(max_examples=15)
@given(
    st.integers(1, 5),
    st.integers(1, 60),
    st.floats(0.01, 0.5),
    st.floats(0, 0.7),
    st.booleans(),
    st.integers(0, 1_000),
)
def test_littles_law(workers: int, connections: int, latency: float, sigma: float, signed: bool, seed: int):
    """Connections = rate x time of a round, whatever is in the way: the model loses nobody."""
    plant = Plant(REAL, workers, connections, (Relay(latency, sigma),), signed=signed)
    done = ran(plant, 400 * latency, seed)  # long beside any round, so that the ends do not count
    assert done.rate * done.cycle == pytest.approx(connections, rel=0.12)


@pytest.mark.parametrize("connections", [1, 20, 300])
def test_connections_over_latency(connections: int):
    """Where nothing costs anything, the rate is that of the connections alone, exactly."""
    done = ran(Plant(FREE, 1, connections, (Relay(0.1, sigma=0),)))
    assert done.rate == pytest.approx(connections / 0.1, rel=0.01)
    assert done.bottleneck == "connections"


def test_connections_that_end_after_some_messages():
    """Each ten messages share the time that opening takes."""
    done = ran(Plant(FREE, 1, 20, (Relay(0.1, sigma=0, per_connection=10, opening=0.5),)), 60)
    assert done.rate == pytest.approx(20 / (0.1 + 0.5 / 10), rel=0.02)


@pytest.mark.parametrize(
    ("costs", "relay", "limit", "name"),
    [
        (replace(FREE, make=200), Relay(0.01, 0), 1e6 / 200, "the workers' processors"),
        (replace(FREE, sign=500), Relay(0.01, 0), 2 * 1e6 / 500, "the signing threads"),
        (replace(FREE, server_move=400), Relay(0.01, 0), 4 * 1e6 / 400, "the database's processors"),
        (FREE, Relay(0.01, 0, per_second=700), 700, "the relays' rate"),
        (REAL, Relay(0.01, 0, per_second=700), 700, "the relays' rate"),
    ],
)
def test_the_slowest_station_sets_the_rate(costs: Costs, relay: Relay, limit: float, name: str):
    """With more connections than anything can serve, the rate is that of the smallest station, and it is named."""
    workers = 8 if "database" in name else 1  # one worker has one transaction at a time
    done = ran(Plant(costs, workers, 400, (relay,), database_cores=4, signed=True))
    assert done.rate == pytest.approx(limit, rel=0.02)
    assert done.bottleneck == name


def test_one_transaction_at_a_time():
    """Commits of 50 ms: half the connections wait for one while the other half's is under way, in turns."""
    done = ran(Plant(replace(FREE, commit_wait=50_000), 1, 100, (Relay(0.001, 0),)))
    assert done.group == pytest.approx(50, rel=0.05)
    assert done.rate == pytest.approx(50 / 0.05, rel=0.05)
    assert done.bottleneck == "the wait for commits"


def test_a_stalled_relay_holds_up_only_its_own_connections():
    """The other relay's rate stays; the plant as a whole loses the stalled share."""
    steady, stalling = Relay(0.1, 0), Relay(0.1, 0, stalls=(8, 18))
    calm = ran(Plant(REAL, 1, 40, (steady, steady)))
    stalled = ran(Plant(REAL, 1, 40, (steady, stalling)))
    assert stalled.relays[0] == pytest.approx(calm.relays[0], rel=0.03)
    assert stalled.relays[1] == pytest.approx(calm.relays[1] / 2, rel=0.1)


def test_connections_go_by_weight_and_limit():
    """A relay that allows few gets few; the others take what is left, by their weights."""
    plant = Plant(FREE, 2, 100, (Relay(connections=10), Relay(weight=2), Relay(weight=1)))
    lanes = [relay for _, relay in Simulation(plant).lanes]
    assert [lanes.count(number) for number in range(3)] == [10, 60, 30]
    full = Simulation(Plant(FREE, 1, 100, (Relay(connections=10), Relay(connections=20))))
    assert len(full.lanes) == 30


def test_latency_has_the_mean_that_was_asked_for():
    """With its tail: one in fifty is ten times as long."""
    dice, relay = random.Random(1), Relay(0.2, 0.6, tail=0.02)  # noqa: S311
    drawn = [relay.sample(dice) for _ in range(100_000)]
    assert statistics.fmean(drawn) == pytest.approx(0.2, rel=0.02)
    assert max(drawn) > 2


def test_a_seed_tells_everything():
    """The same seed is the same run; another is another."""
    plant = Plant(REAL, 2, 50, (Relay(0.1, 0.5, tail=0.01),))
    assert ran(plant, 5, 1) == ran(plant, 5, 1)
    assert ran(plant, 5, 1) != ran(plant, 5, 2)


def test_a_station_serves_in_order():
    """Two servers: the third who comes waits for the first who is done."""
    station = Station(2)
    assert [station.serve(0, 2), station.serve(0, 1), station.serve(0, 5)] == [2, 1, 6]
    assert station.filled(8) == 0.5


@pytest.mark.parametrize("millions", [1, 10])
def test_the_arithmetic_stands_in_the_simulation(millions: int):
    """What `demand` asks for carries the rate, and is filled about as far as it was told to fill it."""
    need = demand(millions * 1e6, REAL, filled=0.7)
    cores = max(1, round(need.database_cores))
    done = ran(Plant(REAL, need.workers, need.connections, (Relay(0.1, 0.5),), cores, signed=True))
    assert need.rate <= done.rate
    assert need.rate / done.rate == pytest.approx(0.7, rel=0.05)
    assert done.rate * REAL.interpreter * MICRO <= need.workers
