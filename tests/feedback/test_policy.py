"""The policy, pure: whatever comes, an address is lost because it is dead or worn out, and for nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.feedback.model import Kind, Notice, Permanence
from mailer.feedback.policy import (
    CAUSES,
    ENDS,
    LIMIT,
    WEIGHTS,
    Cause,
    Day,
    Effect,
    Standing,
    cause_of,
    decide,
    score,
)
from mailer.feedback.reading.codes import BY_REPLY, BY_STATUS
from mailer.feedback.reading.hints import LATER, UNKNOWN_USER
from mailer.feedback.reading.hosts import SAYINGS
from mailer.feedback.reading.phrases import CERTAIN
from mailer.feedback.reading.reasons import DEAD

NOW = datetime(2026, 7, 14, 12, tzinfo=UTC)
NOTICES = st.builds(
    Notice,
    kind=st.sampled_from(Kind),
    reason=st.sampled_from([*CAUSES, "", "never-heard-of"]),
    permanence=st.sampled_from(Permanence),
    final=st.sampled_from([True, False, None]),
    hardbounce=st.booleans(),
    feedback=st.sampled_from([*ENDS, "auth-failure", "not-spam", ""]),
)
DAYS = st.builds(Day, day=st.dates(date(2025, 6, 1), date(2026, 7, 13)), cause=st.sampled_from(Cause))
STANDINGS = st.builds(Standing, named=st.booleans(), current=st.booleans(), days=st.lists(DAYS, max_size=12))


def bounce(reason: str, *, dead: bool = False) -> Notice:
    """Give a bounce for good."""
    return Notice(Kind.BOUNCE, reason=reason, permanence=Permanence.PERMANENT, final=True, hardbounce=dead)


@given(NOTICES, STANDINGS)
def test_an_address_is_lost_only_to_a_death_that_is_certain(notice: Notice, standing: Standing):
    """R01: permanent, given up, of the very address that is still the reader's, and of a reason that means death."""
    if decide(notice, standing, NOW) is Effect.LOST:
        assert notice.kind is Kind.BOUNCE
        assert notice.final is not False
        assert notice.hardbounce
        assert notice.permanence is Permanence.PERMANENT
        assert standing.named
        assert standing.current
        assert notice.reason in DEAD


@given(NOTICES, STANDINGS)
def test_what_is_ours_or_still_tried_never_touches_a_reader(notice: Notice, standing: Standing):
    """R03, R04: whatever the reader's past."""
    effect = decide(notice, standing, NOW)
    if notice.kind is Kind.BOUNCE and (notice.final is False or cause_of(notice.reason) is Cause.OURS):
        assert effect in {Effect.NOTED, Effect.OURS}
    if notice.kind in {Kind.AUTOREPLY, Kind.DELIVERED, Kind.REPLY, Kind.NOT_BOUNCE}:
        assert effect is Effect.NOTED


@given(st.lists(DAYS, max_size=20))
def test_days_decay_and_count_once(days: list[Day]):
    """R05, R06: twice the same days are no more; later they are less; an empty past is nothing."""
    today = score(days, NOW)
    assert score([*days, *days], NOW) == pytest.approx(today)
    assert score(days, NOW + timedelta(days=90)) == pytest.approx(today / 2)
    assert today <= len({day.day for day in days}) * max(WEIGHTS.values())


@pytest.mark.parametrize(("every", "issues"), [(1, 29), (7, 5), (14, 5), (30, 6)])
def test_a_full_mailbox_is_given_up_after_so_many_issues(every: int, issues: int):
    """R02: daily, weekly, fortnightly, monthly letters; a month at least, half a year at most."""
    days: list[Day] = []
    now, sent = NOW, 0
    while True:
        sent += 1
        if decide(bounce("mailboxfull"), Standing(days=days), now) is Effect.WORN_OUT:
            break
        days.append(Day(now.date(), Cause.BOX))
        now += timedelta(days=every)
    assert sent == issues


def test_a_provider_that_is_away_for_two_weeks_costs_nobody():
    """R02: every day's letter expires, and none of its readers is lost."""
    days: list[Day] = []
    for number in range(14):
        now = NOW + timedelta(days=number)
        assert decide(bounce("expired"), Standing(days=days), now) is Effect.COUNTED
        days.append(Day(now.date(), Cause.WAY))
    assert score(days, now) < LIMIT * 2


def test_every_reason_that_the_reading_gives_has_a_cause():
    """A reason without a row would be guessed."""
    given_ = {row.reason for row in (*CERTAIN, *LATER, UNKNOWN_USER)} | {row.reason for row in SAYINGS}
    given_ |= set(BY_STATUS.values()) | set(BY_REPLY.values()) | {"undefined"}
    assert given_ <= set(CAUSES)
    assert {reason for reason, cause in CAUSES.items() if cause in {Cause.DEAD, Cause.HOST}} == DEAD
