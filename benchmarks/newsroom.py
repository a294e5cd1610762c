"""Newsletters to send from: made by `mailer init`, with as many invented readers as wanted, in a temporary folder."""

from __future__ import annotations

import atexit
import random
import shutil
import sqlite3
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.process import MAILER, Ran, run
from benchmarks.table import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIRE_KB = 40
_ISSUE = """---
issue: 72
title: "A long letter, of the size that letters have"
---
Hello {{ subscriber.first_name | default("friend") }},

"""
# One statement a table: a million rows in seconds. The hash only has to be there: nobody is suppressed.
_PEOPLE = """
PRAGMA foreign_keys=OFF;
INSERT OR IGNORE INTO lists (key, brand, created_at) VALUES ('main', '', '2026-01-01 00:00:00.000000Z');
CREATE TEMP TABLE n AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {n}) SELECT i FROM n;
INSERT INTO subscribers (id, name, attributes, created_at, updated_at)
  SELECT i, 'Reader Number' || i, '{{}}', '2026-01-01 00:00:00.000000Z', '2026-01-01 00:00:00.000000Z' FROM n;
INSERT INTO addresses (id, subscriber_id, email, normalized, domain, hash, changed_at)
  SELECT i, i, 'reader' || i || '@' || d, 'reader' || i || '@' || d, d, randomblob(16), '2026-01-01 00:00:00.000000Z'
  FROM (SELECT i, 'd' || (i % 5000) || '.example.net' AS d FROM n);
INSERT INTO subscriptions (list_id, subscriber_id, state, joined_at, changed_at)
  SELECT (SELECT id FROM lists WHERE key = 'main'), i, 'active', '2026-01-01 00:00:00.000000Z',
    '2026-01-01 00:00:00.000000Z' FROM n;
PRAGMA wal_checkpoint(TRUNCATE);
"""


def prose(octets: int) -> str:
    """Give an issue of about so many octets: paragraphs, headings, links, a list; the same text every time."""
    dice = random.Random(72)
    words = ["".join(dice.choices("aabcdeeefghiiklmnoopqrsttuvw", k=dice.randint(2, 10))) for _ in range(900)]
    text = [_ISSUE]
    while sum(map(len, text)) < octets:
        kind = len(text) % 9
        line = " ".join(dice.choices(words, k=dice.randint(30, 70)))
        if kind == 4:
            text.append(f"## {line[:40]}\n\n")
        elif kind == 7:
            text.append("".join(f"- {line[at : at + 60]}\n" for at in range(0, 240, 60)) + "\n")
        else:
            text.append(
                f"{line.capitalize()}, [{line[:18]}](https://example.com/{len(text)}/{words[kind]}).\n\n"
            )
    return "".join(text)


@cache
def source() -> str:
    """Find the length of source whose message has 40 KB on the wire."""
    size = 15_000
    for _ in range(4):
        size = int(size * WIRE_KB * 1000 / _message_size(prose(size)))
    return prose(size)


def _message_size(issue: str) -> int:
    """Compile an issue and measure the message of one reader."""
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder:
        file = Path(folder, "072-long.md")
        file.write_text(issue)
        run((*MAILER, "compile", str(file), "--out", folder))
        return next(Path(folder).glob("*.eml")).stat().st_size


@dataclass(frozen=True)
class Newsroom:
    """A newsletter in a folder."""

    folder: Path
    readers: int

    @property
    def database(self) -> Path:
        return self.folder / ".mailer" / "mailer.db"

    def ask(self, query: str) -> tuple:
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(query).fetchone()

    def command(self, *words: str) -> Ran:
        return run((*MAILER, *words), cwd=self.folder)


@dataclass(frozen=True)
class Sent:
    """One `mailer send`: its process, and what the ledger says of it."""

    ran: Ran
    accepted: int
    first: float  # seconds from the command to the first message accepted
    span: float  # seconds from the first message accepted to the last
    connections: int

    @property
    def rate(self) -> float:
        """Messages a second; the first of each connection had been under way before the first was accepted."""
        return (self.accepted - self.connections) / self.span

    @property
    def whole_rate(self) -> float:
        return self.accepted / self.ran.seconds

    @property
    def cpu(self) -> float:
        """Microseconds of CPU a message, start and planning included."""
        return self.ran.cpu / self.accepted * 1e6


def send(
    room: Newsroom,
    port: int,
    options: str = "",
    *,
    connections: int = 20,
    more: Sequence[str] = (),
    **words,
) -> Sent:
    """Run `mailer send` of the issue through a server on this machine, with `more` options."""
    relay = f"smtp://127.0.0.1:{port}?connections={connections}&{options}".rstrip("&")
    command = (*MAILER, "send", "--issue", "72", "--yes", *more)
    ran = run(command, cwd=room.folder, env={"MAILER_RELAY": relay}, **words)
    count, first, last = room.ask(
        "SELECT count(*), min(at), max(at) FROM deliveries WHERE state = 'accepted'"
    )
    if not count:
        raise RuntimeError(f"nothing was accepted:\n{ran.output}")
    begin, end = (datetime.fromisoformat(text).timestamp() for text in (first, last))
    return Sent(ran, count, begin - ran.began, end - begin, connections)


@contextmanager
def newsroom(readers: int) -> Iterator[Newsroom]:
    """Give a fresh newsletter with so many readers, who have received nothing yet."""
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as place:
        folder = Path(place, "news")
        shutil.copytree(_template(readers), folder)
        yield Newsroom(folder, readers)


@cache
def _template(readers: int) -> Path:
    progress(f"making a newsletter with {readers:,} readers")
    place = tempfile.mkdtemp(prefix="mailer-bench-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    room = Newsroom(Path(place, "news"), readers)
    run((*MAILER, "init", str(room.folder), "--yes"))
    (room.folder / "issues" / "072-long.md").write_text(source())
    with closing(sqlite3.connect(room.database)) as connection:
        connection.executescript(_PEOPLE.format(n=readers))
    return room.folder


def message_size() -> int:
    """Give the octets of one message on the wire."""
    return _message_size(source())
