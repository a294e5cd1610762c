"""Upkeep: each chore once, by whichever process claims it; backups that are kept, and what is let go."""

from __future__ import annotations

import asyncio
import os
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, update

from mailer import events
from mailer.backup import open_backup
from mailer.database import reading, sqlite_file, writing
from mailer.delivery.tables import letters
from mailer.run import chores as work
from mailer.run import service
from mailer.run.chores import Chore
from mailer.run.upkeep import claim, keep_house, run
from mailer.schedule.tables import chores, due_times
from tests.schedule.conftest import MONDAY, World

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    """A newsletter with a secret, as `mailer init` makes it."""
    made = World(tmp_path, engine)
    (tmp_path / ".mailer" / "secret.key").write_text("0:" + "A" * 43 + "\n")
    (tmp_path / ".mailer" / "secret.key").chmod(0o600)
    return made


def backups(world: World) -> list[str]:
    """Give the names of the daily backups."""
    return sorted(file.name for file in (world.folder / ".mailer" / "backups").glob("*.tar.gz"))


def test_each_chore_is_done_once_a_day_whoever_looks(world: World):
    """Two processes, looking every minute: one of them does it; the next day again."""
    done = []
    for _ in range(3):
        done += keep_house(world.ground()) + keep_house(world.ground())
        world.now += timedelta(minutes=1)
    assert done == ["people", "retention", "database", "upgrades", "packing", "backup"]
    world.now = MONDAY + DAY
    assert keep_house(world.ground()) == ["people", "retention", "database", "upgrades", "packing", "backup"]


def test_fourteen_backups_are_kept(world: World):
    """A backup a day; the oldest go, and what a person put beside them stays."""
    for _ in range(17):
        work.backup(world.ground(), world.now)
        world.now += DAY
    (world.folder / ".mailer" / "backups" / "mine.tar.gz").write_text("mine")
    work.backup(world.ground(), world.now)
    names = backups(world)
    assert (len(names), names[-1]) == (15, "mine.tar.gz")
    assert names[0] == f"daily-{MONDAY + 4 * DAY:%Y%m%d-%H%M%S}.mailer.tar.gz"
    newest = world.folder / ".mailer" / "backups" / names[-2]
    assert newest.stat().st_mode & 0o777 == 0o600
    if world.engine.dialect.name == "sqlite":
        with open_backup(newest, world.ground().settings) as opened:
            assert opened.made_at == world.now


def test_backups_go_where_the_settings_say(world: World):
    """And none are made where nought are to be kept."""
    world.toml += '[upkeep]\nbackup_folder = "elsewhere"\nbackups = 1\n'
    world.write_toml()
    for _ in range(3):
        work.backup(world.ground(), world.now)
        world.now += DAY
    assert len(list((world.folder / "elsewhere").iterdir())) == 1
    world.toml = world.toml.replace("backups = 1", "backups = 0").replace("elsewhere", "nowhere")
    world.write_toml()
    work.backup(world.ground(), world.now)
    assert not (world.folder / "nowhere").exists()


def test_what_a_killed_backup_left_behind_is_swept(world: World):
    """It holds the secret."""
    left = world.folder / ".mailer" / "backups" / ".backup-x1"
    left.mkdir(parents=True)
    (left / "secret.key").write_text("0:x")
    work.backup(world.ground(), world.now)
    assert not left.exists()


def test_old_mailings_are_packed_a_little_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch):
    """Every five minutes, what ended `pack_after_days` ago; 0 is never."""
    asked = []
    monkeypatch.setattr(work, "pack_old", lambda database, before: asked.append((database, before)))
    [chore] = [one for one in work.CHORES if one.name == "packing"]
    for words in ("", "[upkeep]\npack_after_days = 7\n", "[upkeep]\npack_after_days = 0\n"):
        world.toml = world.toml.partition("[upkeep]")[0] + words
        world.write_toml()
        chore.work(world.ground(), world.now)
    assert asked == [(world.engine, world.now - 90 * DAY), (world.engine, world.now - 7 * DAY)]
    assert chore.every == timedelta(minutes=5)


def test_copies_that_upgrades_left_go_after_a_fortnight(world: World):
    """They hold the readers of their day; a young one, and what only looks like one, stays."""
    file = sqlite_file(world.engine)
    if file is None:
        return  # a server keeps no copies: nothing is there to be removed
    old, young, other = (file.with_name(f"{file.name}.{end}") for end in ("0001", "0007", "mine"))
    for copy, days in ((old, 15), (young, 13), (other, 99)):
        copy.write_bytes(b"x")
        os.utime(copy, times=(stamp := (world.now - timedelta(days=days)).timestamp(), stamp))
    work.upgrades(world.ground(), world.now)
    assert [copy.exists() for copy in (old, young, other)] == [False, True, True]


def test_a_chore_whose_process_died_is_done_by_another_within_the_hour(world: World):
    """The claim of the dead holds it up no longer than that."""
    chore = Chore("people", DAY, lambda *_: None)
    with writing(world.engine) as connection:
        assert claim(connection, chore, world.now)
        assert not claim(connection, chore, world.now + timedelta(minutes=59))
        assert claim(connection, chore, world.now + HOUR)


def test_a_clock_that_was_ahead_stops_no_chore(world: World):
    """A claim of next year counts for nothing."""
    chore = Chore("people", DAY, lambda *_: None)
    with writing(world.engine) as connection:
        assert claim(connection, chore, world.now + 365 * DAY)
        assert claim(connection, chore, world.now)


