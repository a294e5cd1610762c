"""What goes is the committed file; what would stop it is said a day before, and an hour."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mailer import events
from mailer.database import reading, writing
from mailer.schedule import preparing, questions
from mailer.schedule.dealing import Dealer
from tests.schedule.conftest import MONDAY, TUESDAY, World

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

HOUR = timedelta(hours=1)


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    """A newsletter in a git repository, whose issues are really compiled."""
    made = World(tmp_path, engine, now=MONDAY - timedelta(days=2))
    made.sent(1)
    made.commit()
    made.quick = False
    made.restart()
    made.tick()
    return made


def words(world: World) -> str:
    """Give what a person is told of the newest due time."""
    return " ".join(json.loads(world.rows()[-1].words))


def warnings(world: World) -> list[list[str]]:
    """Give the words of every warning."""
    with reading(world.engine) as connection:
        query = select(events.events).where(events.events.c.kind == "schedule.warned")
        return [
            json.loads(row.data)["words"] for row in connection.execute(query.order_by(events.events.c.id))
        ]


def edition_of(world: World) -> Any:
    """Give the one frozen edition that a schedule began."""
    from mailer.delivery.tables import editions

    with reading(world.engine) as connection:
        return connection.execute(select(editions).order_by(editions.c.id.desc())).first()


def test_the_committed_file_goes(world: World):
    """With its commit, which the ledger keeps; its name is that from the folder."""
    world.issue(2)
    world.commit()
    world.tick(at=TUESDAY)
    assert world.mailings() == ["2.main"]
    kept = edition_of(world)
    assert (kept.file, kept.committed, len(kept.commit_hash)) == ("issues/002.md", True, 40)
    assert world.rows()[0].commit_hash == kept.commit_hash


@pytest.mark.parametrize("change", ["new", "changed"])
def test_what_is_not_committed_stops_the_send(world: World, change: str):
    """A file that was never committed, and one that was changed since; a person who answers is answered anew."""
    path = world.issue(2)
    if change == "changed":
        world.commit()
        path.write_text(path.read_text() + "\nOne more line.\n")
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "stopped")])
    assert "committed" in words(world)
    with writing(world.engine) as connection:
        questions.answer(connection, world.rows()[0].id, "send", world.now, "ann")
    world.tick()
    assert (world.mailings(), world.states()) == ([], [("asked", "stopped")])
    world.commit()
    with writing(world.engine) as connection:
        questions.answer(connection, world.rows()[0].id, "send", world.now, "ann")
    world.tick()
    assert world.mailings() == ["2.main"]


def test_findings_of_level_error_stop_the_send(world: World):
    """With file and line."""
    world.issue(2, language="7", date="2026-11-24")
    (world.folder / "issues/002.md").write_text(
        "---\nissue: 2\ndate: 2026-11-24\nsubject:\n---\n\nNo title, and ![](http://x.test/a.png)\n"
    )
    world.commit()
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "stopped")])
    assert "title" in words(world)
    assert "issues/002.md:1" in words(world)


def test_a_file_that_changes_while_it_is_read_is_not_sent(world: World, monkeypatch):
    """Between the look at git and the end of the compile step."""
    path = world.issue(2)
    world.commit()
    compiled = preparing._compiled

    def meddle(*values: Any) -> Any:
        made = compiled(*values)
        path.write_text(path.read_text() + "\nToo late.\n")
        return made

    monkeypatch.setattr(preparing, "_compiled", meddle)
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "stopped")])


def test_outside_of_a_repository_the_file_goes_as_it_stands(world: World):
    """Not everybody uses git."""
    import shutil

    shutil.rmtree(world.folder / ".git")
    world.issue(2)
    world.tick(at=TUESDAY)
    assert world.mailings() == ["2.main"]
    assert edition_of(world).commit_hash is None


def test_a_list_without_readers_is_a_question_and_no_mailing(world: World):
    """A send to nobody would use up the issue's name."""
    from subscribers import find, unsubscribe

    for email in ("ann@example.com", "bo@example.com"):
        with writing(world.engine) as connection:
            person = find(connection, email)
            assert person is not None
            unsubscribe(connection, person.id, "main", world.now, "test")
    world.issue(2)
    world.commit()
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "stopped")])
    assert "nobody to send to" in words(world)


