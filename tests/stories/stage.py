"""A newsletter on a stage: real processes that send to a real server, and what the ledger says afterwards."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from typing import TYPE_CHECKING

from tests.killtest.stage import Newsletter, Server

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path


READERS = 1500


SEND = ("send", "--issue", "72", "--yes", "--json")


class Stage:
    """A newsletter with an issue, and a server that can be killed and come back."""

    def __init__(self, folder: Path, readers: int = READERS) -> None:
        self.folder = folder
        self.newsletter = Newsletter(folder, readers)
        self.newsletter.write(72)
        self.server: Server | None = None
        self.file = self.newsletter.folder / "issues" / "2026-07-14-72.md"

    def serve(self, connections: int = 4, **script: object) -> Server:
        """Start the server, on the port it had before."""
        port = self.server.port if self.server else 0
        self.server = Server(self.folder / "accepted.jsonl", port, json.dumps(script))
        self.newsletter.relay = f"smtp://127.0.0.1:{self.server.port}?connections={connections}"
        return self.server

    def send(self, *more: str) -> tuple[int, dict[str, object]]:
        """Send to the end; give the exit code and what it said."""
        code, out = self.newsletter.run(*SEND, *more)
        return code, json.loads(out.splitlines()[-1])

    def sending(self) -> subprocess.Popen[str]:
        """Start a send, and come back when the server has got some messages of it."""
        assert self.server is not None
        before = self.server.accepted()
        process = self.newsletter.start(*SEND)
        self.until(lambda: self.server is not None and self.server.accepted() >= before + 20)
        return process

    def ended(self, process: subprocess.Popen[str]) -> tuple[int, dict[str, object]]:
        """Wait for the end of a send."""
        out, _ = process.communicate(timeout=120)
        return process.returncode, json.loads(out.splitlines()[-1])

    @staticmethod
    def until(true: Callable[[], bool], seconds: float = 60) -> None:
        """Wait for something; a guard against hanging, no measurement."""
        end = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < end
            time.sleep(0.005)

    def got(self) -> Counter[str]:
        """Give how often each reader's copy was taken, by Message-ID."""
        assert self.server is not None
        return self.server.taken()

    def states(self, issue: str = "72") -> Counter[str]:
        """Give how many readers are in each state, having checked each `accepted` with the server's record."""
        taken = self.got()
        rows = self.newsletter.rows(issue)
        for row in rows:
            copies = taken[row["message_id"].strip("<>")]
            assert copies <= 1 if row["state"] != "accepted" else copies == 1, row
        return Counter(row["state"] for row in rows)

    def database(self) -> sqlite3.Connection:
        """Open the database beside the program."""
        file = self.newsletter.folder / ".mailer" / "mailer.db"
        return sqlite3.connect(file, isolation_level=None, timeout=30)
