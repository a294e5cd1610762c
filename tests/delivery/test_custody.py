"""Custody with real files and databases: what is noticed, what the journals mend, and what waits for a person."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from mailer.backup import open_backup, restore_backup, write_backup
from mailer.database import open_engine, reading, upgrade, writing
from mailer.delivery import custody, mailing, sending
from mailer.delivery.custody import workers
from mailer.delivery.states import DeliveryState as S
from mailer.delivery.states import MailingState
from mailer.delivery.tables import mailings
from mailer.errors import PersonNeeded, TryLater
from mailer.settings import load_settings
from mailer.smtp.relay import parse_relay
from subscribers import audience
from tests.delivery.conftest import NOON, edition
from tests.delivery.office import KEYS, Office
from tests.loopback.server import running

if TYPE_CHECKING:
    from pathlib import Path


class Desk(Office):
    """An office with a backup and a way back."""

    def ground(self, url: str = "smtp://127.0.0.1:1") -> sending.Ground:
        """Give the ground."""
        return sending.Ground(self.settings, KEYS, self.world.engine, [parse_relay(url)])

    def backup(self, folder: Path) -> Path:
        """Write a backup."""
        file = folder / f"{uuid4().hex}.tar.gz"
        write_backup(file, self.settings, self.world.engine, NOON)
        return file

    def restore(self, file: Path) -> None:
        """Bring it back, and let the paused mailing go on as a person would."""
        self.world.engine.dispose()
        with open_backup(file, self.settings) as opened:
            restore_backup(opened, self.settings)
        self.resume()

    def resume(self) -> None:
        """Let the mailing run."""
        with writing(self.world.engine) as c:
            mailing.move(c, self.world.mailing_id, MailingState.RUNNING, NOON)

    def state(self) -> MailingState:
        """Give the mailing's state."""
        with reading(self.world.engine) as c:
            return mailing.get(c, self.world.mailing_id).state


@pytest.fixture
def desk(tmp_path: Path):
    """An office with 300 readers, on SQLite: its file can be copied and brought back."""
    (tmp_path / ".mailer").mkdir()
    database = open_engine(f"sqlite:///{tmp_path}/.mailer/mailer.db")
    upgrade(database)
    made = Desk(tmp_path, database, 300)
    yield made
    made.world.engine.dispose()


@pytest.mark.parametrize("before", [0, 60])
def test_nobody_mailed_after_the_backup_gets_a_second_copy(desk: Desk, tmp_path: Path, before: int) -> None:
    """Backup before or in the middle of a mailing, more is sent, the backup is restored: the journals tell the rest."""
    with running() as server:
        url = server.url("connections=4")
        if before:
            desk.send(url, stop_after=before)
        kept = desk.backup(tmp_path)
        desk.send(url, stop_after=100)
        desk.restore(kept)
        result = desk.send(url)
        got = [one.recipient for one in server.accepted]
    assert result.sums[S.ACCEPTED] == 300
    assert len(got) == len(set(got)) == 300
    assert custody.look(desk.ground()).gap == range(custody.look(desk.ground()).epoch + 1, 1)


def test_readers_planned_after_the_backup_are_known_again(desk: Desk, tmp_path: Path) -> None:
    """The backup knows the mailing and none of its rows; whoever has left since is still counted, and not mailed."""
    with running() as server:
        kept = desk.backup(tmp_path)
        desk.send(server.url("connections=4"))
        desk.restore(kept)
        desk.world.leave(7)
        result = desk.send(server.url("connections=4"))
        assert len(server.accepted) == 300
    assert result.sums[S.ACCEPTED] == 300
    assert sum(row.address == "" for row in desk.rows().values()) == 1


