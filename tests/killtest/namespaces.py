"""Machines of our own: network namespaces at one bridge, the hub with the servers and each worker with an address.

Promises: nothing in the machine's own network is changed; two runs beside each other share nothing, for the bridge is
in the hub's namespace; all is removed at the end, with whatever still runs inside. What a killed run left behind is
known by its name, which tells the process that made it, and is removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HUB: Final = "10.77.0.1"
NETWORK: Final = "10.77.0.0/24"
_PREFIX: Final = "mailer-killtest"
_NAME = re.compile(rf"({_PREFIX}-(\d+)-(\d+))-\w+")
_DROPPING, _FORWARDING = "0", "3"  # states of a bridge's port (linux/if_bridge.h)


class Unavailable(Exception):  # noqa: N818 - it is what this machine is like
    """Namespaces cannot be had here; its words say why."""


@dataclass(frozen=True)
class Namespaces:
    """The namespaces of one run, by their common name; they exist as long as `network` lasts."""

    name: str

    host = HUB

    @property
    def words(self) -> str:
        """Say in what the workers are."""
        return "in a network namespace of its own, with an address of its own"

    def inside(self, place: str) -> list[str]:
        """Give the words before a command that is to run in a namespace: `hub`, or a worker's number."""
        return [_found() or "ip", "netns", "exec", f"{self.name}-{place}"]

    def cut(self, number: int, _pid: int) -> None:
        """Let no packet through to or from a worker; neither side is told, as when a switch fails."""
        self._port(number, _DROPPING)

    def heal(self, number: int, _pid: int) -> None:
        """Let them through again."""
        self._port(number, _FORWARDING)

    def _port(self, number: int, state: str) -> None:
        _do("-n", f"{self.name}-hub", "link", "set", "dev", f"to{number}", "state", state, program="bridge")


@dataclass(frozen=True)
class Processes:
    """What there is without namespaces: processes on one network, and SIGSTOP in place of a cut."""

    why: str

    host = "127.0.0.1"

    @property
    def words(self) -> str:
        """Say in what the workers are."""
        return f"a process on the network of this machine; no namespaces: {self.why}"

    def inside(self, _place: str) -> list[str]:
        """Give nothing: there is one network."""
        return []

    def cut(self, _number: int, pid: int) -> None:
        """Stop it."""
        os.kill(pid, signal.SIGSTOP)

    def heal(self, _number: int, pid: int) -> None:
        """Let it go on."""
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def network(workers: int) -> Iterator[Namespaces]:
    """Make a hub and so many workers, and remove them. Raises Unavailable."""
    if os.geteuid() != 0:
        raise Unavailable("they need root")
    if not _found():
        raise Unavailable("iproute2 is not installed")
    sweep()
    made = Namespaces(f"{_PREFIX}-{os.getpid()}-{_began(os.getpid())}")
    try:
        try:
            _make(made, workers)
        except subprocess.CalledProcessError as problem:
            raise Unavailable(str(problem.stderr).strip() or str(problem)) from None
        yield made
    finally:
        remove(made.name)


def _make(made: Namespaces, workers: int) -> None:
    hub = f"{made.name}-hub"
    _do("netns", "add", hub)
    _do("-n", hub, "link", "set", "lo", "up")
    _do("-n", hub, "link", "add", "bridge", "type", "bridge", "forward_delay", "0")
    _do("-n", hub, "address", "add", f"{HUB}/24", "dev", "bridge")
    _do("-n", hub, "link", "set", "bridge", "up")
    for number in range(workers):
        one, port = f"{made.name}-{number}", f"to{number}"
        _do("netns", "add", one)
        _do("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", one)
        _do("-n", hub, "link", "set", port, "master", "bridge", "up")
        _do("-n", one, "address", "add", f"10.77.0.{number + 2}/24", "dev", "eth0")
        for link in ("lo", "eth0"):
            _do("-n", one, "link", "set", link, "up")


def sweep() -> None:
    """Remove what runs left behind that are no more."""
    for name, pid, began in {found.groups() for found in map(_NAME.fullmatch, _names()) if found}:
        if _began(int(pid)) != began:
            remove(name)


def remove(name: str) -> None:
    """End what still runs in the namespaces of a run, and remove them."""
    for one in [one for one in _names() if one.startswith(f"{name}-")]:
        # Another run may be removing the same.
        with contextlib.suppress(subprocess.CalledProcessError):
            _end(one)
            _do("netns", "delete", one)


def _end(namespace: str, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while (pids := _do("netns", "pids", namespace).split()) and time.monotonic() < until:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
        time.sleep(0.05)


def _names() -> Sequence[str]:
    folder = Path("/run/netns")
    return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else ()


def _began(pid: int) -> str:
    """Give when a process began, in the kernel's ticks: with it a process id is never used twice."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return words.rpartition(")")[2].split()[19]


def _found(program: str = "ip") -> str | None:
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return shutil.which(program, path=path)


def _do(*words: str, program: str = "ip") -> str:
    command = [_found(program) or program, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