def test_a_day_before_it_is_looked_at_what_would_stop(world: World):
    """And an hour before again; the same is told once."""
    world.issue(2)
    world.tick(at=TUESDAY - 25 * HOUR)
    assert warnings(world) == []
    for hours in (24, 23, 1, 0.5):
        world.tick(at=TUESDAY - hours * HOUR)
    assert warnings(world) == [["issues/002.md is not committed: `git add issues/002.md` and `git commit`"]]
    assert world.rows() == []


def test_what_broke_since_the_day_before_is_told_an_hour_before(world: World):
    """The second look finds what the first could not."""
    path = world.issue(2)
    world.commit()
    world.tick(at=TUESDAY - 23 * HOUR)
    assert warnings(world) == []
    path.write_text(path.read_text() + "\nA late idea.\n")
    world.tick(at=TUESDAY - HOUR / 2)
    assert warnings(world) == [["issues/002.md has changes that are not committed"]]


def test_that_there_is_no_issue_yet_is_no_warning(world: World):
    """Many write on the last evening."""
    world.tick(at=TUESDAY - 12 * HOUR)
    assert (warnings(world), world.heard()) == ([], [])


def test_several_candidates_are_told_a_day_before(world: World):
    """So that nobody is asked at eight."""
    world.issue(2, "2026-11-23")
    world.issue(3, "2026-11-24")
    world.commit()
    world.tick(at=TUESDAY - 20 * HOUR)
    assert "2 issues wait" in warnings(world)[0][0]


def test_a_database_that_does_not_know_what_went_out_is_a_question(world: World, monkeypatch):
    """Nothing is begun from a database that may be old."""
    from mailer.delivery import custody
    from mailer.errors import PersonNeeded

    def refuse(_: object) -> None:
        raise PersonNeeded("the database is older than what was sent from here")

    monkeypatch.setattr(custody, "secure", refuse)
    world.issue(2)
    world.commit()
    world.tick(at=TUESDAY)
    assert (world.mailings(), world.states()) == ([], [("asked", "stopped")])
    assert "older than what was sent" in words(world)


def test_a_database_that_is_away_is_a_matter_of_time(world: World, monkeypatch, caplog):
    """Nothing is asked: the next look tries again, and the log says it once."""
    from mailer.delivery import custody
    from mailer.errors import TryLater

    def away(_: object) -> None:
        raise TryLater("the database does not answer")

    world.issue(2)
    world.commit()
    with monkeypatch.context() as patch:
        patch.setattr(custody, "secure", away)
        for minute in range(3):
            world.tick(at=TUESDAY + timedelta(minutes=minute))
    assert (world.rows(), sum("does not answer" in one.message for one in caplog.records)) == ([], 1)
    world.tick()
    assert world.mailings() == ["2.main"]


def test_a_schedule_that_falls_over_holds_up_no_other(world: World, monkeypatch):
    """A bug in one is logged; the other sends."""
    world.toml += '[[schedule]]\nname = "also"\nevery = "Tue 08:00"\n'
    world.write_toml()
    world.restart()
    world.tick(at=MONDAY)
    world.issue(2)
    world.commit()
    deal = Dealer.deal

    def fall(self: Dealer, case: Any, *rest: Any) -> None:
        if case.plan.name == "weekly":
            raise RuntimeError("a bug")
        deal(self, case, *rest)

    monkeypatch.setattr(Dealer, "deal", fall)
    world.tick(at=TUESDAY)
    assert world.mailings() == ["2.main"]
    assert [row.schedule for row in world.rows()] == ["also"]
