"""Programs that are measured, and servers that run beside them. CPU is user and system time of a process and of
all children it waited for, as the kernel gives it at the end; the peak is of the process itself (VmHWM)."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

CHECKOUT = Path(__file__).resolve().parent.parent
MAILER = (sys.executable, "-m", "mailer")
_TICK = os.sysconf("SC_CLK_TCK")


class MissingError(Exception):
    """A rival that this machine does not have."""


@dataclass(frozen=True)
class Ran:
    """One program that ended. `began` is the wall clock's second of its start."""

    began: float
    seconds: float
    cpu: float
    peak_mb: float
    output: str
    code: int


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Give our environment without anybody's settings, and with compiled modules kept, as an installation has them."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    clean.pop("PYTHONDONTWRITEBYTECODE", None)
    return clean | {"PYTHONPATH": str(CHECKOUT)} | dict(extra or {})


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    watch: Callable[[subprocess.Popen], None] | None = None,
    codes: Sequence[int] = (0,),
) -> Ran:
    """Run a program to its end; `watch` is called every 50 ms. Raises RuntimeError for a code not in `codes`."""
    with tempfile.TemporaryFile() as output:
        began, start = time.time(), time.perf_counter()
        child = subprocess.Popen(command, cwd=cwd, env=environment(env), stdout=output, stderr=output)
        peak, left = 0.0, 0
        while not left:
            peak = max(peak, _peak(child.pid))
            if watch is not None:
                watch(child)
            time.sleep(0.05 if watch is not None else 0.02)
            left, status, usage = os.wait4(child.pid, os.WNOHANG)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace")
    if child.returncode not in codes:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}:\n{text}")
    return Ran(began, seconds, usage.ru_utime + usage.ru_stime, peak, text, child.returncode)


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in status.splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) / 1024


def server_cpu(backend: int) -> float:
    """Give the seconds of CPU of a PostgreSQL server, of which one process is named; those that ended count."""
    postmaster = int(_stat(Path(f"/proc/{backend}/stat"))[1])
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = _stat(stat)
        except OSError:
            continue
        if int(fields[1]) == postmaster:
            total += int(fields[11]) + int(fields[12])
        if int(stat.parent.name) == postmaster:
            total += sum(map(int, fields[11:15]))
    return total / _TICK


def _stat(path: Path) -> list[str]:
    return path.read_text().rpartition(")")[2].split()


def program(name: str) -> str:
    """Give the path of a program of Postfix or of the system; raises MissingError."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/lib/postfix/sbin")
    if found is None:
        raise MissingError(f"{name} is not installed")
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def sink(*words: str) -> Iterator[int]:
    """Run Postfix's smtp-sink and give its port."""
    port = free_port()
    user = ("-u", "postfix") if os.geteuid() == 0 else ()
    command = (program("smtp-sink"), *user, *words, f"127.0.0.1:{port}", "1000")
    with serving(command, port):
        yield port


@contextmanager
def loopback(*words: str) -> Iterator[tuple[int, str]]:
    """Run the project's own server and give its port and what it said at the start."""
    port = free_port()
    command = (sys.executable, "-m", "tests.loopback", "--port", str(port), *words)
    with serving(command, port) as said:
        yield port, said


@contextmanager
def serving(command: Sequence[str], port: int) -> Iterator[str]:
    """Run a server for as long as the block lasts; give what it printed by the time that its port was open."""
    with tempfile.NamedTemporaryFile() as output:
        server = subprocess.Popen(command, cwd=CHECKOUT, env=environment(), stdout=output, stderr=output)
        try:
            _until_open(server, port)
            yield Path(output.name).read_text()
        finally:
            server.terminate()
            server.wait()


def _until_open(server: subprocess.Popen, port: int) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                time.sleep(0.05)  # what it prints once it listens
                return
        time.sleep(0.05)
    raise RuntimeError("a server did not start")
