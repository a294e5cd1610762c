"""Workers of several machines: who lives, who is told apart, and who may not mix."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from sqlalchemy import select, update

from mailer.database import newsletter, open_engine, register, upgrade, writing
from mailer.delivery.custody import Seen, Trust, decide, home, place, workers
from mailer.delivery.tables import workers as table
from mailer.errors import TryLater

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from mailer.delivery.custody import Worker

NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def there(engine: Engine, tmp_path: Path) -> Iterator[Worker]:
    """A worker that lives, in another place than `tmp_path / "here"`."""
    with writing(engine) as c:
        worker = workers.enlist(c, tmp_path / "there", NOON)
    yield worker
    workers.release(worker)


def dead(engine: Engine, folder: Path, now: datetime = NOON) -> list[int]:
    """Give whom this place thinks dead."""
    with writing(engine) as c:
        return workers.dead(c, folder, now)


def test_two_places_of_one_host_name_do_not_judge_each_other_by_locks(engine, tmp_path, there):
    """Two containers share a host name: the other's lock is not here, and yet it lives, until it was silent."""
    here = tmp_path / "here"
    assert dead(engine, here) == []
    assert dead(engine, here, NOON + workers.DEAD_AFTER + timedelta(seconds=1)) == [there.epoch]


def test_the_death_of_a_process_of_this_place_is_known_at_once(engine, tmp_path):
    """The kernel drops the lock of a process that dies; nobody waits for a minute."""
    with writing(engine) as c:
        worker = workers.enlist(c, tmp_path, NOON)
    assert dead(engine, tmp_path) == []
    workers.release(worker)
    assert dead(engine, tmp_path) == [worker.epoch]


def test_a_copied_folder_is_another_place(tmp_path):
    """A place is a folder, not what is written in it; and asked again it is the same."""
    first = place.place_of(tmp_path / "one", shared=True)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert place.place_of(tmp_path / "one", shared=True) == first
    assert place.place_of(tmp_path / "two", shared=True) != first


def test_a_restart_of_the_machine_makes_a_place_only_where_others_may_send(tmp_path, monkeypatch):
    """A cloned machine has the folder with its inodes: on a server it counts as another; SQLite has one machine."""
    first = place.place_of(tmp_path, shared=True)
    monkeypatch.setattr(place, "boot", lambda: "another")
    assert place.place_of(tmp_path, shared=False) == first
    assert place.place_of(tmp_path, shared=True) != first


def test_workers_of_two_versions_do_not_mix(engine, tmp_path, there, monkeypatch):
    """While another version sends nobody enlists, and hears where it runs; once it is gone, it may."""
    monkeypatch.setattr(workers, "__version__", "9.9.9")
    said = r"process \d+ on .* sends with version .*, and this is 9\.9\.9"
    with pytest.raises(TryLater, match=said), writing(engine) as c:
        workers.enlist(c, tmp_path / "here", NOON)
    with writing(engine) as c:
        assert list(c.scalars(select(table.c.epoch))) == [there.epoch]
        workers.retire(c, there.epoch, NOON)
        workers.release(workers.enlist(c, tmp_path / "here", NOON))


def test_a_dead_worker_of_another_version_stands_in_nobodys_way(engine, tmp_path):
    """It is accounted for by the version that comes after it."""
    with writing(engine) as c:
        worker = workers.enlist(c, tmp_path, NOON)
        c.execute(update(table).values(version="0.0.1"))
    workers.release(worker)
    with writing(engine) as c:
        workers.release(workers.enlist(c, tmp_path, NOON))


def test_who_was_taken_for_dead_hears_of_it(engine, there):
    """A heartbeat after the epoch was ended says no, and nothing may be claimed by it."""
    with writing(engine) as c:
        assert workers.beat(c, there, NOON)
        assert workers.hold(c, there.epoch)
        workers.retire(c, there.epoch, NOON)
        assert not workers.beat(c, there, NOON)
        assert not workers.hold(c, there.epoch)


def test_a_machine_joins_a_server_that_others_send_from(postgres_url):
    """What was sent from this very server may be gone on with from a new machine; a copy on another one may not."""
    opened = open_engine(postgres_url)
    upgrade(opened)
    with writing(opened) as c:
        register(c, UUID(int=1), NOON)
        assert not home.stands(c)
    home.move_in(opened)
    with writing(opened) as c:
        assert home.stands(c)
        c.execute(update(newsletter).values(home="another/1/1"))
        assert not home.stands(c)
    opened.dispose()


@pytest.mark.parametrize(
    ("at_home", "journals", "trust"),
    [
        pytest.param(True, frozenset(), Trust.SAME, id="joins"),
        pytest.param(False, frozenset(), Trust.STRANGER, id="a copy of the database"),
        pytest.param(True, frozenset({3}), Trust.STRANGER, id="it has sent before, and lost its witness"),
    ],
)
def test_who_never_sent_is_trusted_only_with_the_server_itself(at_home, journals, trust):
    """Without a witness only a database that stands where it was last sent from is known to be the newest."""
    assert decide(Seen("n", None, 7, journals, at_home=at_home)) is trust