def test_without_its_journals_an_older_database_waits_for_a_person(desk: Desk, tmp_path: Path) -> None:
    """The gap is named, every running mailing stands paused, nothing is sent until it is adopted."""
    with running() as server:
        url = server.url("connections=4")
        kept = desk.backup(tmp_path)
        desk.send(url, stop_after=100)
        shutil.rmtree(desk.ground().journals)
        desk.restore(kept)
        before = len(server.accepted)
        with pytest.raises(PersonNeeded, match=r"epochs 1 to 1 .*`mailer db adopt`"):
            desk.send(url)
        assert (len(server.accepted), desk.state()) == (before, MailingState.PAUSED)
        custody.adopt(desk.ground(), "ann")
        desk.resume()
        assert desk.send(url).sums[S.ACCEPTED] == 300


def test_a_mailing_that_the_database_never_knew_waits_for_a_person(desk: Desk, tmp_path: Path) -> None:
    """The journals speak of a mailing made after the backup: its readers are counted, its id is never used again."""
    with running() as server:
        kept = desk.backup(tmp_path)
        with writing(desk.world.engine) as c:
            later = mailing.open_mailing(c, edition(73, "later"), "main", NOON).id
            mailing.freeze(c, later, edition(73, "later"), None, NOON, committed=False)
            readers = audience(desk.world.list_id, NOON)
            mailing.extend(c, later, readers, list_id=desk.world.list_id, now=NOON)
        desk.world.mailing_id, first = later, desk.world.mailing_id
        desk.send(server.url("connections=4"))
        desk.world.mailing_id = first
        desk.restore(kept)
        with pytest.raises(
            PersonNeeded, match="300 deliveries in the others are of mailings that it does not know"
        ):
            custody.secure(desk.ground())
    custody.adopt(desk.ground(), "ann")
    with writing(desk.world.engine) as c:
        assert mailing.open_mailing(c, edition(74, "next"), "main", NOON).id > later
    assert custody.secure(desk.ground()) is None


def test_no_alarm_without_need(desk: Desk, tmp_path: Path) -> None:
    """VACUUM, an upgrade, a backup, the same folder under another name: the database is the same."""
    with running() as server:
        desk.send(server.url("connections=2"), stop_after=20)
        upgrade(desk.world.engine)
        desk.backup(tmp_path)
        desk.world.engine.dispose()
        with closing(sqlite3.connect(desk.settings.state / "mailer.db", isolation_level=None)) as raw:
            raw.execute("VACUUM")
        assert custody.secure(desk.ground()) is None
        desk.world.engine.dispose()
        moved = tmp_path / "moved"
        moved.mkdir()
        for name in ("mailer.toml", ".mailer"):
            (tmp_path / name).rename(moved / name)
        desk.settings = load_settings(moved, {})
        desk.world.engine = open_engine(desk.settings.database)
        assert custody.secure(desk.ground()) is None
        assert desk.send(server.url("connections=2")).sums[S.ACCEPTED] == 300


def test_the_very_first_start_may_die_at_once(desk: Desk) -> None:
    """Killed between its enlisting and its first word to the witness: the next start sees nothing strange."""
    assert custody.secure(desk.ground()) is None
    with writing(desk.world.engine) as c:
        workers.release(workers.enlist(c, desk.ground().locks, NOON))
    assert custody.secure(desk.ground()) is None


def test_a_copied_folder_is_noticed(desk: Desk, tmp_path: Path) -> None:
    """Beside its original a copy does not send: both would."""
    with running() as server:
        desk.send(server.url("connections=2"), stop_after=20)
    desk.world.engine.dispose()
    copy = tmp_path / "copy"
    shutil.copytree(tmp_path / ".mailer", copy / ".mailer")
    shutil.copy(tmp_path / "mailer.toml", copy)
    desk.settings = load_settings(copy, {})
    desk.world.engine = open_engine(desk.settings.database)
    with pytest.raises(PersonNeeded, match="is a copy"):
        custody.secure(desk.ground())


