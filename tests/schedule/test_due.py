"""Due times: pure, and right on the nights on which clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.schedule.due import due_between, due_times
from mailer.schedule.plan import rule_of
from mailer.schedule.wall import instant, wall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.schedule.due import Due
    from mailer.schedule.rule import Rule

TEN_YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))
ZONES = sorted(available_timezones() - {"localtime", "Factory"})
DAYS_A_WEEK = st.sampled_from(["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"])
TIMES = st.times().map(lambda at: f"{at:%H:%M}")
RULES = st.one_of(
    st.builds("{} {}".format, DAYS_A_WEEK, TIMES),
    st.builds("{},{} {}".format, DAYS_A_WEEK, DAYS_A_WEEK, TIMES),
    st.builds("{} {}".format, st.sampled_from(["day", "weekday"]), TIMES),
    st.builds(
        "{} {} of the month {}".format,
        st.sampled_from(["first", "second", "third", "fourth", "last"]),
        st.one_of(DAYS_A_WEEK, st.sampled_from(["day", "weekday"])),
        TIMES,
    ),
)


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Give the instants at which the zone's clocks change, found without the code under test."""
    found, step = [], timedelta(hours=6)
    moment = start
    while moment < end:
        if wall(moment, zone) - wall(moment + step, zone) != -step:
            low, high = moment, moment + step
            before = low.astimezone(zone).utcoffset()
            while high - low > timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
            found.append(high)
        moment += step
    return found


def changing(start: datetime, end: datetime) -> list[str]:
    """Give the zones whose clocks change at all; a look a week finds every season."""
    weeks = [start + timedelta(days=7 * n) for n in range((end - start).days // 7)]
    return [
        name for name in ZONES if len({week.astimezone(ZoneInfo(name)).utcoffset() for week in weeks}) > 1
    ]


CHANGING = changing(*TEN_YEARS)


def first_shown(local: datetime, zone: ZoneInfo) -> datetime:
    """Give the first minute at which the wall shows `local` or later: by looking at every minute of four days."""
    moment = local.replace(tzinfo=UTC) - timedelta(days=2)
    while wall(moment, zone) < local:
        moment += timedelta(minutes=1)
    return moment


def times_of(every: str, zone: str, after: datetime, count: int = 5) -> list[str]:
    """Give due times as UTC text."""
    found = islice(due_times(rule_of(every, None), ZoneInfo(zone), after), count)
    return [f"{due.utc:%Y-%m-%d %H:%M}" for due in found]


def test_zones_with_changes_are_many():
    """The tests below are about something."""
    assert len(CHANGING) > 150


@pytest.mark.slow
@pytest.mark.parametrize("every", ["Tue 08:00", "day 02:30"])
def test_each_due_time_comes_exactly_once_in_ten_years_in_every_zone(every: str):
    """One due time for each day that the rule means, in order, none twice: in all zones whose clocks change."""
    rule = rule_of(every, None)
    for name in CHANGING:
        zone = ZoneInfo(name)
        found = due_between(rule, zone, *TEN_YEARS)
        whole = list(_all(rule, zone))
        every_one = [due.local for due in whole]
        assert found == whole[-1000:]
        first, last = wall(TEN_YEARS[0], zone), wall(TEN_YEARS[1], zone)
        days = [first.date() + timedelta(days=n) for n in range((last - first).days + 3)]
        meant = [datetime.combine(day, rule.times[0]) for day in days if rule.days.on(day)]
        assert every_one == [one for one in meant if TEN_YEARS[0] < instant(one, zone) < TEN_YEARS[1]], name


def _all(rule: Rule, zone: ZoneInfo) -> Iterator[Due]:
    last = TEN_YEARS[0]
    for due in due_times(rule, zone, TEN_YEARS[0]):
        if due.utc >= TEN_YEARS[1]:
            return
        assert due.utc > last
        last = due.utc
        yield due


@pytest.mark.slow
def test_on_the_nights_of_a_change_each_half_hour_is_due_when_the_wall_first_shows_it():
    """What exists not is due when the gap ends, what exists twice the first time, all over the world."""
    start, end = TEN_YEARS[0], TEN_YEARS[0] + timedelta(days=730)
    for name in CHANGING[::4]:
        zone = ZoneInfo(name)
        for moment in changes(zone, start, end):
            shown = {wall(moment - timedelta(seconds=1), zone), wall(moment, zone)}
            low = min(shown).replace(second=0, microsecond=0) - timedelta(minutes=30)
            for minutes in range(0, 150, 30):
                local = low + timedelta(minutes=minutes)
                assert instant(local, zone) == first_shown(local, zone), (name, local)


@given(
    name=st.sampled_from(ZONES),
    local=st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1)),  # noqa: DTZ001
)
def test_an_instant_is_the_first_at_which_the_wall_shows_the_time_or_a_later_one(name: str, local: datetime):
    """For any local time of two centuries: a second before it was earlier on the wall, and now it is not."""
    zone, local = ZoneInfo(name), local.replace(microsecond=0)
    found = instant(local, zone)
    assert wall(found, zone) >= local
    assert wall(found - timedelta(seconds=1), zone) < local


