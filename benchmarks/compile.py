"""What a compile of a 25 KB issue costs, stage by stage, and how long the commands around it take from cold."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from benchmarks.newsroom import prose
from benchmarks.process import MAILER, run
from benchmarks.table import Options, Wanted, alone, heading, print_table, progress
from mailer.edition.compile import STAGES, begin, finished
from mailer.edition.model import Masthead
from mailer.issue.read import read_issue

OCTETS = 25_000


def measure(options: Options) -> list[Wanted]:
    issue = prose(OCTETS)
    heading(f"Compile: an issue of {len(issue) / 1000:.0f} KB, warm, median of {_rounds(options)}")
    progress("the compile step by stage")
    stages = _stages(issue.encode(), _rounds(options))
    total = statistics.median(map(sum, zip(*stages.values(), strict=True)))
    rows = [(name, _ms(statistics.median(times))) for name, times in stages.items()]
    print_table(("stage", "ms"), [*rows, ("all", _ms(total))])
    cold = _cold(issue, 2 if options.quick else 7)
    print_table(
        ("a process from cold, median", "ms"), [(name, _ms(seconds)) for name, seconds in cold.items()]
    )
    return [
        Wanted("compile of a 25 KB issue, warm", total * 1e3, "<=", 60, "ms"),
        Wanted("mailer --help, from cold", cold["mailer --help"] * 1e3, "<=", 300, "ms"),
    ]


def _rounds(options: Options) -> int:
    return 5 if options.quick else 25


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f}"


def _stages(source: bytes, rounds: int) -> dict[str, list[float]]:
    """Time every stage; the first three rounds, which fill caches, do not count."""
    times: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds + 3):
        for name, seconds in _one_compile(source):
            times[name].append(seconds)
    return {name: each[3:] for name, each in times.items()}


def _one_compile(source: bytes):
    masthead = Masthead(
        sender_name="News", base_url="https://example.org", public_url="https://news.example.org"
    )
    mark = time.perf_counter()

    def lap(name: str) -> tuple[str, float]:
        nonlocal mark
        before, mark = mark, time.perf_counter()
        return name, mark - before

    issue = read_issue(source, "072-long.md")
    yield lap("read")
    work = begin(issue, masthead)
    yield lap("begin")
    for name, stage in STAGES:
        stage(work)
        yield lap(name)
    finished(work).to_json()
    yield lap("edition")


def _cold(issue: str, rounds: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder:
        file = Path(folder, "072-long.md")
        file.write_text(issue)
        commands = {
            "python -c pass": (MAILER[0], "-c", "pass"),
            "mailer --help": (*MAILER, "--help"),
            "mailer compile ISSUE": (*MAILER, "compile", str(file), "--out", folder),
        }
        progress("commands from cold")
        return {name: _median_run(command, folder, rounds) for name, command in commands.items()}


def _median_run(command: tuple[str, ...], folder: str, rounds: int) -> float:
    run(command, cwd=Path(folder))
    return statistics.median(run(command, cwd=Path(folder)).seconds for _ in range(rounds))


if __name__ == "__main__":
    alone(measure)
