"""The arithmetic of docs/scale.md: properties that hold whatever a message costs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.demand import HOUR, MEASURED, MICRO, Costs, Way, demand

READERS = st.floats(min_value=1, max_value=5e8)
LATENCY = st.floats(min_value=0.001, max_value=30)
MORE = st.floats(min_value=1, max_value=20)
COST = st.floats(min_value=1, max_value=500)
COSTS = st.builds(
    Costs, plan=COST, claim=COST, make=COST, sign=COST, smtp=COST, journal=COST, move=COST, commit=COST, rest=COST,
    server_read=COST, server_move=COST, server_commit=COST, commit_wait=st.floats(min_value=1, max_value=20_000),
)  # fmt: skip


@given(READERS, LATENCY, MORE)
def test_more_latency_never_needs_fewer_connections(readers: float, latency: float, more: float):
    """Who waits longer for each answer needs as many or more, or a worker more, whose groups are smaller and sooner."""
    near = demand(readers, way=Way(latency))
    far = demand(readers, way=Way(latency * more))
    assert far.workers >= near.workers
    assert far.connections >= near.connections or far.workers > near.workers


@given(READERS, MORE, COSTS)
def test_more_readers_never_need_less(readers: float, more: float, costs: Costs):
    """Of nothing."""
    few, many = demand(readers, costs), demand(readers * more, costs)
    for name in ("workers", "connections", "writes", "relays", "gigabits", "cores"):
        assert getattr(many, name) >= getattr(few, name), name


@given(READERS, COSTS, LATENCY)
def test_what_is_given_carries_the_rate(readers: float, costs: Costs, latency: float):
    """No worker, connection or relay is asked for more than the share that may be filled."""
    need = demand(readers, costs, Way(latency), filled=0.7)
    rate = readers / HOUR
    assert rate * costs.interpreter <= 0.7 * need.workers
    assert rate * latency <= 0.7 * need.connections
    assert rate <= 0.7 * Way().per_second * need.relays * (1 + 1e-9)
    assert need.connections <= 200 * need.workers
    assert need.connections <= 100 * need.relays


@given(COSTS, st.floats(min_value=0, max_value=20_000))
def test_a_commit_is_shared_by_at_least_one_and_at_most_a_group(costs: Costs, rate: float):
    """However slowly or quickly messages come."""
    assert 1 <= costs.group(rate) <= 256
    assert costs.group(rate) <= costs.group(rate * 2)


def test_arithmetic_by_hand():
    """36 million an hour with round costs, worked out on paper."""
    costs = Costs(10, 10, 20, 300, 40, 0, 20, 0, 0, server_move=50, gather=0, patience=0)
    need = demand(36e6, costs, Way(0.1, 100, 1000), filled=0.5, connections_a_worker=2000)
    assert need.rate == 10_000
    assert need.workers == 2  # 100 µs each: one second of a processor a second, half full
    assert need.cores == pytest.approx((1 + 3) / 0.5)
    assert need.connections == pytest.approx(10_000 * 0.1 / 0.5, rel=0.01)
    assert need.writes == 20_000
    assert need.database_cores == pytest.approx(10_000 * 50 * MICRO / 0.5)
    assert need.relays == pytest.approx(need.connections / 100, abs=1)
    assert need.gigabits == pytest.approx(3.2)


def test_signatures_take_cores_and_no_workers():
    """They are made in threads, outside of the interpreter's lock."""
    bare, signed = demand(1e7, signed=False), demand(1e7, signed=True)
    assert signed.workers == bare.workers
    assert signed.cores > bare.cores
    assert demand(1e7, replace(MEASURED, sign=0)).cores == bare.cores


@pytest.mark.parametrize(
    "wrong", [{"readers_an_hour": 0}, {"filled": 0}, {"filled": 1.1}, {"connections_a_worker": 0}]
)
def test_numbers_that_mean_nothing_are_refused(wrong: dict[str, float]):
    """No demand can be told for nobody, or for connections that nobody may open."""
    with pytest.raises(ValueError, match="more than nothing"):
        demand(**{"readers_an_hour": 1e6, **wrong})
