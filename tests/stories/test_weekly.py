"""The walk of docs/weekly.md, taken: two weeks, two issues, two hundred inboxes."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from mailer.cli.preparing import ground_of
from mailer.cli.workplace import Workplace
from mailer.database import reading, writing
from mailer.delivery.sending import deliver
from mailer.delivery.tables import letters
from mailer.keys import Purpose
from mailer.run.delivering import due
from mailer.schedule import notices, questions
from mailer.schedule.ticking import Scheduler
from tests.docs.pages import blocks, read
from tests.loopback.server import running

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.delivery.ground import Ground
    from tests.commandline import Cli

PAGE = read("weekly.md")
WALK = PAGE[PAGE.index("## A walk") : PAGE.index("## When")]
READERS = 200
MONDAY = datetime(2026, 11, 30, 10, 0, tzinfo=UTC)
EIGHT = datetime(2026, 12, 1, 7, 0, tzinfo=UTC)  # 08:00 in Berlin
WEEK = timedelta(days=7)
TOLD = [
    "weekly: nothing was ever sent from here, send this?",
    "1.main: sent to 200",
    "2.main: sent to 200",
    "weekly: nothing to send",
]


@dataclass
class Daemon:
    """`mailer run` on a clock that the test moves: a look at the schedules, then whatever runs is sent."""

    ground: Ground
    now: datetime = MONDAY
    scheduler: Scheduler | None = None
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ground = replace(self.ground, clock=lambda: self.now)
        self.scheduler = Scheduler(self.ground)

    def until(self, moment: datetime) -> None:
        """Let the clock come to a moment, looking now and then on the way."""
        while self.now < moment:
            self.now = min(moment, self.now + timedelta(hours=6))
            self.scheduler.tick()
            with writing(self.ground.database) as connection:
                mailings = due(connection, self.now)
            for one in mailings:
                asyncio.run(deliver(self.ground, one.id, kind="run"))
            notices.tell(self.ground)

    def letters(self) -> list[str]:
        """Give the subjects of the operator's letters, without the newsletter's name."""
        return [str(letter["subject"]).partition("] ")[2] for letter in self._letters()]

    def press_send(self) -> None:
        """Open the link of the last letter and press the button, as the page does."""
        text = self._letters()[-1].get_body(("plain",)).get_content()
        token = re.search(r"/schedule/(\S+)", text)[1]
        question, _ = self.ground.keys.read_link_token(Purpose.ANSWER, token)
        with writing(self.ground.database) as connection:
            assert questions.look(connection, question, self.now).open
            questions.answer(connection, question, "send", self.now, "the page")

    def _letters(self) -> list[email.message.EmailMessage]:
        with reading(self.ground.database) as connection:
            rows = connection.execute(
                select(letters).where(letters.c.purpose == "operator").order_by(letters.c.id)
            )
            return [email.message_from_bytes(row.content, policy=email.policy.SMTP) for row in rows]


def typed(line: str) -> list[str]:
    """Give the words of a line of the walk."""
    import shlex

    return shlex.split(line.removeprefix("mailer "))


def set_up(folder: Path, cli: Cli, lines: str) -> None:
    """Do what the walk says before the first issue, with people of our own."""
    people = "".join(
        f"reader{number}@d{number % 7}.example.net,Reader {number}\n" for number in range(READERS)
    )
    (folder / "people.csv").write_text(f"email,name\n{people}")
    for line in re.findall(r"^\$ (.+)$", lines, re.MULTILINE):
        assert cli(*typed(line)).code == 0, line
    toml = (folder / "mailer.toml").read_text() + "\n".join(blocks(WALK, "toml"))
    (folder / "mailer.toml").write_text(toml.replace("#operator =", "operator ="))


@pytest.mark.slow
def test_the_walk(tmp_path: Path, cli: Cli, monkeypatch):
    """Asked once, sent twice, and told on the third Tuesday: everybody has each issue once."""
    folder = tmp_path / "water"
    folder.mkdir()
    cli.folder = folder
    monkeypatch.chdir(folder)
    first, second = re.findall(r"in `(issues/\d+\.md)`|, `(issues/\d+\.md)`", WALK)
    issues = dict(zip([first[0], second[1]], blocks(WALK, "markdown"), strict=True))
    setting_up, looking = blocks(WALK, "console")
    with running() as server:
        monkeypatch.setenv("MAILER_RELAY", server.url())
        set_up(folder, cli, setting_up)
        (folder / "issues/001.md").write_text(issues["issues/001.md"])
        shown = cli(*typed(re.findall(r"^\$ (.+)$", looking, re.MULTILINE)[0]))
        assert "weekly  Tue 08:00 Europe/Berlin" in shown.out, shown.err
        place = Workplace(folder)
        daemon = Daemon(ground_of(place))
        daemon.scheduler.tick()

        daemon.until(EIGHT + timedelta(minutes=1))
        assert not server.accepted
        assert daemon.letters()[-1].startswith("weekly: nothing was ever sent")
        daemon.press_send()
        daemon.until(daemon.now + timedelta(minutes=1))
        assert len(server.accepted) == READERS

        (folder / "issues/002.md").write_text(issues["issues/002.md"])
        daemon.until(EIGHT + WEEK)
        assert len(server.accepted) == 2 * READERS

        daemon.until(EIGHT + 2 * WEEK)
        assert len(server.accepted) == 2 * READERS
        place.engine.dispose()
    got = Counter((one.recipient, one.message_id) for one in server.accepted)
    inboxes = Counter(one.recipient for one in server.accepted)
    assert set(got.values()) == {1}
    assert (len(inboxes), set(inboxes.values())) == (READERS, {2})
    assert [one for one in daemon.letters() if "would not be" not in one] == TOLD
