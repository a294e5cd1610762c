"""Run all benchmarks, or the named ones, and print one summary."""

from __future__ import annotations

import importlib
import os
import platform

from benchmarks.table import heading, options, print_wanted

NAMES = (
    "compile",
    "planning",
    "send",
    "memory",
    "line",
    "crypto",
    "import",
    "segments",
    "packing",
    "feedback",
    "bounces",
    "web",
    "cluster",
    "stages",
    "simulation",
    "relay",
)
_MODULES = {"import": "importing", "relay": "relaying"}  # a word of Python names no module


def main() -> None:
    given = options(names=NAMES)
    chosen = given.only or NAMES
    wanted = []
    for name in chosen:
        wanted += importlib.import_module(f"benchmarks.{_MODULES.get(name, name)}").measure(given.options)
    heading(f"Summary: Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print_wanted(wanted)


if __name__ == "__main__":
    main()
