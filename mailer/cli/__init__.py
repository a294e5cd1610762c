"""The command line: words in, one call, words or JSON out. No rule lives here.

`main` is the only way in. It ends with the documented exit code, prints no traceback (MAILER_DEBUG=1 shows
it), and loads a command's module only when that command is called, so that `mailer --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["main"]

_STREAMS: Final = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and leave the process with its exit code."""
    _open_streams()
    code = run(sys.argv[1:] if arguments is None else arguments)
    _hush()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; the working folder is the same afterwards."""
    from mailer.cli.frame import call  # noqa: PLC0415 - Typer is loaded by a call, not by an import

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            # A lone surrogate in somebody's file name must not end the report about it.
            reconfigure(errors="backslashreplace")
    with _same_folder():
        return call(arguments, debug=os.environ.get("MAILER_DEBUG") == "1")


def _open_streams() -> None:
    """Let a stream that the caller closed lead nowhere: no file of ours is opened in its place."""
    for name, mode in _STREAMS:
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115, PTH123 - it stays open, as they do


def _hush() -> None:
    """Drop what a broken pipe or a full disk did not take: Python would complain of it while it ends."""
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is None:
            continue
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def _same_folder() -> Iterator[None]:
    """Come back at the end; a folder that may not be opened is nowhere to come back to."""
    try:
        before = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            os.fchdir(before)
        os.close(before)
