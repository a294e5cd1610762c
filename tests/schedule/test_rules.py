"""Rules: what people write is understood, or refused with words that show how it is written."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import UserError
from mailer.schedule.cron import parse_cron
from mailer.schedule.due import due_times
from mailer.schedule.plan import plans_of, rule_of, zone_of
from mailer.schedule.rule import parse_every
from mailer.settings import load_settings

WEEK = [date(2026, 11, 23) + timedelta(days=n) for n in range(7)]


def days_of(text: str) -> str:
    """Give the days of a week that a rule means, as letters."""
    rule = parse_every(text)
    return "".join("MTWTFSS"[day.weekday()] for day in WEEK if rule.days.on(day))


@pytest.mark.parametrize(
    ("text", "days", "at"),
    [
        ("Tue 08:00", "T", time(8)),
        ("tuesday 8:00", "T", time(8)),
        ("Mon,Thu 07:30", "MT", time(7, 30)),
        ("Mon, Thu  07:30", "MT", time(7, 30)),
        ("day 00:00", "MTWTFSS", time(0)),
        ("weekday 23:59", "MTWTF", time(23, 59)),
        ("weekday,Sun 06:15", "MTWTFS", time(6, 15)),
    ],
)
def test_days_and_times(text: str, days: str, at: time):
    """Short and long names, lists, day and weekday."""
    assert (days_of(text), parse_every(text).times) == (days, (at,))


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("first Tue of the month 09:00", date(2026, 12, 1)),
        ("second Tue of month 09:00", date(2026, 12, 8)),
        ("last Fri of the month 09:00", date(2026, 11, 27)),
        ("first weekday of the month 09:00", date(2026, 12, 1)),
        ("last day of the month 09:00", date(2026, 11, 30)),
    ],
)
def test_days_of_the_month(text: str, first: date):
    """First to fourth and last, of a day, of weekdays, of all days."""
    due = next(due_times(parse_every(text), UTC, datetime(2026, 11, 23, tzinfo=UTC)))
    assert due.local.date() == first


@pytest.mark.parametrize(
    "text",
    [
        "", "Tue", "08:00", "Tue 24:00", "Tue 8", "Tue 08:60", "Tues 08:00", "Tue,,Thu 08:00",
        "fifth Tue of the month 08:00",
        "every Tue 08:00", "Tue 08:00 08:00", "first of the month 08:00", "Tue\x0008:00", "x" * 1000, "Dienstag 08:00",
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_with_an_example(text: str):
    """No guess, and no traceback."""
    with pytest.raises(ValueError, match=r"write|none of|time of day"):
        parse_every(text)


@given(st.text(max_size=60))
def test_any_text_is_a_rule_or_an_error_for_a_person(text: str):
    """Nothing else comes out, in either language."""
    for parse in (parse_every, parse_cron):
        with suppress(ValueError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0 8 * * 2", ["11-24 08:00", "12-01 08:00"]),
        ("0 8 * * tue", ["11-24 08:00", "12-01 08:00"]),
        ("30 7 1,15 * *", ["12-01 07:30", "12-15 07:30"]),
        ("0 8-18/5 * * *", ["11-23 08:00", "11-23 13:00", "11-23 18:00", "11-24 08:00"]),
        ("0 9 1 dec-feb/1 *".replace("dec-feb/1", "12"), ["12-01 09:00"]),
        ("0 9 25 * 5", ["11-25 09:00", "11-27 09:00"]),
        ("0 9 * * 7", ["11-29 09:00"]),
        ("0 9 * * 0", ["11-29 09:00"]),
        ("5/20 9 23 11 *", ["11-23 09:05", "11-23 09:25", "11-23 09:45"]),
    ],
)
def test_cron(text: str, expected: list[str]):
    """Lists, ranges, steps, names; either day field is enough where both restrict; 0 and 7 are Sunday."""
    found = islice(due_times(parse_cron(text), UTC, datetime(2026, 11, 23, tzinfo=UTC)), len(expected))
    assert [f"{due.local:%m-%d %H:%M}" for due in found] == expected


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "5-1 * * * *",
     "*/0 * * * *", "0 8 30 2 *", "0 8 31 4,6 *", "a * * * *", "1- * * * *", "@daily", "0 8 L * *"],
)  # fmt: skip
def test_what_cron_does_not_know_is_refused(text: str):
    """Also a date that no month has, which would wait for ever."""
    with pytest.raises(ValueError, match=r"is no|five fields|no month has"):
        parse_cron(text)


def test_a_zone_that_does_not_exist_is_refused():
    """And a path is no zone."""
    for name in ("Europe/Atlantis", "../etc/passwd", "", "\0"):
        with pytest.raises(UserError, match="Europe/Berlin"):
            zone_of(name)
    assert zone_of("utc") is UTC


TOML = """
id = "11111111-2222-4333-8444-555555555555"
name = "Water"
from = "Water <news@example.org>"
time_zone = "Europe/Berlin"
[lists.main]
"""


def test_plans_of_a_newsletter(tmp_path):
    """A schedule has its list's zone unless it names one, and six hours in which late is no question."""
    (tmp_path / "mailer.toml").write_text(
        TOML + '[[schedule]]\nname = "weekly"\nevery = "Tue 08:00"\n'
        '[[schedule]]\nname = "tokyo"\ncron = "0 8 * * 2"\ntime_zone = "Asia/Tokyo"\nlate = "skip"\nlate_hours = 0\n'
    )
    weekly, tokyo = plans_of(load_settings(tmp_path, {}))
    assert (weekly.list_key, weekly.zone_name, weekly.lateness.hours, weekly.lateness.ask) == (
        "main",
        "Europe/Berlin",
        6,
        True,
    )
    assert (tokyo.zone_name, tokyo.lateness.hours, tokyo.lateness.ask) == ("Asia/Tokyo", 0, False)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ('name = "w"', r"mailer.toml:7: schedule.0: say when"),
        ('name = "w"\nevery = "Tue 08:00"\ncron = "0 8 * * 2"', r"schedule.0: say when"),
        ('name = "W!"\nevery = "Tue 08:00"', r"cannot name a schedule"),
        (
            'name = "w"\nevery = "Tue 08:00"\nlist = "other"',
            r"mailer.toml:10: schedule.0.list: there is no list",
        ),
        ('name = "w"\nevery = "Tue 08:00"\ntime_zone = "Mars"', r"no time zone"),
        ('name = "w"\nevery = "Tue 08:00"\nlate = "perhaps"', r"ask or skip"),
        ('name = "w"\nevery = "Tue 08:00"\nlate_hours = 1000', r"late_hours"),
        ('name = "w"\nevery = "Tue 08:00"\nevry = "x"', r"did you mean every"),
        (
            'name = "w"\nevery = "Tue 08:00"\n[[schedule]]\nname = "w"\nevery = "Tue 08:00"',
            r"two schedules are named",
        ),
    ],
)
def test_what_is_wrong_with_a_schedule_is_told_with_its_line(tmp_path, table: str, said: str):
    """Every mistake names its key."""
    (tmp_path / "mailer.toml").write_text(f"{TOML}[[schedule]]\n{table}\n")
    with pytest.raises(UserError, match=said):
        load_settings(tmp_path, {})


def test_a_rule_that_cannot_be_read_is_told_with_its_line(tmp_path):
    """Every one of them, at once."""
    (tmp_path / "mailer.toml").write_text(
        TOML + '[[schedule]]\nname = "a"\nevery = "Tuesdays"\n[[schedule]]\nname = "b"\ncron = "8 o\'clock"\n'
    )
    with pytest.raises(UserError) as raised:
        plans_of(load_settings(tmp_path, {}))
    assert [(one.line, one.key) for one in raised.value.problems] == [
        (9, "schedule.0.every"),
        (12, "schedule.1.cron"),
    ]


def test_one_of_the_two_is_given():
    """The two are two spellings of one thing."""
    assert rule_of("Tue 08:00", None).times == rule_of(None, "0 8 * * 2").times
