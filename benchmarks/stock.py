"""A ledger in stock: a database of either kind with readers and one mailing, for what is measured in process."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from benchmarks import newsroom
from benchmarks.process import CHECKOUT, server_cpu

sys.path.insert(0, str(CHECKOUT))  # the kill-test's PostgreSQL

from mailer.database import open_engine, reading, upgrade, writing
from mailer.delivery import mailing
from mailer.delivery.dispatch import now_utc
from mailer.edition import Masthead
from mailer.edition.guard import Compiler
from subscribers import audience, ensure_lists
from tests.killtest.postgres import Postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Engine

    from mailer.edition import Edition

# As newsroom.py has it, in words that both databases know. The hash only has to be there: nobody is suppressed.
_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n) "
_THEN = "'2026-01-01 00:00:00.000000Z'"
_PEOPLE = (
    f"""INSERT INTO subscribers (id, name, attributes, created_at, updated_at)
    {_NUMBERS} SELECT i, 'Reader Number' || i, '{{}}', {_THEN}, {_THEN} FROM n""",
    f"""INSERT INTO addresses (id, subscriber_id, email, normalized, domain, hash, changed_at)
    {_NUMBERS} SELECT i, i, 'reader' || i || '@d' || (i % 5000) || '.example.net',
    'reader' || i || '@d' || (i % 5000) || '.example.net', 'd' || (i % 5000) || '.example.net',
    {{hash}}, {_THEN} FROM n""",
    f"""INSERT INTO subscriptions (list_id, subscriber_id, state, joined_at, changed_at)
    {_NUMBERS} SELECT :list, i, 'active', {_THEN}, {_THEN} FROM n""",
)
_HASH = {"sqlite": "randomblob(16)", "postgresql": "decode(md5(CAST(i AS text)), 'hex')"}


@dataclass(frozen=True)
class Stock:
    """A database with a mailing that is still to be planned."""

    engine: Engine
    readers: int
    list_id: int
    mailing_id: int

    def server(self) -> float:
        """Give the seconds of CPU that the database's server has used; SQLite has none."""
        if self.engine.dialect.name == "sqlite":
            return 0.0
        with reading(self.engine) as connection:
            return server_cpu(int(connection.scalar(text("SELECT pg_backend_pid()")) or 0))

    def log(self) -> int:
        """Give how far PostgreSQL's log has been written, in octets."""
        if self.engine.dialect.name == "sqlite":
            return 0
        with reading(self.engine) as connection:
            return int(
                connection.scalar(text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")) or 0
            )


def edition() -> Edition:
    """Compile the issue that the other benchmarks send: 40 KB on the wire."""
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder, Compiler() as compiler:
        file = Path(folder, "072-long.md")
        file.write_text(newsroom.source())
        return compiler.compile(file, Masthead(public_url="https://news.example.org"))


@contextmanager
def stocked(kind: str, readers: int, of: Edition) -> Iterator[Stock]:
    """Give a ledger on SQLite or PostgreSQL (of the wheel, as it comes: it waits for its disk)."""
    if kind == "sqlite":
        with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder:
            yield from _filled(f"sqlite:///{folder}/mailer.db", readers, of)
    else:
        with closing(Postgres()) as server:
            yield from _filled(server.url, readers, of)


def _filled(url: str, readers: int, of: Edition) -> Iterator[Stock]:
    engine = open_engine(url)
    try:
        upgrade(engine)
        now = now_utc()
        with writing(engine) as connection:
            list_id = ensure_lists(connection, ["main"], now)["main"]
            _people(connection, readers, list_id)
            opened = mailing.open_mailing(connection, of, "main", now)
            mailing.freeze(connection, opened.id, of, None, now, committed=False)
            mailing.extend(connection, opened.id, audience(list_id, now), list_id=list_id, now=now)
        analyse(engine)
        yield Stock(engine, readers, list_id, opened.id)
    finally:
        engine.dispose()


def _people(connection: Connection, readers: int, list_id: int) -> None:
    for words in _PEOPLE:
        statement = text(words.replace("{hash}", _HASH[connection.dialect.name]))
        values = {"n": readers, "list": list_id}
        connection.execute(statement, {name: values[name] for name in statement.compile().params})


def analyse(engine: Engine) -> None:
    """Let the database know what it holds, as it would after some days."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))
