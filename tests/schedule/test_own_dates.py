"""Issues that name their own date and hour."""

from __future__ import annotations

from datetime import timedelta

from tests.schedule.conftest import MONDAY, TUESDAY, World

HOUR = timedelta(hours=1)


def test_an_issue_that_names_its_hour_goes_out_then(world: World):
    """And is no candidate of the weekly schedule before."""
    world.issue(2, send="2026-11-25 09:30")
    world.tick(at=TUESDAY)
    assert world.mailings() == []
    world.tick(at=TUESDAY + timedelta(days=1, hours=1, minutes=30))
    world.tick()
    assert world.mailings() == ["2.main"]
    assert world.rows()[-1].schedule == "2.main"


def test_a_date_may_name_its_zone(world: World):
    """Nine in Tokyo is midnight in Greenwich."""
    world.issue(2, send="2026-11-25 09:00 Asia/Tokyo")
    world.tick(at=TUESDAY + 16 * HOUR)
    assert world.mailings() == []
    world.tick(at=TUESDAY + 17 * HOUR)
    assert world.mailings() == ["2.main"]


def test_the_longest_name_of_a_zone_is_kept_whole(world: World):
    """What a person is told later names the zone that was written."""
    world.issue(2, send="2026-11-24 08:00 America/Argentina/ComodRivadavia")
    world.tick(at=TUESDAY + 4 * HOUR)
    assert world.mailings() == ["2.main"]
    assert world.rows()[-1].local == "2026-11-24 08:00 America/Argentina/ComodRivadavia"


def test_dates_of_an_archive_are_history(world: World):
    """Posts that name hours of last year are not sent, and nobody is asked about two hundred of them."""
    for number in range(2, 12):
        world.issue(number, "2025-11-24", send="2025-11-24 08:00")
    world.tick(at=MONDAY + HOUR)
    assert world.rows() == []


def test_a_date_that_changes_its_mind_is_due_then(world: World):
    """Also when it was asked about before: the old question is closed."""
    world.issue(2, send="2026-11-23 13:00")
    world.tick(at=MONDAY + 9 * HOUR)
    assert world.states() == [("asked", "late")]
    world.issue(2, send="2026-11-25 08:00")
    world.tick(at=MONDAY + 10 * HOUR)
    assert world.states() == [("skipped", "removed")]
    world.tick(at=TUESDAY + timedelta(days=1))
    assert world.mailings() == ["2.main"]
