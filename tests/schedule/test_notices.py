"""What the operator hears: each thing once, by letter and in the log, with a section of the runbook."""

from __future__ import annotations

import asyncio
import email
import email.policy
import logging
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from mailer import events
from mailer.database import reading, writing
from mailer.delivery.tables import letters
from mailer.events import Event
from mailer.keys import Purpose
from mailer.schedule import notices, questions
from mailer.schedule.messages import SECTIONS, TELL, message_of
from mailer.schedule.states import Asked, Skipped
from tests.schedule.conftest import TUESDAY, World

RUNBOOK = (Path(__file__).resolve().parents[2] / "docs/runbook.md").read_text(encoding="utf-8")
DUE = TUESDAY.isoformat()
EVERY = [
    ("schedule.late", {"due": DUE, "mailing": "2.main", "late_seconds": 18_000}),
    ("schedule.empty", {"due": DUE, "words": ["002.md has no date"]}),
    *(("schedule.asked", {"due": DUE, "id": 7, "reason": why.value, "words": ["x"]}) for why in Asked),
    ("schedule.missed", {"due": DUE, "reason": "late"}),
    ("schedule.missed", {"due": DUE, "reason": "superseded", "count": 3}),
    ("schedule.skipped", {"due": DUE, "reason": Skipped.UNANSWERED.value}),
    ("schedule.warned", {"due": DUE, "words": ["002.md is not committed"]}),
    ("mailing.finished", {"planned": 3, "accepted": 3}),
    ("mailing.finished", {"planned": 3, "accepted": 2, "uncertain": 1}),
    ("mailing.paused", {"reason": "paused by ann"}),
    ("mailing.paused", {"reason": "tripwire: 30 of 200 were refused"}),
    ("upkeep.failed", {"reason": "no space left on device"}),
    ("webhook.disabled", {"host": "crm.example.net", "why": "it answered 410"}),
    ("feedback.unreadable", {"reason": "the password is wrong"}),
    ("feedback.fault", {"domain": "reader.example", "reason": "blocked", "status": "5.7.1"}),
]


def event(kind: str, data: dict[str, Any]) -> Event:
    """Give an event."""
    return Event(1, TUESDAY, kind, "mailer", "weekly", data)


def test_every_message_has_its_section_in_the_runbook():
    """With what happened, whether anybody is hurt, and what to type; and no section is about nothing."""
    told = {message_of(event(kind, data)).section for kind, data in EVERY}
    assert told == set(SECTIONS)
    assert {kind for kind, _ in EVERY} == set(TELL)
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert set(sections) == told
    for name, text in sections.items():
        leads = re.findall(r"^\*\*(.+?)\*\*", text, re.MULTILINE)
        assert leads == ["What happened.", "Is anybody hurt?", "Type this."], name


@pytest.mark.parametrize(("kind", "data"), EVERY)
def test_a_message_says_which_section_it_is(kind: str, data: dict[str, Any]):
    """So that whoever reads it at night finds the page."""
    found = message_of(event(kind, data))
    assert f"\u201c{found.section}\u201d" in found.paragraphs[-1]
    assert "weekly" in found.subject


def sent(world: World) -> list[Any]:
    """Give the operator's letters."""
    with reading(world.engine) as connection:
        rows = connection.execute(
            select(letters).where(letters.c.purpose == "operator").order_by(letters.c.id)
        )
        return [email.message_from_bytes(row.content, policy=email.policy.SMTP) for row in rows]


def test_the_operator_hears_of_it_once(world: World, caplog):
    """However often two processes look, there is one letter and one line in the log."""
    world.tick(at=TUESDAY)
    with caplog.at_level(logging.INFO, logger="mailer.schedule.notices"):
        for _ in range(3):
            notices.tell(world.ground())
    (letter,) = sent(world)
    assert letter["to"] == "op@slackwater.test"
    assert letter["subject"] == "[Slack Water] weekly: nothing to send"
    assert "Nobody was mailed" in letter.get_body(("plain",)).get_content()
    assert [record.message.partition(":")[0] for record in caplog.records] == ["weekly"]


def test_without_an_operator_the_log_has_it(world: World, caplog):
    """Once, too."""
    world.toml = world.toml.replace('operator = "op@slackwater.test"\n', "")
    world.write_toml()
    world.tick(at=TUESDAY)
    with caplog.at_level(logging.INFO, logger="mailer.schedule.notices"):
        for _ in range(3):
            notices.tell(world.ground())
    assert (len(caplog.records), sent(world)) == (1, [])


