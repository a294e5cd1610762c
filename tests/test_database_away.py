"""A database that is locked, silent or gone: a matter of time, told as such, and nobody waits for ever."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from mailer.database import (
    open_engine,
    reading,
    silence,
    writing,
)
from mailer.errors import TryLater


def test_a_database_that_stays_locked_is_a_matter_of_time(migrated_sqlite, tmp_path, monkeypatch):
    """Exit 75: the same command may succeed later."""
    monkeypatch.setattr("mailer.database.engine._WAIT_SECONDS", 0.05)
    file = tmp_path / "x.db"
    file.write_bytes(Path(migrated_sqlite).read_bytes())
    engine = open_engine(f"sqlite:///{file}")
    with writing(engine), pytest.raises(TryLater, match="locked"), writing(engine):
        pass
    engine.dispose()


def test_a_server_that_does_not_answer_is_a_matter_of_time(tmp_path):
    """The message says what is wrong and holds no password."""
    engine = open_engine(f"postgresql://user:hidden@/db?host={tmp_path}")
    with pytest.raises(TryLater) as raised, reading(engine):
        pass
    assert "hidden" not in str(raised.value)


def test_a_process_that_does_nothing_in_a_transaction_holds_nobody_up(postgres_url, monkeypatch):
    """Who stops in the middle of a writing transaction loses it and its locks; who only reads may take its time."""
    monkeypatch.setitem(silence.THEIRS, "idle_in_transaction_session_timeout", "300ms")
    engine = open_engine(postgres_url)
    lock = text("SELECT pg_advisory_xact_lock(1)")

    def stop_in_the_middle() -> None:
        with writing(engine) as stopped:
            stopped.execute(lock)
            with writing(engine) as other:
                other.execute(lock)  # waits until the server has ended the first
            stopped.execute(lock)

    with reading(engine) as patient:
        patient.execute(text("SELECT 1"))
        with pytest.raises(TryLater, match="the database does not answer"):
            stop_in_the_middle()
        patient.execute(text("SELECT 1"))
    with writing(engine) as again:
        again.execute(lock)
    engine.dispose()


@pytest.mark.parametrize("opened", [reading, writing])
def test_a_server_that_goes_away_in_the_middle_is_a_matter_of_time(postgres_url, opened):
    """Whoever reads or writes then hears that the database does not answer, and may try again."""
    engine = open_engine(postgres_url)

    def lose_it() -> None:
        with opened(engine) as connection:
            pid = connection.scalar(text("SELECT pg_backend_pid()"))
            with writing(engine) as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
            connection.execute(text("SELECT 1"))

    with pytest.raises(TryLater, match="the database does not answer"):
        lose_it()
    with opened(engine) as again:
        assert again.scalar(text("SELECT 1")) == 1
    engine.dispose()


def test_a_url_that_says_how_long_silence_may_last_is_obeyed(postgres_url):
    """Each word of the line can be given in `database`; the others stay ours."""
    engine = open_engine(f"{postgres_url}{'&' if '?' in postgres_url else '?'}keepalives_idle=77")
    with reading(engine) as connection:
        driver = connection.connection.dbapi_connection
        assert driver is not None
        given = driver.info.get_parameters()
    engine.dispose()
    assert (given["keepalives_idle"], given["keepalives_count"]) == ("77", "3")
