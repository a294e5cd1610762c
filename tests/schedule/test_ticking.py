"""What becomes of due times: sent, asked, empty, skipped; once, whatever happens to clock and process."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mailer.database import writing
from mailer.schedule import book
from mailer.schedule.states import DueState
from tests.schedule.conftest import TUESDAY, WEEKLY, World

HOUR = timedelta(hours=1)


def test_the_new_issue_goes_out_when_it_is_due_and_not_before(world: World):
    """On Tuesday at eight in Berlin, in one mailing, however often the scheduler looks."""
    world.issue(2)
    world.tick(at=TUESDAY - timedelta(seconds=1))
    assert world.mailings() == []
    for minute in range(3):
        world.tick(at=TUESDAY + timedelta(minutes=minute))
    assert (world.mailings(), world.states()) == (["2.main"], [("started", "")])
    row = world.rows()[0]
    assert (row.mailing, row.file, row.commit_hash, row.local) == (
        "2.main", "issues/002.md", "3f2a1c4", "2026-11-24 08:00 Europe/Berlin",
    )  # fmt: skip


def test_without_a_new_issue_nobody_is_mailed_and_the_operator_is_told(world: World):
    """Once, also where the scheduler looks again."""
    for minute in range(3):
        world.tick(at=TUESDAY + timedelta(minutes=minute))
    assert (world.mailings(), world.states(), world.heard()) == ([], [("empty", "")], ["schedule.empty"])


def test_an_empty_due_time_may_be_quiet(world: World):
    """For schedules that look every hour whether there is something."""
    world.schedule('empty = "quiet"')
    world.tick(at=TUESDAY)
    assert world.heard() == ["schedule.quiet"]


@pytest.mark.parametrize("number", [200, 20])
def test_a_folder_of_old_posts_is_never_sent(world: World, number: int):
    """A new schedule above an archive: nothing older than the schedule goes, not even with a word of a person."""
    for old in range(2, number):
        world.issue(old, f"20{old // 12 % 10:02}-{old % 12 + 1:02}-15")
    for week in range(3):
        world.tick(at=TUESDAY + timedelta(days=7 * week))
    assert (world.mailings(), {state for state, _ in world.states()}) == ([], {"empty"})
    assert "before this schedule began" in world.rows()[0].words


def test_with_nothing_on_record_a_person_is_asked(engine, tmp_path):
    """A schedule cannot know whether an archive went out by other means."""
    world = World(tmp_path, engine)
    world.tick()
    world.issue(2)
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "first")])
    assert "mark-sent" in world.rows()[0].words


def test_more_than_one_candidate_is_a_question(world: World):
    """And the answer sends the newest, which the question named."""
    world.issue(2, "2026-11-23")
    world.issue(3)
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "several")])
    assert "002.md, 003.md" in world.rows()[0].words


def test_an_issue_for_another_day_waits_for_it(world: World):
    """What is dated after the due time is no candidate; a week later it is."""
    world.issue(2)
    world.issue(3, "2026-12-01")
    world.tick(at=TUESDAY)
    world.tick(at=TUESDAY + timedelta(days=7))
    assert world.mailings() == ["2.main", "3.main"]


@pytest.mark.parametrize(
    ("date", "keys", "word"),
    [
        (None, {}, "has no date"),
        ("2026-11-24", {"draft": "true"}, "is a draft"),
        ("2026-11-10", {}, "before this schedule"),
    ],
)
def test_what_nearly_was_a_candidate_is_named(
    world: World, date: str | None, keys: dict[str, str], word: str
):
    """A person who wonders why nothing went out reads why."""
    world.issue(2, date, **keys)
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("empty", "")])
    assert word in world.rows()[0].words


def test_an_issue_that_went_out_by_hand_does_not_go_again(world: World):
    """Nor does one that was declared sent."""
    world.sent(2)
    world.tick(at=TUESDAY)
    assert world.states() == [("empty", "")]


def test_an_issue_older_than_what_went_out_last_does_not_go(world: World):
    """Number 2 was forgotten when 3 went out by hand: a person may send it, a schedule does not."""
    world.issue(3, "2026-11-24")
    world.sent(3)
    world.issue(2, "2026-11-23")
    world.tick(at=TUESDAY)
    assert world.states() == [("empty", "")]
    assert "not newer" in world.rows()[0].words


# --- lateness


def test_a_minute_late_is_sent_without_a_word(world: World):
    """The host slept for a minute."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(minutes=1))
    assert (world.mailings(), world.heard()) == (["2.main"], ["schedule.started"])


def test_five_hours_late_is_sent_and_told(world: World):
    """Within the six hours that it has, unless the schedule says otherwise."""
    world.issue(2)
    world.tick(at=TUESDAY + 5 * HOUR)
    assert (world.mailings(), world.heard()) == (["2.main"], ["schedule.started", "schedule.late"])


def test_three_days_late_is_a_question(world: World):
    """Nobody wants Tuesday's letter on Friday without being asked."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    assert (world.mailings(), world.states(), world.heard()) == ([], [("asked", "late")], ["schedule.asked"])


def test_three_days_late_is_skipped_where_the_schedule_says_so(world: World):
    """And told."""
    world.schedule('late = "skip"')
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    assert (world.mailings(), world.states(), world.heard()) == (
        [],
        [("skipped", "late")],
        ["schedule.missed"],
    )


def test_late_hours_are_the_schedules_own(world: World):
    """Nought means: on time or not at all; a day means a day."""
    world.issue(2)
    world.schedule("late_hours = 72")
    world.tick(at=TUESDAY + timedelta(days=2))
    assert world.mailings() == ["2.main"]


def test_of_many_missed_due_times_one_question_is_asked(world: World):
    """A month away: the newest speaks for all, and how many were missed is told."""
    world.issue(2, "2026-12-15")
    world.tick(at=TUESDAY + timedelta(days=24))
    assert world.states() == [("asked", "late")]
    assert world.heard() == ["schedule.missed", "schedule.asked"]


def test_a_question_that_nobody_answers_is_a_skip_and_told(world: World):
    """After 24 hours."""
    world.issue(2)
    late = TUESDAY + timedelta(days=3)
    world.tick(at=late)
    world.tick(at=late + 23 * HOUR)
    assert world.states() == [("asked", "late")]
    world.tick(at=late + 24 * HOUR)
    assert (world.mailings(), world.states()) == ([], [("skipped", "unanswered")])
    assert world.heard() == ["schedule.asked", "schedule.skipped"]


def answer(world: World, state: DueState) -> None:
    """Answer the one question."""
    with writing(world.engine) as connection:
        (entry,) = book.opened(connection)
        assert book.move(connection, entry.id, state, world.now, actor="ann")


def test_an_answer_sends_what_was_asked_about(world: World):
    """Also when a newer issue came meanwhile."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    world.issue(3, "2026-11-24 07:30")
    answer(world, DueState.APPROVED)
    world.tick(at=world.now + HOUR)
    assert (world.mailings(), world.states()) == (["2.main"], [("started", "late")])


def test_what_was_sent_by_hand_meanwhile_is_no_question_any_more(world: World):
    """An answer that comes too late sends nothing twice."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    answer(world, DueState.APPROVED)
    world.sent(2)
    world.tick()
    assert (world.mailings(), world.states()) == ([], [("skipped", "sent")])


def test_a_weekly_toml_is_what_the_documentation_shows():
    """The schedule of these tests is the one of docs/weekly.md."""
    assert 'every = "Tue 08:00"' in WEEKLY
