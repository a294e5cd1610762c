"""The reading half of an import in a process of its own, so that it costs the writing half nothing.

The job goes to the child's stdin (it holds the key of the suppressions, which belongs in no argument), batches
come back on its stdout, each as its length and `marshal`, the quickest form of plain values; both ends are the
same Python. The child ignores Ctrl-C, which is the parent's to handle, and ends with the pipe: a parent that
was killed leaves nobody behind. Short files are read in this process, and so is a long one where no second
process can be had.
"""

from __future__ import annotations

import fcntl
import marshal
import os
import select
import signal
import struct
import subprocess
import sys
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from subscribers.errors import BadFile, SubscribersError
from subscribers.exchange.intake import Candidate
from subscribers.exchange.reading import Batch, Job, batches
from subscribers.exchange.survey import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

MANY = 20_000  # lines from which a second process is worth its start, 0.3 s
_AHEAD = 1 << 20  # octets of a pipe; what Linux lets an ordinary user have
_LENGTH = struct.Struct("<I")
_CHILD = "from subscribers.exchange.apart import serve; serve()"


class Feed(Protocol):
    """Where batches come from."""

    def next(self) -> Batch | None:
        """Give the next batch, None at the end."""

    def ready(self) -> bool:
        """Whether the next batch is there without waiting."""


@contextmanager
def feed(job: Job, lines: int) -> Iterator[Feed]:
    """Give the batches of a file; of a long one from a second process, which is gone at the end."""
    child = _started() if lines >= MANY else None
    if child is None:
        yield _Here(batches(job))
        return
    try:
        yield _Apart(child, job)
    finally:
        child.kill()
        for stream in (child.stdin, child.stdout):
            if stream is not None:
                stream.close()
        child.wait()


def _started() -> subprocess.Popen[bytes] | None:
    if not sys.executable:
        return None
    room = str(Path(__file__).resolve().parents[2])
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([room, *filter(None, sys.path)])}
    try:
        return subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
    except OSError:
        return None


@dataclass
class _Here:
    """Batches that are made as they are asked for."""

    batches: Iterator[Batch]

    def next(self) -> Batch | None:
        return next(self.batches, None)

    def ready(self) -> bool:
        return True


class _Apart:
    """Batches from the second process."""

    def __init__(self, child: subprocess.Popen[bytes], job: Job) -> None:
        self._child = child
        self._stdout = _pipe(child.stdout)
        self._ended = False
        _widen(self._stdout)
        parts = [(part.name, part.member, part.encoding) for part in job.parts]
        told = (job.path, parts, job.hash_key, dict(job.mapping), job.skip, job.size)
        try:
            _send(_pipe(child.stdin), told)
        except BrokenPipeError:
            raise self._died() from None

    def next(self) -> Batch | None:
        told: Any = () if self._ended else _receive(self._stdout)
        if told is None:
            raise self._died()
        if told == ():
            self._ended = True
            return None
        if told[0] == "bad file":
            raise BadFile(*told[1:])
        records, fit, unfit = told
        return Batch(records, list(map(Candidate._make, fit)), unfit)

    def ready(self) -> bool:
        return bool(select.select([self._stdout], [], [], 0)[0])

    def _died(self) -> SubscribersError:
        code = self._child.wait()
        return SubscribersError(
            f"the process that reads the file ended with {code}; the same command goes on"
        )


def _widen(stream: IO[bytes]) -> None:
    """Let the child work ahead by a dozen batches, while this process waits for its disk."""
    # Elsewhere than on Linux, or beyond what an ordinary user may have, it stays 64 KB.
    with suppress(AttributeError, OSError):
        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, _AHEAD)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the child was started with pipes")
    return stream


def _send(stream: IO[bytes], told: Any) -> None:
    octets = marshal.dumps(told)
    stream.write(_LENGTH.pack(len(octets)) + octets)
    stream.flush()


def _receive(stream: IO[bytes]) -> Any:
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    octets = stream.read(_LENGTH.unpack(head)[0])
    # From our own child alone: nobody else writes into that pipe.
    return marshal.loads(octets)  # noqa: S302


def serve() -> None:
    """Be the second process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what anybody prints must not get among the batches
    told = _receive(sys.stdin.buffer)
    if told is None:
        return
    path, parts, hash_key, mapping, skip, size = told
    job = Job(path, tuple(Part(*part) for part in parts), hash_key, mapping, skip, size)
    try:
        for batch in batches(job):
            # As bare tuples: marshal knows no others.
            _send(out, (batch.records, list(map(tuple, batch.fit)), batch.unfit))
        _send(out, ())
    except BadFile as error:
        _send(out, ("bad file", str(error), error.line))
    except BrokenPipeError:
        os._exit(0)