@given(
    every=RULES,
    name=st.sampled_from(ZONES),
    after=st.datetimes(min_value=datetime(1950, 1, 1), max_value=datetime(2060, 1, 1)),  # noqa: DTZ001
)
def test_due_times_do_not_depend_on_where_the_clock_began(every: str, name: str, after: datetime):
    """Asked from any moment between two due times, the next is the same: nothing is remembered, nothing drifts."""
    rule, zone = rule_of(every, None), ZoneInfo(name)
    found = list(islice(due_times(rule, zone, after.replace(tzinfo=UTC)), 6))
    assert all(one.utc < two.utc for one, two in pairwise(found))
    for one, two in pairwise(found):
        middle = one.utc + (two.utc - one.utc) / 2
        assert next(due_times(rule, zone, one.utc)) == two
        assert next(due_times(rule, zone, middle)) == two


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((2026, 3, 28), ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]),
        ((2026, 10, 24), ["2026-10-24 00:30", "2026-10-25 00:30", "2026-10-26 01:30"]),
    ],
)
def test_half_past_two_on_the_nights_the_clocks_change(after: tuple[int, int, int], expected: list[str]):
    """In Berlin: in spring it is due at three, when the gap ends; in autumn once, the first time."""
    assert times_of("day 02:30", "Europe/Berlin", datetime(*after, tzinfo=UTC), 3) == expected


def test_samoas_lost_day():
    """30 December 2011 was none in Apia: what was due on it is due when the 31st begins, and the weeks stay weeks."""
    after = datetime(2011, 12, 20, tzinfo=UTC)
    assert times_of("Fri 08:00", "Pacific/Apia", after, 3) == [
        "2011-12-23 18:00", "2011-12-30 10:00", "2012-01-05 18:00",
    ]  # fmt: skip
    days = times_of("day 08:00", "Pacific/Apia", datetime(2011, 12, 29, tzinfo=UTC), 4)
    assert days == ["2011-12-29 18:00", "2011-12-30 10:00", "2011-12-30 18:00", "2011-12-31 18:00"]


def test_what_falls_together_in_a_gap_is_one_due_time():
    """Every five minutes: the twelve that a spring night leaves out are not sent in one burst."""
    rule, zone = rule_of(None, "*/5 * * * *"), ZoneInfo("Europe/Berlin")
    night = due_between(
        rule, zone, datetime(2026, 3, 29, 0, 0, tzinfo=UTC), datetime(2026, 3, 29, 2, 0, tzinfo=UTC)
    )
    assert len(night) == 24
    autumn = due_between(
        rule, zone, datetime(2026, 10, 25, 0, 0, tzinfo=UTC), datetime(2026, 10, 25, 2, 0, tzinfo=UTC)
    )
    assert len({due.local for due in autumn}) == len(autumn)


def test_leap_days_and_short_months():
    """29 February comes every fourth year but in 2100; the last weekday of February is one of February."""
    leap = list(islice(due_times(rule_of(None, "0 8 29 2 *"), UTC, datetime(2095, 1, 1, tzinfo=UTC)), 2))
    assert [due.utc.year for due in leap] == [2096, 2104]
    last = times_of("last weekday of the month 16:00", "UTC", datetime(2028, 1, 31, 20, tzinfo=UTC), 1)
    assert last == ["2028-02-29 16:00"]


def test_a_zone_that_changes_its_rules():
    """Istanbul gave up its winter time in 2016, Cairo took a summer time up again in 2023: eight stays eight."""
    istanbul = times_of("Tue 08:00", "Europe/Istanbul", datetime(2016, 10, 25, 12, tzinfo=UTC), 2)
    assert istanbul == ["2016-11-01 05:00", "2016-11-08 05:00"]
    cairo = times_of("Tue 08:00", "Africa/Cairo", datetime(2023, 4, 24, tzinfo=UTC), 2)
    assert cairo == ["2023-04-25 06:00", "2023-05-02 05:00"]


@given(day=st.dates(min_value=date(2000, 1, 1), max_value=date(2099, 12, 31)))
def test_the_first_weekday_of_a_month(day: date):
    """Is no Saturday or Sunday, and no weekday of that month is earlier."""
    rule = rule_of("first weekday of the month 09:00", None)
    earlier = [day.replace(day=number) for number in range(1, day.day)]
    expected = day.weekday() < 5 and all(one.weekday() > 4 for one in earlier)
    assert rule.days.on(day) is expected


def test_nothing_is_due_for_ever():
    """The end of the calendar is an end, and no error."""
    assert list(islice(due_times(rule_of("day 08:00", None), UTC, datetime(9989, 12, 30, tzinfo=UTC)), 5))
    assert time(8) == rule_of("day 08:00", None).times[0]
