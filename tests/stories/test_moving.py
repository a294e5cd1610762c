"""From SQLite to PostgreSQL in the middle of a mailing: `mailer db copy`, one changed line, `mailer resume`."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.killtest.stage import Newsletter, Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

READERS = 400
pytestmark = pytest.mark.slow


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that takes its time."""
    made = Server(tmp_path / "accepted.jsonl", script=json.dumps({"delay": 0.05}))
    yield made
    made.close()


@pytest.fixture
def halfway(tmp_path: Path, server: Server) -> Newsletter:
    """A newsletter whose issue 72 was paused halfway."""
    made = Newsletter(tmp_path, READERS)
    made.write(72)
    made.relay = f"smtp://127.0.0.1:{server.port}?connections=3"
    sending = made.start("send", "72", "--yes")
    while server.accepted() < 50:
        assert sending.poll() is None
    made.must("pause", "72")
    sending.communicate(timeout=60)
    assert 50 <= server.accepted() < READERS
    return made


def name_database(newsletter: Newsletter, url: str) -> None:
    """Write the one line into mailer.toml."""
    file = newsletter.folder / "mailer.toml"
    said = file.read_text()
    file.write_text(said.replace("#database = ", f'database = "{url}"\n#database = ', 1))


def test_a_paused_mailing_goes_on_in_the_other_database(
    halfway: Newsletter, server: Server, postgres_url: str
) -> None:
    """Nobody gets it twice and nobody is lost: every reader's copy was taken once when all is done."""
    before = server.accepted()
    told = json.loads(halfway.must("db", "copy", postgres_url, "--json"))
    assert told["tables"]["subscribers"] == told["tables"]["deliveries"] == READERS
    name_database(halfway, postgres_url)
    assert json.loads(halfway.must("db", "check", "--json"))["sound"]
    halfway.must("resume", "72", "--yes")
    halfway.run("send", "72", "--yes")
    assert Counter(row["state"] for row in halfway.rows("72")) == {"accepted": READERS}
    assert server.accepted() > before
    assert sorted(server.taken().values()) == [1] * READERS


def test_ids_go_on_where_they_stood(halfway: Newsletter, postgres_url: str) -> None:
    """Whoever joins after the copy gets an id that nobody ever had, in SQLite or here."""
    with closing(sqlite3.connect(halfway.folder / ".mailer" / "mailer.db")) as database:
        database.execute("UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'subscribers'")
        database.commit()
    halfway.must("db", "copy", postgres_url)
    name_database(halfway, postgres_url)
    halfway.must("subscribers", "add", "new@d.example", "--list", "main", "--basis", "asked")
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT max(id) FROM subscribers")) == 5001
    engine.dispose()


def test_a_target_that_holds_something_is_left_alone(halfway: Newsletter, postgres_url: str) -> None:
    """Copying twice is refused with what to do, and the first copy stands."""
    halfway.must("db", "copy", postgres_url)
    code, _ = halfway.run("db", "copy", postgres_url)
    assert code == 2
    assert "the target is not empty" in halfway.said.read_text()


def test_a_row_that_comes_out_otherwise_undoes_all(
    halfway: Newsletter, postgres_url: str, monkeypatch: pytest.MonkeyPatch, cli
) -> None:
    """What cannot be proven equal is not kept: the target stays empty and the error names the table."""
    from mailer.backup import copy

    whole = copy._new_rows
    lossy = lambda new, shape: islice(whole(new, shape), shape.name == "addresses", None)  # noqa: E731 - one line
    monkeypatch.setattr(copy, "_new_rows", lossy)
    ended = cli("db", "copy", postgres_url, folder=halfway.folder)
    assert ended.code == 2
    assert "table addresses: row 1 came out otherwise" in ended.err
    engine = create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    assert inspect(engine).get_table_names() == []
    engine.dispose()