def test_a_failure_is_told_once_a_day_and_stops_no_other_chore(world: World):
    """A disk that is full fails the backup every hour: the operator hears of it once."""
    done = []

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    wanted = (Chore("backup", DAY, fail), Chore("other", HOUR, lambda *_: done.append(1)))
    for _ in range(5):
        keep_house(world.ground(), wanted)
        world.now += HOUR
    with reading(world.engine) as connection:
        told = connection.execute(select(events.events).where(events.events.c.kind == "upkeep.failed")).all()
    assert (len(done), len(told)) == (5, 1)
    assert "No space left" in told[0].data
    world.now += DAY
    keep_house(world.ground(), (Chore("backup", DAY, lambda *_: None),))
    with reading(world.engine) as connection:
        row = connection.execute(select(chores).where(chores.c.name == "backup")).one()
    assert row.done_at is not None


def letter(number: int, world: World, **values: object) -> dict[str, object]:
    """Give the row of a letter."""
    return {
        "purpose": "confirm", "key": str(number), "address": "ann@example.com", "mail_from": "news@slackwater.test",
        "content": b"secret link", "message_id": f"<{number}@x>", "due_at": world.now, "state": "accepted",
        "created_at": world.now, "reply": "250 ok", **values,
    }  # fmt: skip


def test_old_letters_lose_their_text_and_old_trails_end(world: World):
    """What is on its way stays whole; what became of mailings stays for good."""
    with writing(world.engine) as connection:
        connection.execute(insert(letters), [letter(1, world), letter(2, world, state="deferred")])
        for kind in ("reader.confirmed", "mailing.finished"):
            events.record(connection, kind, "7", world.now, "test")
    world.now += 40 * DAY
    with writing(world.engine) as connection:
        connection.execute(insert(letters), [letter(3, world)])
    work.retention(world.ground(), world.now)
    with reading(world.engine) as connection:
        texts = {row.key: row.content for row in connection.execute(select(letters))}
        kinds = {row.kind for row in connection.execute(select(events.events))}
    assert texts == {"1": b"", "2": b"secret link", "3": b"secret link"}
    assert "reader.confirmed" in kinds
    work.retention(world.ground(), world.now + 731 * DAY)
    with reading(world.engine) as connection:
        kinds = {row.kind for row in connection.execute(select(events.events))}
    assert "mailing.finished" in kinds
    assert not {kind for kind in kinds if kind.startswith("reader.")}


def test_due_times_that_came_to_nothing_are_forgotten_after_a_year(world: World):
    """What was sent, and what is asked, stays."""
    old = world.now
    rows = [
        {
            "schedule": "weekly", "due_at": old + number * HOUR, "local": "x UTC", "list_key": "main", "state": state,
            "created_at": old, "changed_at": old,
        }
        for number, state in enumerate(["empty", "skipped", "started", "asked"])
    ]  # fmt: skip
    with writing(world.engine) as connection:
        connection.execute(insert(due_times), rows)
    work.retention(world.ground(), old + 401 * DAY)
    with reading(world.engine) as connection:
        left = set(connection.execute(select(due_times.c.state)).scalars())
    assert left == {"started", "asked"}


def test_many_rows_go_in_small_transactions(world: World, monkeypatch):
    """However many there are, none is left."""
    monkeypatch.setattr(work, "_BATCH", 7)
    with writing(world.engine) as connection:
        for number in range(50):
            events.record(connection, "reader.confirmed", str(number), world.now, "test")
    work.retention(world.ground(), world.now + 800 * DAY)
    with reading(world.engine) as connection:
        assert not connection.execute(
            select(events.events).where(events.events.c.kind == "reader.confirmed")
        ).all()


def test_the_part_ends_between_two_chores(world: World):
    """And has done what was due."""

    async def live() -> None:
        stopped = asyncio.Event()
        task = asyncio.create_task(run(world.ground(), stopped, seconds=0.05))
        while not await asyncio.to_thread(backups, world):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.05)
        stopped.set()
        await asyncio.wait_for(task, 20)

    asyncio.run(live())
    with reading(world.engine) as connection:
        assert len(connection.execute(select(chores)).all()) == len(work.CHORES)


def test_a_chore_that_was_undone_shows_it(world: World):
    """`done_at` is empty while a chore is under way."""
    chore = Chore("people", HOUR, lambda *_: None)
    keep_house(world.ground(), (chore,))
    with writing(world.engine) as connection:
        connection.execute(update(chores).values(done_at=world.now))
        assert claim(connection, chore, world.now + 2 * HOUR)
        assert connection.execute(select(chores.c.done_at)).scalar() is None


# --- systemd


def test_systemd_hears_what_it_asked_for(tmp_path: Path, monkeypatch):
    """Ready, alive, stopping: through the socket that it named."""
    address = str(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "100000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address)
        listener.setblocking(False)
        heard = asyncio.run(asyncio.wait_for(_heard(listener), 60))
    assert (heard[0], heard[-1]) == ("READY=1", "STOPPING=1")
    assert set(heard[1:-1]) == {"WATCHDOG=1"}


async def _heard(listener: socket.socket) -> list[str]:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    assert service.ready()
    watching = asyncio.create_task(service.watch(stopped))
    heard: list[str] = []
    while heard.count("WATCHDOG=1") < 2:
        heard.append((await loop.sock_recv(listener, 100)).decode())
    stopped.set()
    await watching
    assert service.stopping()
    while heard[-1] != "STOPPING=1":
        heard.append((await loop.sock_recv(listener, 100)).decode())
    return heard


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "relative", "@nobody-listens-here"])
def test_without_systemd_nothing_happens(monkeypatch, address: str):
    """No socket, or one that nobody listens on."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert not service.ready()
    assert service.watchdog_seconds() is None
