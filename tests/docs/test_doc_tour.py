"""The tour of README.md, typed as it stands there: what it shows is what happens."""

from __future__ import annotations

import calendar
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, blocks

MARK = "\x1e"
TIMEOUT = 120  # seconds; the tour takes a few


def steps() -> list[tuple[str, str]]:
    """Give (what is typed, what is shown) of the README's only console block."""
    (tour,) = blocks((ROOT / "README.md").read_text(encoding="utf-8"), "console")
    found = []
    for step in re.split(r"^\$ ", tour, flags=re.MULTILINE)[1:]:
        lines = step.split("\n")
        typed = [lines[0], *(line[2:] for line in lines[1:] if re.match(r">( |$)", line))]
        shown = [line for line in lines[1:] if not re.match(r">( |$)", line)]
        found.append(("\n".join(typed), "\n".join(shown).strip()))
    return found


_ANYTHING, _NUMBER, _MONTH = r"[\s\S]*", r"\d[\d,]*", rf"(?:{'|'.join(calendar.month_name[1:])})"
_LOOSE = re.compile(rf"(…)|({_NUMBER})|({_MONTH})")


def matches(shown: str, output: str) -> bool:
    """Say whether the output is what is shown; numbers and months may differ, and `…` stands for anything."""
    pieces = iter(_LOOSE.split(shown))
    pattern = re.escape(next(pieces))
    for dots, number, _, fixed in zip(*[pieces] * 4, strict=True):
        pattern += (_ANYTHING if dots else _NUMBER if number else _MONTH) + re.escape(fixed)
    return re.fullmatch(pattern, output.strip()) is not None


@pytest.fixture
def answers(tmp_path: Path) -> list[str]:
    """What each step of the tour answers, in a folder of its own."""
    script = "\n".join(f"printf '{MARK}'\n{typed}" for typed, _ in steps())
    beside = Path(sys.executable).parent
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAILER_")}
    ended = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={
            **clean,
            "PATH": f"{beside}:{os.environ['PATH']}",
            "GIT_CEILING_DIRECTORIES": str(tmp_path.parent),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT,
        check=False,
    )
    return ended.stdout.decode().split(MARK)[1:]


@pytest.mark.slow
def test_tour(answers: list[str]):
    """Every step of the tour answers what README.md shows."""
    assert len(answers) == len(steps())
    wrong = [
        f"$ {typed}\n{answer}"
        for (typed, shown), answer in zip(steps(), answers, strict=True)
        if not matches(shown, answer)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_comparison_can_fail():
    """Another word is noticed; another number, and what `…` stands for, are not."""
    assert matches("3 planned = 3 accepted", "1,402 planned = 9 accepted\n")
    assert matches("made …/news/.mailer/mailer.db", "made /some/where/news/.mailer/mailer.db")
    assert not matches("3 planned = 3 accepted", "3 planned = 3 refused")
    assert not matches("balanced", "balanced\nand more")
