"""A due time begins one mailing, whatever happens to clocks, processes and rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.schedule.conftest import HEAD, MONDAY, TUESDAY, World

HOUR = timedelta(hours=1)


def test_two_schedulers_begin_one_mailing(world: World):
    """On one database, whoever is first."""
    world.issue(2)
    world.scheduler("two").tick()
    world.now = TUESDAY
    for name in ("one", "two", "one", "two"):
        world.tick(name)
    assert (world.mailings(), len(world.rows())) == (["2.main"], 1)


def test_a_clock_that_jumps_begins_one_mailing(world: World):
    """Forth, back, and forth again; a year ahead and home."""
    world.issue(2)
    for jump in (TUESDAY, MONDAY, TUESDAY, TUESDAY + timedelta(days=365), TUESDAY, TUESDAY + HOUR):
        world.tick(at=jump)
        world.restart()
    assert world.mailings() == ["2.main"]


def test_after_a_clock_that_was_ahead_the_next_issue_still_goes_out(world: World):
    """What it wrote in the future does not stop the present."""
    world.tick(at=MONDAY + timedelta(days=3650))
    world.issue(2)
    world.tick(at=MONDAY + HOUR)
    world.tick(at=TUESDAY)
    assert world.mailings() == ["2.main"]


def test_a_restart_in_the_middle_begins_nothing_twice(world: World, monkeypatch):
    """A process that dies between claiming and committing leaves nothing; the next begins it."""
    from mailer.schedule import beginning

    world.issue(2)

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(beginning, "_record", die)
        with pytest.raises(KeyboardInterrupt):
            world.tick(at=TUESDAY)
    assert world.rows() == []
    world.restart()
    world.tick(at=TUESDAY + HOUR)
    assert world.mailings() == ["2.main"]


def test_a_new_rule_has_no_past(world: World):
    """Whoever changes Tuesday to Monday on a Wednesday has missed no Monday."""
    world.issue(2)
    world.toml = world.toml.replace("Tue 08:00", "Mon 08:00")
    world.write_toml()
    world.restart()
    world.tick(at=MONDAY + HOUR)
    assert world.rows() == []


def test_a_schedule_that_comes_back_missed_nothing(world: World):
    """Taken out for a month, and put back."""
    weekly = world.toml
    world.toml = HEAD
    world.write_toml()
    world.restart()
    world.tick(at=MONDAY + HOUR)
    world.toml = weekly
    world.write_toml()
    world.restart()
    world.tick(at=MONDAY + timedelta(days=30))
    assert world.rows() == []


def test_two_schedules_of_one_list_send_an_issue_once(world: World):
    """Both are due at eight; the second finds nothing."""
    world.schedule('[[schedule]]\nname = "also"\nevery = "Tue 08:00"')
    world.tick()
    world.issue(2)
    world.tick(at=TUESDAY)
    assert (world.mailings(), sorted(world.states())) == (["2.main"], [("empty", ""), ("started", "")])
