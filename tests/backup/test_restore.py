"""What a restore must not do: take over other programs' sequences, or a file that somebody has open."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from mailer.backup import postgresql, sqlite
from mailer.database import newest_revision, open_engine, reading, upgrade, writing
from mailer.errors import TryLater

if TYPE_CHECKING:
    from sqlalchemy import Engine

NEXT = text("SELECT nextval('shop_orders_id_seq')")


@pytest.fixture
def beside_a_shop(postgres_url: str) -> Engine:
    """A newsletter's database in which another program has a table."""
    engine = open_engine(postgres_url)
    upgrade(engine)
    with writing(engine) as connection:
        connection.execute(text("CREATE TABLE shop_orders (id serial PRIMARY KEY)"))
        assert connection.scalar(NEXT) == 1
        connection.execute(text("SELECT nextval(pg_get_serial_sequence('subscribers', 'id'))"))
    return engine


def test_a_backup_holds_our_sequences_alone(beside_a_shop: Engine, tmp_path: Path) -> None:
    """What others count beside us is no business of ours."""
    assert postgresql.dump(beside_a_shop, tmp_path) == {"subscribers_id_seq": 1}
    beside_a_shop.dispose()


def test_a_restore_sets_our_sequences_alone(beside_a_shop: Engine, tmp_path: Path) -> None:
    """Not even where an older backup names them: ids that another program has given since are not given twice."""
    postgresql.dump(beside_a_shop, tmp_path)
    with writing(beside_a_shop) as connection:
        assert connection.scalar(NEXT) == 2
    told = {"subscribers_id_seq": 7, "shop_orders_id_seq": 1, "gone_since": 5}
    tables = sorted((tmp_path / "tables").glob("*"))
    postgresql.restore(tables, newest_revision(), told, beside_a_shop)
    with writing(beside_a_shop) as connection:
        assert connection.scalar(NEXT) == 3
        assert connection.scalar(text("SELECT last_value FROM subscribers_id_seq")) == 7
    beside_a_shop.dispose()


@pytest.fixture
def file(migrated_sqlite: Path, tmp_path: Path) -> Path:
    """A database of its own on SQLite."""
    sqlite.copy(open_engine(f"sqlite:///{migrated_sqlite}"), tmp_path / "mailer.db")
    return tmp_path / "mailer.db"


def test_a_database_that_somebody_has_open_is_not_replaced(file: Path, tmp_path: Path) -> None:
    """Nor one that a daemon merely holds open between two writes: what it wrote next would be lost."""
    daemon = open_engine(f"sqlite:///{file}")
    with reading(daemon) as connection:
        connection.execute(text("SELECT 1 FROM subscribers"))
    sqlite.copy(daemon, tmp_path / "copy.db")
    before = file.stat().st_ino
    with pytest.raises(TryLater, match="in use"):
        sqlite.restore(tmp_path / "copy.db", open_engine(f"sqlite:///{file}"))
    assert file.stat().st_ino == before
    daemon.dispose()
    sqlite.restore(tmp_path / "copy.db", open_engine(f"sqlite:///{file}"))
    assert file.stat().st_ino != before


def test_a_restore_onto_another_file_system(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database may live elsewhere than the backup is unpacked; nothing is left beside it."""
    (unpacked := tmp_path / "unpacked").mkdir()
    (elsewhere := tmp_path / "elsewhere").mkdir()
    sqlite.copy(open_engine(f"sqlite:///{file}"), unpacked / "mailer.db")
    rename = os.replace

    def within(source: Path, target: Path) -> None:
        if Path(target).parent not in Path(source).parents:
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        rename(source, target)

    monkeypatch.setattr(os, "replace", within)
    sqlite.restore(unpacked / "mailer.db", open_engine(f"sqlite:///{elsewhere / 'mailer.db'}"))
    assert [path.name for path in elsewhere.iterdir()] == ["mailer.db"]
    assert stat.S_IMODE((elsewhere / "mailer.db").stat().st_mode) == 0o600
