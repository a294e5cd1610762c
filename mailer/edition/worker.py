"""The child process that compiles: one JSON request a line in, one JSON answer a line out.

Started by guard.py alone. It limits its own memory, writes nothing else to its standard output, and ends when its
input does. Whatever goes wrong in it is an answer, or its death; both are the parent's to word.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from mailer.edition.model import Masthead
from mailer.errors import UserError

MEMORY = 1 << 30  # octets of address space; a large issue takes a tenth
LARGEST_SOURCE = 1_000_000
_PLACES = ("templates", "folder")


def main() -> None:
    """Answer requests until the input ends."""
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints must not look like an answer
    _limit_memory()
    import mailer.edition.compile  # noqa: PLC0415 - the first request must not pay for the imports
    import mailer.issue.read  # noqa: F401, PLC0415 - as above

    answers.write(b'{"ready": true}\n')
    for line in sys.stdin.buffer:
        answers.write(json.dumps(answer(json.loads(line))).encode() + b"\n")


def _limit_memory() -> None:
    import resource  # noqa: PLC0415 - POSIX alone has it

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Give `{"edition": JSON}`, `{"problems": [...]}` or `{"failure": text}`."""
    try:
        return {"edition": _compile(request)}
    except UserError as error:
        return {"problems": [[p.message, p.file, p.line, p.key] for p in error.problems]}
    except MemoryError:
        return {"failure": "needs more than a gigabyte of memory"}
    except Exception as error:  # noqa: BLE001 - no input may end the child, and the parent reports it
        return {"failure": f"ran into a bug of mailer ({type(error).__name__}: {error})"[:500]}


def _compile(request: dict[str, Any]) -> str:
    from mailer.edition.compile import compile_issue  # noqa: PLC0415 - loaded by main
    from mailer.issue.read import read_issue  # noqa: PLC0415 - as above

    masthead = request["masthead"]
    for name in _PLACES:
        masthead[name] = Path(masthead[name]) if masthead[name] else None
    with Path(request["path"]).open("rb") as file:
        source = file.read(LARGEST_SOURCE + 1)
    head = Masthead(**masthead)
    issue = read_issue(source, request["path"], subject=request["subject"], time_zone=head.time_zone)
    return compile_issue(issue, head).to_json()


if __name__ == "__main__":
    main()
