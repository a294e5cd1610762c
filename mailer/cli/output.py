"""What a command says: data to stdout, the rest to stderr, in words or, with --json, for a program.

A command says everything twice without asking how it was called: `say` speaks to people and is silent with
--json, `emit` speaks to programs and is silent without. Text from outside cannot steer the terminal:
control characters are shown, not sent. NO_COLOR is honoured.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import asdict, is_dataclass
from datetime import date
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any, Final
from uuid import UUID

from mailer.errors import PersonNeeded, Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

json_wanted: ContextVar[bool] = ContextVar("json_wanted", default=False)

_CONTROL: Final = {
    code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}
_STYLES: Final = {"error": "31", "warning": "33", "good": "32", "strong": "1", "faint": "2"}


def wants_json() -> bool:
    """Tell whether the command was called with --json."""
    return json_wanted.get()


def emit(thing: object) -> None:
    """Write one object as one line of JSON to stdout; nothing without --json.

    Frozen values become objects, instants ISO 8601, paths and ids text. Where stdout is not UTF-8 the line is
    ASCII: what Python writes for a character that an encoding lacks is no JSON.
    """
    if wants_json():
        encoding = codecs.lookup(getattr(sys.stdout, "encoding", None) or "utf-8").name
        _write(sys.stdout, json.dumps(thing, ensure_ascii=encoding != "utf-8", default=_plain))


def say(text: str = "", *, style: str = "") -> None:
    """Write a line for people to stdout; nothing with --json.

    `style`: error, warning, good, strong, faint.
    """
    if not wants_json():
        _write(sys.stdout, painted(text, style, sys.stdout))


def note(text: str = "", *, style: str = "") -> None:
    """Write a line of progress, a hint or a warning to stderr, with and without --json."""
    with suppress(OSError):  # where nobody can be told, the work goes on
        _write(sys.stderr, painted(text, style, sys.stderr))


def table(rows: Sequence[Sequence[object]], head: Sequence[str] = ()) -> None:
    """Say rows in columns as wide as what stands in them; numbers stand to the right."""
    from wcwidth import wcswidth  # noqa: PLC0415 - its tables cost 20 ms

    cells = [
        [visible(str(cell)).replace("\n", " ") for cell in row] for row in ([head] if head else []) + [*rows]
    ]
    widths = [max(max(wcswidth(cell), 0) for cell in column) for column in zip(*cells, strict=True)]
    for row, given in zip(cells, ([head] if head else []) + [*rows], strict=True):
        padded = []
        for cell, value, width in zip(row, given, widths, strict=True):
            gap = " " * (width - max(wcswidth(cell), 0))
            padded.append(gap + cell if isinstance(value, int) else cell + gap)
        say("  ".join(padded).rstrip())


def confirm(question: str, *, yes: bool, typed: str | None = None) -> None:
    """Let a person decide; return if the answer is yes, raise PersonNeeded (exit 3) if not.

    `yes` is the command's --yes. `typed` is what must be typed to agree (72); without it y or yes. Without a
    terminal nobody can answer, and nothing is done.
    """
    if yes:
        return
    if not (sys.stdin and sys.stdin.isatty()):
        raise PersonNeeded(Problem(f"there is no terminal to ask on, and --yes answers: {question.strip()}"))
    sys.stderr.write(visible(f"{question.rstrip()} " + ("" if typed else "[y/N] ")))
    sys.stderr.flush()
    answer = sys.stdin.readline().strip()
    if answer != typed if typed is not None else answer.lower() not in {"y", "yes"}:
        raise PersonNeeded("Stopped: nothing was done.")


def visible(text: str) -> str:
    r"""Give the text with control characters shown as \x1b, so that it cannot steer a terminal."""
    return text.translate(_CONTROL)


def painted(text: str, style: str, stream: IO[str]) -> str:
    """Give the visible text, in colour where the stream is a terminal that wants it."""
    plain = visible(text)
    if style and stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb":
        return f"\x1b[{_STYLES[style]}m{plain}\x1b[0m"
    return plain


def report(error: str, problems: Sequence[Problem]) -> None:
    """Tell what went wrong: on stderr for people, as {error, problems} on stdout with --json."""
    told = wants_json()
    try:
        emit({"error": error, "problems": [asdict(problem) for problem in problems]})
    except OSError:  # stdout is full, or its reader has gone: stderr has to do
        told = False
    if not told:
        for problem in problems:
            note(str(problem), style="error")


def say_lines(lines: Sequence[str]) -> None:
    """Say several lines."""
    for line in lines:
        say(line)


def _write(stream: IO[str], line: str) -> None:
    try:
        stream.write(f"{line}\n")
        stream.flush()
    except OSError as error:
        raise OSError(error.errno, error.strerror, "stdout") from None


def _plain(thing: object) -> Any:
    """Give what JSON can hold of a value of ours."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return asdict(thing)
    if isinstance(thing, date):
        return thing.isoformat()
    if isinstance(thing, (PurePath, UUID)):
        return str(thing)
    if isinstance(thing, (set, frozenset, tuple)):
        return list(thing)
    raise TypeError(f"{type(thing).__name__} has no JSON form")


def need(value: str | None, name: str) -> str:
    """Give a value that the command cannot do without, or raise UserError naming it."""
    if not value:
        raise UserError(Problem(f"{name} is missing; --help shows how to name it", key=name))
    return value
