"""`mailer schedule`: the dates, what will go, what is missing, and the answers."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from tests.docs.pages import names, read, sections

if TYPE_CHECKING:
    from pathlib import Path

    from tests.commandline import Cli

WEEKLY = '\n[[schedule]]\nname = "weekly"\nevery = "Tue 08:00"\ntime_zone = "Europe/Berlin"\n'


@pytest.fixture
def scheduled(newsletter: Path) -> Path:
    """A newsletter with a weekly schedule, a relay, and one issue that went out."""
    with (newsletter / "mailer.toml").open("a") as file:
        file.write(f'\n[[relays]]\nname = "look"\nurl = "folder://{newsletter}/mail"\n{WEEKLY}')
    return newsletter


def issue(folder: Path, number: int, date: datetime, **keys: object) -> None:
    """Write an issue."""
    head = "".join(f"{name}: {value}\n" for name, value in keys.items())
    text = f"---\nissue: {number}\ntitle: Water {number}\ndate: {date:%Y-%m-%d}\n{head}---\n\nThe gauge is low.\n"
    (folder / "issues" / f"{number:03}.md").write_text(text)


def next_tuesday() -> datetime:
    """Give the day of the schedule's next due time; its days begin at eight in Berlin."""
    day = datetime.now(ZoneInfo("Europe/Berlin")) - timedelta(hours=8)
    return day + timedelta(days=-day.weekday() % 7 + 1)


def row(folder: Path, **values: Any) -> None:
    """Have a due time in some state, as a scheduler would have left it."""
    now = datetime.now(UTC)
    whole = {
        "schedule": "weekly", "due_at": stamp(now - timedelta(days=3)), "local": "2026-11-24 08:00 Europe/Berlin",
        "list_key": "main", "state": "asked", "reason": "late", "until": stamp(now + timedelta(hours=20)),
        "file": "issues/002.md", "created_at": stamp(now), "changed_at": stamp(now), **values,
    }  # fmt: skip
    names, marks = ", ".join(whole), ", ".join("?" * len(whole))
    with sqlite3.connect(folder / ".mailer" / "mailer.db") as database:
        database.execute(f"INSERT INTO due_times ({names}) VALUES ({marks})", tuple(whole.values()))  # noqa: S608


def stamp(moment: datetime) -> str:
    """Give an instant as SQLite keeps it."""
    return moment.replace(tzinfo=None).isoformat(" ", "microseconds") + "Z"


def test_a_rule_needs_no_newsletter(cli: Cli):
    """The next five Tuesdays of Berlin, across the night the clocks change, an object a date."""
    ended = cli(
        "schedule", "next", "--every", "Tue 08:00", "--tz", "Europe/Berlin", "--from", "2026-10-20", "--json"
    )
    assert ended.code == 0
    assert [line["local"] for line in ended.lines][:2] == [
        "2026-10-20T08:00:00+02:00",
        "2026-10-27T08:00:00+01:00",
    ]
    assert [line["utc"] for line in ended.lines][:2] == [
        "2026-10-20T06:00:00+00:00",
        "2026-10-27T07:00:00+00:00",
    ]
    assert [set(line) for line in ended.lines] == [{"local", "utc"}] * 5
    words = cli(
        "schedule",
        "next",
        "--cron",
        "30 2 * * *",
        "--tz",
        "Europe/Berlin",
        "--from",
        "2026-03-29",
        "--count",
        1,
    )
    assert words.out == "2026-03-29 03:00 Europe/Berlin  =  2026-03-29 01:00 UTC\n"


@pytest.mark.parametrize(
    "words",
    [
        ["--every", "Tuesdays"],
        ["--cron", "* * *"],
        ["--every", "Tue 08:00", "--cron", "0 8 * * 2"],
        ["--every", "Tue 08:00", "--tz", "Mars/Olympus"],
        ["--every", "Tue 08:00", "--from", "soon"],
    ],
)
def test_what_makes_no_sense_is_bad_input(cli: Cli, words: list[str]):
    """Exit 2, and words that show how it is written."""
    assert cli("schedule", "next", *words).code == 2


def test_the_next_dates_show_what_goes_and_what_is_missing(scheduled: Path, cli: Cli):
    """The file that is there, and "no issue yet" for the weeks after."""
    issue(scheduled, 1, datetime(2026, 1, 6, tzinfo=UTC))
    assert cli("issues", "mark-sent", "1", "--yes").code == 0
    issue(scheduled, 2, next_tuesday())
    ended = cli("schedule", "next", "weekly", "--count", 3, "--json")
    assert ended.code == 0, ended.err
    assert [line["file"] for line in ended.lines] == ["issues/002.md", None, None]
    assert [line["missing"] for line in ended.lines] == [[], ["no issue yet"], ["no issue yet"]]


