"""Rows of a report: what was measured, the figure, what is wanted of it, and whether it is so."""

from __future__ import annotations

import argparse
import operator
import sys
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_SIGNS = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True)
class Options:
    """`quick` takes sizes that fit a minute or two; `readers` and `rounds` are of the big send, `rows` of import."""

    quick: bool = False
    readers: int = 100_000
    rounds: int = 3
    rows: int = 0
    people: int = 0  # --readers as it was given, for those whose own default is a million


@dataclass(frozen=True)
class Wanted:
    """One figure that the project holds itself to."""

    what: str
    value: float
    sign: str
    limit: float
    unit: str = ""

    @property
    def kept(self) -> bool:
        return _SIGNS[self.sign](self.value, self.limit)

    def cells(self) -> tuple[str, ...]:
        unit = f" {self.unit}" if self.unit else ""
        verdict = "yes" if self.kept else "NO"
        return self.what, f"{figure(self.value)}{unit}", f"{self.sign} {figure(self.limit)}{unit}", verdict


def figure(value: float) -> str:
    """Give a number as people read it: no more digits than mean something."""
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print columns, the first to the left, all others to the right."""
    widths = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads))]
    for row in (heads, *rows):
        cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join([row[0].ljust(widths[0]), *cells[1:]]).rstrip())
    print(flush=True)


def print_wanted(wanted: Sequence[Wanted]) -> None:
    print_table(("figure", "measured", "wanted", "kept"), [one.cells() for one in wanted])


def heading(text: str) -> None:
    print(f"\n## {text}\n", flush=True)


def progress(text: str) -> None:
    """Say on stderr what is being done: some steps take a minute."""
    print(f"   {time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def options(arguments: Sequence[str] | None = None, *, names: Sequence[str] = ()) -> argparse.Namespace:
    """Read the command line that all benchmarks share."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, side by side.")
    if names:
        parser.add_argument(
            "only", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all if none is given"
        )
    parser.add_argument("--quick", action="store_true", help="smaller sizes, one round")
    parser.add_argument("--readers", type=int, help="of the big send (100,000)")
    parser.add_argument("--rounds", type=int, help="of each pair, of which the median counts (3)")
    parser.add_argument("--rows", type=int, default=0, help="of the import (1,000,000)")
    given = parser.parse_args(arguments)
    quick = given.quick
    given.options = Options(
        quick,
        given.readers or (10_000 if quick else 100_000),
        given.rounds or (1 if quick else 3),
        given.rows,
    )
    given.options = replace(given.options, people=given.readers or 0)
    return given


def alone(measure: Callable[[Options], list[Wanted]]) -> None:
    """Run one benchmark as a program."""
    print_wanted(measure(options().options))
