"""Where the tests keep their files: in memory, where there is room for it.

Each test has databases and folders of its own, and a disk that is told to make each of them last costs as much time as
all that the tests compute. Nothing that is shown depends on it: a process that is killed leaves what it wrote, on a
disk as in memory, and no test has a power cut. Whoever sets TMPDIR has chosen a place, and it is taken.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - Linux keeps it in memory; pytest makes a private folder in it
ENOUGH = 2 << 30  # a whole run with several workers has half of that at once


def keep_files_in_memory() -> None:
    """Let this process and its children make their temporary files in memory."""
    if "TMPDIR" not in os.environ and _has_room(MEMORY):
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None  # it is found anew


def _has_room(place: Path) -> bool:
    """Tell whether files may be made there, and programs among them run; a container's is often too small."""
    if not os.access(place, os.W_OK) or shutil.disk_usage(place).free < ENOUGH:
        return False
    return not os.statvfs(place).f_flag & os.ST_NOEXEC