def test_findings_of_level_error_are_missing_things(scheduled: Path, cli: Cli):
    """What would stop the send is shown while it can be mended."""
    issue(scheduled, 1, datetime(2026, 1, 6, tzinfo=UTC))
    assert cli("issues", "mark-sent", "1", "--yes").code == 0
    issue(scheduled, 2, next_tuesday(), send="whenever")
    (line,) = cli("schedule", "list", "--json").lines
    assert "send" in str(line["next"]["missing"])


def test_the_list_shows_schedules_and_questions(scheduled: Path, cli: Cli):
    """With the words to answer by."""
    row(scheduled)
    ended = cli("schedule", "list")
    assert "weekly  Tue 08:00 Europe/Berlin  list main" in ended.out
    assert "`mailer schedule answer weekly send`, or skip" in ended.out
    weekly, question = cli("schedule", "list", "--json").lines
    assert (weekly["paused"], question["state"], question["reason"]) == (False, "asked", "late")


def test_status_says_that_a_person_is_asked(scheduled: Path, cli: Cli):
    """Exit 1: a monitor hears of a question, too."""
    row(scheduled)
    ended = cli("status", "--json")
    assert (ended.code, ended.json["schedule"], ended.json["needs_person"]) == (1, "weekly", True)
    assert "needs a person" in cli("status").out


def told(section: str) -> set[str]:
    """Give the names that the page of commands says a section's JSON holds."""
    text = sections(read("commands.md"))[f"mailer schedule {section}"]
    return {name for part in re.findall(r"JSON.*?(?=\n\n|\Z)", text, re.DOTALL) for name in names(part)}


def test_the_json_is_as_documented(scheduled: Path, cli: Cli):
    """Every key that is written is told, and none is invented."""
    row(scheduled)
    weekly, question = cli("schedule", "list", "--json").lines
    assert {*weekly, *weekly["next"], *question} == told("list")
    assert set(cli("schedule", "next", "--json").lines[0]) == told("next")
    assert set(cli("schedule", "skip", "weekly", "--json").json) == told("skip")
    assert set(cli("schedule", "pause", "weekly", "--json").json) == told("pause")
    assert set(cli("schedule", "answer", "weekly", "skip", "--json").json) == told("answer")


def test_pause_and_resume(scheduled: Path, cli: Cli):
    """Said twice it is said once."""
    assert cli("schedule", "pause", "weekly", "--json").json == {"schedule": "weekly", "state": "paused"}
    assert cli("schedule", "pause", "weekly").out == "weekly was paused already\n"
    assert cli("schedule", "list", "--json").json["paused"] is True
    assert cli("schedule", "resume", "weekly", "--json").json["state"] == "active"
    assert cli("schedule", "list", "--json").json["paused"] is False


def test_skip_leaves_out_one_due_time_after_the_other(scheduled: Path, cli: Cli):
    """The next, and typed again the one after it."""
    before = [line["utc"] for line in cli("schedule", "next", "--json").lines]
    assert [cli("schedule", "skip", "weekly", "--json").json["utc"] for _ in range(2)] == before[:2]
    assert [line["skipped"] for line in cli("schedule", "next", "--json").lines] == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_question_is_answered_once(scheduled: Path, cli: Cli):
    """The first answer counts; without a daemon it is said that nothing begins yet."""
    row(scheduled)
    ended = cli("schedule", "answer", "weekly", "send", "--json")
    assert (ended.code, ended.json["answer"]) == (0, "send")
    assert "No `mailer run` is alive" in ended.err
    assert cli("schedule", "answer", "weekly", "skip").code == 2


@pytest.mark.parametrize(
    "words",
    [
        ["answer", "weekly", "perhaps"],
        ["answer", "weekly", "send"],
        ["pause", "monthly"],
        ["skip", "72.main"],
        ["next", "x"],
    ],
)
def test_what_there_is_none_of_is_bad_input(scheduled: Path, cli: Cli, words: list[str]):
    """No question, no schedule of that name."""
    assert cli("schedule", *words).code == 2


def test_an_issue_with_a_date_of_its_own_is_listed_and_can_be_skipped(scheduled: Path, cli: Cli):
    """Under the name that its mailing will have; it cannot be paused."""
    issue(scheduled, 7, next_tuesday(), send="2090-01-01 08:00")
    names = [line["schedule"] for line in cli("schedule", "list", "--json").lines]
    assert names == ["weekly", "7.main"]
    assert cli("schedule", "pause", "7.main").code == 2
    assert cli("schedule", "skip", "7.main", "--json").json["local"] == "2090-01-01T08:00:00+00:00"
    assert cli("schedule", "next", "7.main", "--json").json["skipped"] is True