def test_a_database_from_another_machine_is_noticed(desk: Desk) -> None:
    """It has sent, and there is no witness: nothing goes out until it is adopted, and then all is well."""
    with running() as server:
        desk.send(server.url("connections=2"), stop_after=20)
        desk.ground().witness.unlink()
        with pytest.raises(PersonNeeded, match="not from this folder"):
            desk.send(server.url())
        assert desk.state() is MailingState.PAUSED
        custody.adopt(desk.ground(), "ann")
        assert custody.secure(desk.ground()) is None


def test_a_database_that_went_its_own_way_is_noticed(desk: Desk, tmp_path: Path) -> None:
    """Copied away, sent from there and copied back: the same epochs, and other deaths and deliveries behind them."""
    away = tmp_path / "away.db"
    with running() as server:
        url = server.url("connections=2")
        desk.send(url, stop_after=20)
        desk.world.engine.dispose()
        shutil.copy(desk.settings.state / "mailer.db", away)
        desk.send(url, stop_after=20)
        desk.world.engine.dispose()
        journals = desk.ground().journals
        journals.rename(tmp_path / "kept")
        shutil.copy(desk.ground().witness, tmp_path / "witness")
        shutil.copy(away, desk.settings.state / "mailer.db")
        desk.ground().witness.unlink()
        custody.attest(desk.ground())
        desk.send(url, stop_after=20)
        shutil.copy(tmp_path / "witness", desk.ground().witness)
    with pytest.raises(PersonNeeded, match="another history"):
        custody.secure(desk.ground())
    custody.adopt(desk.ground(), "ann")
    assert custody.secure(desk.ground()) is None


def test_while_the_newer_database_is_in_use_nothing_is_done(desk: Desk, tmp_path: Path) -> None:
    """A process still sends with the file that was replaced: it must end first."""
    import fcntl

    kept = desk.backup(tmp_path)
    with running() as server:
        desk.send(server.url("connections=2"), stop_after=20)
    desk.restore(kept)
    lock = os.open(desk.ground().locks / "1.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with pytest.raises(TryLater, match="epoch 1"):
            custody.secure(desk.ground())
    finally:
        os.close(lock)
    with reading(desk.world.engine) as c:
        assert c.execute(mailings.select()).one().state == MailingState.RUNNING


def test_after_a_power_cut_the_journal_knows_more_than_the_ledger(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest commits are gone, the epoch's row is not; the machine has booted anew: the journal is believed."""
    with running() as server:
        url = server.url("connections=4")
        desk.world.plan()
        kept = tmp_path / "as-synced.db"
        with pytest.raises(RuntimeError):
            _die_after(desk, url, 100, kept)
        desk.world.engine.dispose()
        for ending in ("-wal", "-shm"):
            (desk.settings.state / f"mailer.db{ending}").unlink(missing_ok=True)
        shutil.copy(kept, desk.settings.state / "mailer.db")
        monkeypatch.setattr("mailer.delivery.journal.boot", lambda: "another boot")
        result = desk.send(url)
        got = [one.recipient for one in server.accepted]
    assert len(got) == len(set(got))
    assert result.sums[S.ACCEPTED] + result.sums[S.UNCERTAIN] == 300


def _die_after(desk: Desk, url: str, count: int, kept: Path) -> None:
    """Send, keep the database as it stood soon after the start, and leave the worker unretired."""
    import asyncio

    async def watch_and_die(engine) -> None:
        while engine.work.tally.total < 5:  # noqa: ASYNC110 - the tally is a plain count, nothing to await
            await asyncio.sleep(0.001)
        with (
            closing(sqlite3.connect(desk.settings.state / "mailer.db")) as live,
            closing(sqlite3.connect(kept)) as copy,
        ):
            live.backup(copy)
        while engine.work.tally.total < count:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.001)
        engine.stop(sending.End.STOPPED)

    tasks = []

    def watch(engine) -> None:
        tasks.append(asyncio.get_running_loop().create_task(watch_and_die(engine)))

    asyncio.run(sending.deliver(desk.ground(url), desk.world.mailing_id, watch=watch))
    raise RuntimeError("the power is gone")
