"""A newsletter with schedules, readers and a clock that tests move, for the tests of the schedule room."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from sqlalchemy import select

from mailer import events
from mailer.database import reading, register, writing
from mailer.delivery import mailing
from mailer.delivery.ground import Ground
from mailer.delivery.tables import deliveries
from mailer.edition import Edition
from mailer.issue.provenance import Provenance
from mailer.keys import Key, Keys
from mailer.schedule.preparing import Ready, relative
from mailer.schedule.tables import due_times
from mailer.schedule.ticking import Scheduler
from mailer.settings import load_settings
from subscribers import add, ensure_lists

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.issue.find import Found
    from mailer.settings import Settings

MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # before Tuesday the 24th, 08:00 in Berlin: 07:00 UTC
TUESDAY = datetime(2026, 11, 24, 7, 0, tzinfo=UTC)
ID = "11111111-2222-4333-8444-555555555555"
HEAD = f"""
id = "{ID}"
name = "Slack Water"
from = "Slack Water <news@slackwater.test>"
postal_address = "1 Pier, Harbour"
public_url = "https://news.slackwater.test"
operator = "op@slackwater.test"
time_zone = "Europe/Berlin"
[[relays]]
name = "main"
url = "smtp://127.0.0.1:2525"
[lists.main]
"""
WEEKLY = '[[schedule]]\nname = "weekly"\nevery = "Tue 08:00"\n'


def quick(settings: Settings, list_key: str, issue: Found) -> Ready:
    """Prepare without a child process: for what is not about compiling."""
    edition = Edition(
        file=relative(settings.folder, issue.path), number=issue.number, slug=issue.slug, subject=(issue.title,),
        preheader="", date=None, language="en", direction="ltr", html=("<p>x</p>",), text=("x\n",),
    )  # fmt: skip
    return Ready(issue, edition, Provenance("3f2a1c4", committed=True, repository=True))


@dataclass
class World:
    """One newsletter; `now` is what its clock says."""

    folder: Path
    engine: Engine
    now: datetime = MONDAY
    toml: str = HEAD + WEEKLY
    quick: bool = True
    _scheduler: dict[str, Scheduler] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.folder / "issues").mkdir(exist_ok=True)
        (self.folder / ".mailer").mkdir(exist_ok=True)
        self.write_toml()
        with writing(self.engine) as connection:
            register(connection, UUID(ID), self.now)
            ensure_lists(connection, ["main"], self.now)
        self.join("ann@example.com", "bo@example.com")

    def write_toml(self) -> None:
        """Write mailer.toml as it stands; the scheduler reads it when it starts."""
        (self.folder / "mailer.toml").write_text(self.toml)

    def schedule(self, *lines: str) -> None:
        """Have one schedule, weekly, with these lines besides."""
        self.toml = HEAD + WEEKLY + "\n".join(lines)
        self.write_toml()
        self.restart()

    def ground(self) -> Ground:
        """Give what a process stands on."""
        settings = load_settings(self.folder, {})
        return Ground(settings, Keys((Key(0, bytes(32)),)), self.engine, (), clock=lambda: self.now)

    def scheduler(self, name: str = "one") -> Scheduler:
        """Give a scheduler that was started when it was first asked for."""
        if name not in self._scheduler:
            ground = self.ground()
            self._scheduler[name] = Scheduler(ground, quick) if self.quick else Scheduler(ground)
        return self._scheduler[name]

    def restart(self, name: str = "one") -> None:
        """Forget what a scheduler holds in memory."""
        self._scheduler.pop(name, None)

    def tick(self, name: str = "one", at: datetime | None = None) -> None:
        """Let a scheduler look, perhaps at another time."""
        self.now = at or self.now
        self.scheduler(name).tick()

    def join(self, *emails: str, zone: str | None = None) -> None:
        """Let people join the list."""
        with writing(self.engine) as connection:
            for email in emails:
                add(
                    connection, email=email, list_key="main", now=self.now, hash_key=b"h" * 32, basis="test",
                    time_zone=zone,
                )  # fmt: skip

    def issue(self, number: int, date: str | None = "2026-11-24", **keys: object) -> Path:
        """Write an issue."""
        lines = [f"title: Water no {number}", f"issue: {number}", *([f"date: {date}"] if date else [])]
        lines += [f"{name}: {value}" for name, value in keys.items()]
        path = self.folder / "issues" / f"{number:03}.md"
        path.write_text("---\n" + "\n".join(lines) + "\n---\n\nThe gauge at the pier is low.\n")
        return path

    def sent(self, *numbers: int) -> None:
        """Have issues on record as sent; their files are there, with an old date."""
        for number in numbers:
            if not (self.folder / "issues" / f"{number:03}.md").exists():
                self.issue(number, "2026-11-17")
            edition = quick(self.ground().settings, "main", self.found(number)).edition
            with writing(self.engine) as connection:
                made = mailing.open_mailing(connection, edition, "main", self.now - timedelta(days=7))
                mailing.freeze(connection, made.id, edition, None, self.now, committed=True)
                mailing.move(connection, made.id, mailing.MailingState.FINISHED, self.now)

    def found(self, number: int) -> Found:
        """Give an issue's head."""
        from mailer.issue.find import list_issues

        return next(one for one in list_issues(self.folder, ["issues/*.md"]) if one.number == number)

    def rows(self) -> list[Any]:
        """Give the rows of due times, in their order."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(due_times).order_by(due_times.c.due_at)))

    def states(self) -> list[tuple[str, str]]:
        """Give (state, reason) of the due times."""
        return [(row.state, row.reason) for row in self.rows()]

    def mailings(self) -> list[str]:
        """Give the names of what was begun by a schedule."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(events.events).where(events.events.c.kind == "schedule.started"))
            return [json.loads(row.data)["mailing"] for row in rows]

    def heard(self) -> list[str]:
        """Give the kinds of the schedule's events, in their order."""
        with reading(self.engine) as connection:
            rows = connection.execute(select(events.events).order_by(events.events.c.id))
            return [row.kind for row in rows if row.kind.startswith("schedule.")]

    def deliveries(self) -> list[Any]:
        """Give the rows of the ledger."""
        with reading(self.engine) as connection:
            return list(connection.execute(select(deliveries).order_by(deliveries.c.subscriber_id)))

    def git(self, *words: str) -> None:
        """Run git in the folder."""
        said = ("-c", "user.name=t", "-c", "user.email=t@example.com")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        subprocess.run(["git", *said, *words], cwd=self.folder, check=True, capture_output=True, env=clean)

    def commit(self) -> None:
        """Commit everything."""
        if not (self.folder / ".git").exists():
            self.git("init", "-q")
            (self.folder / ".gitignore").write_text(".mailer/\n*.db*\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    """A newsletter whose weekly schedule is seen for the first time on a Monday at noon; issue 1 went out before."""
    made = World(tmp_path, engine)
    made.sent(1)
    made.tick()
    return made
