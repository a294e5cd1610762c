"""The compile step in a child process: no input can crash, hang or bloat the process that sends.

MRML can end a process without an exception, and regular expressions, parsers and templates meet whatever people
paste. So the child has a gigabyte and a few seconds, then it is killed. This module loads none of the libraries that
compile, and gives the child nothing of the environment that it does not need: no secret of ours is in it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import mailer
from mailer.edition.model import Edition
from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from types import TracebackType

    from mailer.edition.model import Masthead

SECONDS = 5.0
_STARTING = 60.0  # a child that only imports has done nothing wrong on a busy machine
_LARGEST_ANSWER = 64 << 20
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "TZDIR", "SYSTEMROOT", "VIRTUAL_ENV")


def compile_guarded(
    path: Path, masthead: Masthead, *, subject: str | None = None, seconds: float = SECONDS
) -> Edition:
    """Give the edition of the issue at `path`, compiled by a child process of its own.

    Raises UserError where the issue is wrong, cannot be read, crashes the child, or takes longer than `seconds`
    (the child's start does not count).
    """
    with Compiler(seconds=seconds) as compiler:
        return compiler.compile(path, masthead, subject=subject)


class Compiler:
    """A child that stays, for previews and benches: the second issue compiles in milliseconds.

    A context manager. A child that died or was killed is replaced at the next call.
    """

    def __init__(self, *, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._child: subprocess.Popen[bytes] | None = None
        self._received = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def compile(self, path: Path, masthead: Masthead, *, subject: str | None = None) -> Edition:
        """Give the edition of the issue at `path`; raises UserError as `compile_guarded` does."""
        _refuse(path)
        request = {"path": str(path), "masthead": _plain(masthead), "subject": subject}
        line = json.dumps(request).encode() + b"\n"
        answer = self._ask(line, path)
        if "problems" in answer:
            raise UserError(*(Problem(*problem) for problem in answer["problems"]))
        if "edition" not in answer:
            raise UserError(Problem(f"the issue {answer.get('failure', 'cannot be compiled')}", str(path)))
        return Edition.from_json(answer["edition"])

    def close(self) -> None:
        """End the child."""
        child, self._child, self._received = self._child, None, b""
        if child is not None:
            child.kill()
            child.communicate()

    def _ask(self, line: bytes, path: Path) -> dict[str, Any]:
        child = self._started(path)
        try:
            requests, _ = _pipes(child)
            requests.write(line)
            requests.flush()
            raw = self._line(child, time.monotonic() + self._seconds)
        except BrokenPipeError:
            raw = b""
        if raw is None:
            self.close()
            return {"failure": f"takes longer than {self._seconds:g} s to compile"}
        if not raw:
            code = child.wait()
            self.close()
            return {"failure": f"ended the compile step: {_death(code)}"}
        answer: dict[str, Any] = json.loads(raw)
        return answer

    def _started(self, path: Path) -> subprocess.Popen[bytes]:
        if self._child is not None and self._child.poll() is None:
            return self._child
        self.close()
        self._child = subprocess.Popen(
            [sys.executable, "-P", "-m", "mailer.edition.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        if not self._line(self._child, time.monotonic() + _STARTING):
            self.close()
            raise UserError(
                Problem("the compile step does not start; is mailer installed completely?", str(path))
            )
        return self._child

    def _line(self, child: subprocess.Popen[bytes], deadline: float) -> bytes | None:
        """Give the child's next line; b"" where it died, None where the time is over."""
        _, answers = _pipes(child)
        pieces = [self._received]
        while b"\n" not in pieces[-1]:
            left = deadline - time.monotonic()
            if left <= 0 or sum(map(len, pieces)) > _LARGEST_ANSWER:
                return None
            if not select.select([answers], [], [], left)[0]:
                return None
            piece = os.read(answers.fileno(), 1 << 16)
            if not piece:
                return b""
            pieces.append(piece)
        line, _, self._received = b"".join(pieces).partition(b"\n")
        return line


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    if child.stdin is None or child.stdout is None:
        raise ValueError("the child was started without pipes")
    return child.stdin, child.stdout


def _refuse(path: Path) -> None:
    if path.is_dir():
        raise UserError(Problem("is a folder; name the issue's file", str(path)))
    if not path.is_file():
        raise UserError(
            Problem("there is no such file" if not path.exists() else "is no plain file", str(path))
        )
    if not os.access(path, os.R_OK):
        raise UserError(Problem("may not be read", str(path)))


def _plain(masthead: Masthead) -> dict[str, Any]:
    values = {field.name: getattr(masthead, field.name) for field in fields(masthead)}
    values["theme"] = dict(masthead.theme)
    return {name: str(value) if isinstance(value, Path) else value for name, value in values.items()}


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, "PYTHONPATH": str(Path(mailer.__file__).resolve().parent.parent), "PYTHONUTF8": "1"}


def _death(code: int) -> str:
    return f"it was killed by signal {-code}" if code < 0 else f"it left with code {code}"
