"""What an answer means: waits, rests and ends, without a clock or a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.hooks.patience import GONE, WAITS, Answer, Standing, decide
from mailer.hooks.tables import DISPATCH_MOVES, DispatchState

NOON = datetime(2026, 7, 14, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
ANSWERS = st.builds(
    Answer,
    st.none() | st.integers(100, 599),
    st.text(max_size=20),
    st.none() | st.timedeltas(timedelta(days=-1), timedelta(days=9)),
)
STANDINGS = st.builds(
    Standing,
    st.integers(0, 2000),
    st.none() | st.datetimes(timezones=st.just(UTC), max_value=NOON.replace(tzinfo=None)),
)


def decided(answer: Answer, attempts: int = 1, standing: Standing | None = None, chance: float = 0.5):
    return decide(answer, attempts, standing or Standing(), NOON, WEEK, chance)


def test_only_2xx_is_a_yes():
    """A redirect is no delivery, and neither is anything else but 2xx; a yes forgets every failure."""
    for status in (200, 202, 204, 299):
        decision = decided(Answer(status), standing=Standing(9, NOON - timedelta(days=2), NOON))
        assert decision.state is DispatchState.DELIVERED
        assert decision.standing == Standing(answered_at=NOON)
    for status in (None, 100, 301, 302, 307, 308, 400, 401, 404, 429, 500, 503):
        assert decided(Answer(status)).state is DispatchState.WAITING


def test_the_waits_are_those_of_standard_webhooks_with_jitter():
    """From five seconds to a day; two receivers that fell over together are not asked together again."""
    for attempts, wait in enumerate(WAITS, 1):
        early, late = (decided(Answer(500), attempts, chance=chance).due_at for chance in (0.0, 0.999999))
        assert early == NOON + wait * 0.8
        assert abs(late - (NOON + wait * 1.2)) < timedelta(seconds=1)
    assert timedelta(days=3) < sum(WAITS, timedelta(0)) < timedelta(days=4)


def test_after_the_last_wait_an_event_is_abandoned():
    """One event that a receiver never takes does not stay for ever."""
    assert decided(Answer(500), len(WAITS)).state is DispatchState.WAITING
    assert decided(Answer(500), len(WAITS) + 1).state is DispatchState.ABANDONED


def test_a_receiver_that_asks_to_wait_is_heard():
    """Retry-After makes a wait longer, never shorter, and at most a day."""
    assert decided(Answer(503, later=timedelta(hours=2))).due_at == NOON + timedelta(hours=2)
    assert decided(Answer(503, later=timedelta(seconds=-5))).due_at == NOON + WAITS[0]
    assert decided(Answer(503, later=timedelta(days=400))).due_at == NOON + timedelta(days=1)


def test_who_fails_again_and_again_rests():
    """After three failures in a row a receiver is left alone for half a minute, then longer, at most a quarter hour."""
    rests = []
    standing = Standing()
    for _ in range(12):
        standing = decided(Answer(None, "ConnectError"), standing=standing).standing
        rests.append(standing.resting_until and standing.resting_until - NOON)
    assert rests[:4] == [None, None, timedelta(seconds=30), timedelta(seconds=60)]
    assert rests[-1] == timedelta(minutes=15)
    assert standing.failing_since == NOON


def test_who_never_answers_is_told_nothing_more():
    """After so many days without one yes, and at once for 410, with words for the operator."""
    dead = Standing(500, NOON - WEEK)
    assert "no answer since 2026-07-07 12:00" in decided(Answer(None, "ConnectError"), standing=dead).ended
    assert decided(Answer(500), standing=Standing(500, NOON - WEEK + timedelta(seconds=1))).ended == ""
    assert decided(Answer(GONE)).ended == "it said 410: gone"


@given(ANSWERS, st.integers(1, 50), STANDINGS, st.floats(0, 1, exclude_max=True))
def test_every_answer_is_decided(answer: Answer, attempts: int, standing: Standing, chance: float):
    """Whatever was answered, the event waits for a later moment, or is at an end; and no rest is longer than 15 min."""
    decision = decide(answer, attempts, standing, NOON, WEEK, chance)
    assert (decision.due_at is not None) == (decision.state is DispatchState.WAITING)
    assert decision.due_at is None or NOON < decision.due_at <= NOON + timedelta(hours=29)
    rest = decision.standing.resting_until
    assert rest is None or timedelta(0) < rest - NOON <= timedelta(minutes=15)
    assert decision.state is DispatchState.WAITING or decision.state in DISPATCH_MOVES[DispatchState.WAITING]


@pytest.mark.parametrize("answer", [Answer(200), Answer(None, "no answer within 10 s")])
def test_an_answer_can_be_shown(answer: Answer):
    """A status, or what went wrong."""
    assert str(answer) in {"200", "no answer within 10 s"}
