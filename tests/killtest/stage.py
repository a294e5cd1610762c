"""The stage of the kill-test: a newsletter in a folder, a server in a process, and `mailer` as people start it."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).resolve().parent.parent.parent
ISSUE = """---
title: "Letter {number}"
date: 2026-07-14
---
Good morning,

this is letter {number}. It is as short as a letter can be, since here only its arrival counts.

- [Read on](https://example.org/{number})
"""


def environment(**more: str) -> dict[str, str]:
    """Give our environment without anybody's settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    return {**clean, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **more}


def mates(pid: int) -> set[int]:
    """Give the processes that a command has started to send beside it, by whichever of its threads."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread that has just ended
            found |= set(map(int, task.read_text().split()))
    return {one for one in found if _is_mate(one)}


def _is_mate(pid: int) -> bool:
    with suppress(OSError):
        return b"mailer.run.mate" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def alive(pid: int) -> bool:
    """Say whether a process lives; one that has ended and that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Server:
    """The loopback server as a process; `record` is the file where each message stands before its 250.

    `inside` is what stands before a command that is to run elsewhere: in a network namespace.
    """

    def __init__(
        self,
        record: Path,
        port: int = 0,
        script: str = "{}",
        host: str = "127.0.0.1",
        inside: Sequence[str] = (),
    ) -> None:
        self.record = record
        words = ["-m", "tests.loopback", "--host", host, "--port", str(port), "--script", script]
        words += ["--record", str(record)]
        self.process = subprocess.Popen(
            [*inside, sys.executable, *words], cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True
        )
        self.port = int(self._line().rpartition(":")[2])
        self._read = 0
        self.count = 0

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def open_connections(self) -> int:
        """Ask the server how many connections are open now."""
        self.process.send_signal(signal.SIGUSR1)
        return int(self._line().partition(" ")[2])

    def accepted(self) -> int:
        """Count the messages that it has recorded until now."""
        with self.record.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        self._read += len(new)
        self.count += new.count(b"\n")
        return self.count

    def taken(self) -> Counter[str]:
        """Give how often each Message-ID was taken."""
        with self.record.open() as file:
            return Counter(json.loads(line)["message_id"].strip("<>") for line in file)

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.close()

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


class Newsletter:
    """A newsletter with so many readers, and the relay it sends through; on SQLite unless `database` says otherwise.

    On SQLite it is the copy of one that was made before, in this process, unless it is to be `new`.
    """

    def __init__(
        self, folder: Path, readers: int, database: str = "", domains: int = 40, *, new: bool = False
    ) -> None:
        self.folder = folder / "newsletter"
        self.database = database
        self.readers = readers
        self.domains = domains
        self.relay = ""
        self.said = folder / "said.txt"
        if new or database:
            self.must("init", str(self.folder), "--yes", folder=folder)
            self.join("reader", readers)
        else:
            shutil.copytree(_made(readers, domains), self.folder)

    def join(self, name: str, count: int) -> None:
        """Import readers: name0, name1 and so on."""
        file = self.folder / f"{name}.csv"
        lines = ["email,name", *(f"{name}{n}@d{n % self.domains}.example,Reader {n}" for n in range(count))]
        file.write_text("\n".join(lines))
        self.must("subscribers", "import", str(file), "--list", "main", "--basis", "they asked", "--yes")

    def write(self, number: int) -> None:
        """Write an issue."""
        (self.folder / "issues").mkdir(exist_ok=True)
        (self.folder / "issues" / f"2026-07-14-{number}.md").write_text(ISSUE.format(number=number))

    def place(self, folder: Path) -> Path:
        """Set up another machine: what git brings, and the secret; no journal, no witness, no lock."""
        (folder / ".mailer").mkdir(parents=True, mode=0o700)
        shutil.copy(self.folder / "mailer.toml", folder)
        shutil.copy(self.folder / ".mailer" / "secret.key", folder / ".mailer")
        if (self.folder / ".mailer" / "dkim").exists():
            shutil.copytree(self.folder / ".mailer" / "dkim", folder / ".mailer" / "dkim")
        return folder

    def begin(self, number: int, server: Server, inside: Sequence[str] = ()) -> None:
        """Begin an issue with `mailer send`, and leave the rest of it to the workers."""
        self.write(number)
        before = server.accepted()
        sending = self.start("send", "--issue", str(number), "--yes", inside=inside)
        while sending.poll() is None and server.accepted() < before + 10:
            time.sleep(0.05)
        sending.send_signal(signal.SIGINT)
        sending.communicate(timeout=120)

    def start(
        self, *words: str, folder: Path | None = None, inside: Sequence[str] = (), database: str = ""
    ) -> subprocess.Popen[str]:
        """Start a command as a process of its own; stdout is a pipe, stderr goes to a file.

        `inside` as above; `database` is the way to the same database from there.
        """
        with self.said.open("a") as said:
            return subprocess.Popen(
                [*inside, sys.executable, "-m", "mailer", *words],
                cwd=folder or self.folder,
                env=environment(**self._words(database or self.database)),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
            )

    def _words(self, database: str) -> dict[str, str]:
        words = {"MAILER_RELAY": self.relay, "MAILER_DATABASE": database}
        return {name: word for name, word in words.items() if word}

    def run(self, *words: str, folder: Path | None = None, timeout: float = 120) -> tuple[int, str]:
        """Run a command to its end; give exit code and stdout."""
        process = self.start(*words, folder=folder)
        out, _ = process.communicate(timeout=timeout)
        return process.returncode, out

    def must(self, *words: str, folder: Path | None = None) -> str:
        """Run a command that has to end well."""
        code, out = self.run(*words, folder=folder)
        if code:
            raise RuntimeError(f"mailer {' '.join(words)} ended with {code}: {out}{self.said.read_text()}")
        return out

    def rows(self, issue: str) -> list[dict[str, Any]]:
        """Give what the ledger says of each reader of an issue."""
        return [json.loads(line) for line in self.must("audit", issue, "--recipients", "--json").splitlines()]


@cache
def _made(readers: int, domains: int) -> Path:
    """Make a newsletter on SQLite that is only copied; it goes with this process."""
    folder = Path(tempfile.mkdtemp(prefix="mailer-stage-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Newsletter(folder, readers, domains=domains, new=True).folder
