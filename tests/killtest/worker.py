"""A worker of the kill-test: one place with an address or at least a process of its own, and what happens to it."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    from tests.killtest.namespaces import Namespaces, Processes
    from tests.killtest.stage import Newsletter

_ESTABLISHED = "01"  # in /proc/net/tcp; what is not, carries no message


class Worker:
    """One place, and the process that sends from it."""

    def __init__(
        self,
        number: int,
        newsletter: Newsletter,
        folder: Path,
        net: Namespaces | Processes,
        database: str,
        parts: str = "delivery",
    ) -> None:
        self.number = number
        self.folder = newsletter.place(folder)
        self._newsletter, self._net, self._database, self._parts = newsletter, net, database, parts
        self._port = f":{int(newsletter.relay.partition('?')[0].rpartition(':')[2]):04X}"
        self.process: subprocess.Popen[str] | None = None
        self.until = 0.0  # when it is started again, or its cut may end, or it must have come back
        self.cut_off = False
        self.taken_over = False  # its cut lasts until the others have its work, and then it has to begin anew
        self.returning = False

    @property
    def pid(self) -> int:
        """The id of its process; 0 while there is none."""
        return self.process.pid if self.process is not None else 0

    @property
    def awake(self) -> bool:
        """Whether it runs and nothing else is done to it."""
        return self.process is not None and not self.cut_off and not self.returning

    def start(self) -> None:
        """Start it."""
        words = self._net.inside(str(self.number))
        self.process = self._newsletter.start(
            "run", "--only", self._parts, folder=self.folder, inside=words, database=self._database
        )

    def connections(self) -> int:
        """Count the connections to the relay that it has open."""
        links = set()
        lines: list[list[str]] = []
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            # In the table of its own namespace; beside it other processes may have connections.
            lines = [line.split() for line in Path(f"/proc/{self.pid}/net/tcp").read_text().splitlines()[1:]]
            for file in Path(f"/proc/{self.pid}/fd").iterdir():
                with contextlib.suppress(FileNotFoundError):
                    links.add(os.readlink(file))  # noqa: PTH115 - a socket's link is no path
        return sum(
            one[2].endswith(self._port) and one[3] == _ESTABLISHED and f"socket:[{one[9]}]" in links
            for one in lines
        )

    def kill(self, pause: float) -> int:
        """Kill it, and give the connections that it had open; it is started again after the pause."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # so that it opens none between the count and its end
        count = self.connections()
        self.end(signal.SIGKILL)
        self.until = time.monotonic() + pause
        return count

    def cut(self, seconds: float, *, taken_over: bool) -> int:
        """Cut it off from all others, for so long at least, and give the connections that it had open."""
        self._net.cut(self.number, self.pid)
        self.cut_off, self.taken_over, self.until = True, taken_over, time.monotonic() + seconds
        return self.connections()

    def heal(self) -> None:
        """Let it reach the others again."""
        self._net.heal(self.number, self.pid)
        self.cut_off, self.returning = False, self.taken_over

    def fell(self) -> bool:
        """Say whether it has ended by itself: it is started again in a moment, as a service manager would."""
        if self.process is None or self.process.poll() is None:
            return False
        self.end(0)
        self.until = time.monotonic() + 1
        return True

    def end(self, number: int) -> int:
        """End it, collect what is left of it, and give its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        self.returning = False
        return code
