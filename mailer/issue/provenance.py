"""Where an issue's file stands in git: the commit that last changed it, and whether the work tree differs.

Reads only, with a time limit, and never lets a file name or a repository's configuration run anything: no hooks, no
file-system monitor, names after `--` and taken literally. Without git, or outside a repository, there is no commit.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS = 5
_SAFE = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    f"core.hooksPath={os.devnull}",
    "--no-pager",
    "--literal-pathspecs",
)


@dataclass(frozen=True, slots=True)
class Provenance:
    """`commit` last changed the file; `committed` says that the work tree holds just that; both need a repository."""

    commit: str | None
    committed: bool
    repository: bool


def provenance(path: Path) -> Provenance:
    """Say where the file at `path` comes from; an unknown is no error."""
    path = path.absolute()
    if _git(path, "rev-parse", "--is-inside-work-tree") != "true":
        return Provenance(None, committed=False, repository=False)
    commit = _git(path, "log", "-1", "--format=%H", "--no-show-signature", "--", path.name) or None
    changed = _git(path, "status", "--porcelain", "--ignored", "--", path.name)
    return Provenance(commit, committed=bool(commit) and changed == "", repository=True)


def _git(path: Path, *words: str) -> str | None:
    """Give what git says in the file's folder, or None when it fails or takes too long."""
    # A hook that calls us sets GIT_DIR and its like; they would point to another repository.
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment = {**clean, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; the only word from outside stands after --
            ["git", *_SAFE, *words],  # noqa: S607 - the user's own git, wherever it is
            cwd=path.parent,
            env=environment,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else None