def test_an_event_that_is_committed_late_is_told_all_the_same(world: World):
    """On PostgreSQL a higher id may be seen first."""
    with writing(world.engine) as connection:
        for number in range(4):
            events.record(connection, "mailing.paused", f"{number}.main", world.now, "mailer", reason="x")
        last = connection.execute(select(events.events.c.id)).scalars().all()[-1]
        connection.execute(events.events.delete().where(events.events.c.id == last - 1))
    notices.tell(world.ground())
    with writing(world.engine) as connection:
        late = {
            "id": last - 1,
            "at": world.now,
            "kind": "mailing.paused",
            "actor": "m",
            "subject": "late.main",
        }
        connection.execute(events.events.insert().values(late))
    notices.tell(world.ground())
    assert sum("late.main" in letter["subject"] for letter in sent(world)) == 1


def test_what_happened_before_there_were_notices_is_no_news(world: World):
    """An upgrade does not flood the operator: what the migration saw is told by nobody."""
    with writing(world.engine) as connection:
        events.record(connection, "mailing.paused", "old.main", world.now, "mailer", reason="x")
        newest = max(connection.execute(select(events.events.c.id)).scalars())
        connection.execute(notices.told.delete())
        connection.execute(notices.told.insert().values(event_id=newest, at=world.now))
    assert notices.tell(world.ground()) == 0


def test_what_happened_more_than_a_week_ago_is_no_news(world: World):
    """The first `mailer run` after years of sending by hand writes no letter for each mailing; a day later neither."""
    with writing(world.engine) as connection:
        for days in (900, 8, 6):
            at = world.now - timedelta(days=days)
            events.record(connection, "mailing.finished", f"{days}.main", at, "mailer", planned=3, accepted=3)
    notices.tell(world.ground())
    world.now += timedelta(days=1)
    assert notices.tell(world.ground()) == 0
    assert ["6.main" in letter["subject"] for letter in sent(world)] == [True]


def test_a_question_comes_with_a_link_that_proves_itself(world: World):
    """The link holds the question's id and a MAC; the page behind it has two buttons."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    notices.tell(world.ground())
    (letter,) = sent(world)
    text = letter.get_body(("plain",)).get_content()
    found = re.search(r"https://news\.slackwater\.test/schedule/(\S+)", text)
    assert found is not None, text
    ids = world.ground().keys.read_link_token(Purpose.ANSWER, found[1])
    assert ids == (world.rows()[0].id, 0)
    assert "mailer schedule answer weekly send" in " ".join(text.split())


# --- questions


def asked(world: World) -> int:
    """Have a question open, and give its id."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    return world.rows()[0].id


def say(world: World, question: int, word: str) -> questions.Question | None:
    """Answer as the page does."""
    with writing(world.engine) as connection:
        return questions.answer(connection, question, word, world.now, "the operator")


def test_looking_at_a_question_answers_nothing(world: World):
    """Mail scanners open every link."""
    question = asked(world)
    with reading(world.engine) as connection:
        found = questions.look(connection, question, world.now)
    assert found is not None
    assert (found.open, found.send_label, found.outcome) == (True, "Send issues/002.md", "")
    assert (found.due_local, found.zone) == ("2026-11-24 08:00", "Europe/Berlin")
    assert world.states() == [("asked", "late")]


def test_send_sends_at_the_next_look(world: World):
    """Once, however often the button is pressed."""
    question = asked(world)
    first = say(world, question, "send")
    assert first is not None
    assert not first.open
    world.tick()
    again = say(world, question, "skip")
    assert again is not None
    assert (world.mailings(), again.outcome) == (["2.main"], "It was sent.")


def test_skip_skips(world: World):
    """And a later "send" is told so."""
    question = asked(world)
    say(world, question, "skip")
    late = say(world, question, "send")
    world.tick()
    assert late is not None
    assert (world.mailings(), late.outcome) == ([], "The answer was: skip. Nobody was mailed.")


def test_an_answer_after_a_day_is_too_late(world: World):
    """Also where no scheduler has looked since."""
    question = asked(world)
    world.now += timedelta(hours=25)
    found = say(world, question, "send")
    assert found is not None
    assert not found.open
    assert "within 24 hours" in found.outcome
    world.tick()
    assert (world.mailings(), world.states()) == ([], [("skipped", "unanswered")])


def test_a_question_that_there_is_none_of(world: World):
    """Is None, to look at and to answer."""
    assert say(world, 99, "send") is None


def test_the_part_that_tells_ends_when_it_is_told_to(world: World):
    """And has told by then."""

    async def live() -> None:
        stopped = asyncio.Event()
        task = asyncio.create_task(notices.run(world.ground(), stopped, seconds=0.05))
        while not sent(world):  # noqa: ASYNC110 - a database has no event
            await asyncio.sleep(0.02)
        stopped.set()
        await asyncio.wait_for(task, 30)

    world.tick(at=TUESDAY)
    asyncio.run(asyncio.wait_for(live(), 60))
    assert len(sent(world)) == 1
