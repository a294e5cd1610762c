"""The command line as tests call it: in this process, or in one of its own."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Result:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object that --json wrote."""
        (line,) = self.out.splitlines()
        return json.loads(line)

    @property
    def lines(self) -> list[Any]:
        """The objects that --json wrote, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


class Cli:
    """`mailer` as tests call it: `cli("send", 72)` in this process, `cli.process(…)` in one of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: object, folder: Path | None = None) -> Result:
        from mailer.cli import run

        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = run(["-C", str(folder or self.folder), *map(str, words)])
        return Result(code, out.getvalue(), err.getvalue())

    def process(
        self,
        *words: object,
        folder: Path | None = None,
        said: str = "",
        timeout: float = 60,
        **environment: str,
    ) -> Result:
        """Run a real process; `said` is its stdin, `environment` is added to ours."""
        ended = subprocess.run(
            [sys.executable, "-m", "mailer", *map(str, words)],
            cwd=folder or self.folder,
            input=said,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **environment},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Result(ended.returncode, ended.stdout, ended.stderr)
