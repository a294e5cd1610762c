"""The command line: words in, one call, words or JSON out. No rule lives here.

`main` is the only way in. It ends with the documented exit code, prints no traceback (MAILER_DEBUG=1 shows
it), and loads a command's module only when that command is called, so that `mailer --help` answers at once.
"""

from __future__ import annotations

import os
import sys
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and leave the process with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run one command line and give its exit code; the working folder is the same afterwards."""
    from mailer.cli.frame import call  # noqa: PLC0415 - Typer is loaded by a call, not by an import

    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            # A lone surrogate in somebody's file name must not end the report about it.
            reconfigure(errors="backslashreplace")
    with chdir(Path.cwd()):
        return call(arguments, debug=os.environ.get("MAILER_DEBUG") == "1")
