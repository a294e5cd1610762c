"""The kill-test itself: a short one, and the reckoning it rests on."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

import pytest

from tests.killtest.reckoning import Reckoning
from tests.killtest.stage import ROOT


def row(name: str, state: str) -> dict[str, str]:
    """Give a row as audit prints it."""
    return {"email": f"{name}@example.org", "state": state, "message_id": f"<{name}>"}


def reckoned(rows: list[dict[str, str]], taken: list[str], readers: int | None = None) -> Reckoning:
    """Reckon one mailing."""
    sums = Reckoning(kills=1, allowed=2)
    sums.add("72", len(rows) if readers is None else readers, rows, Counter(taken))
    return sums


def test_whoever_the_server_took_once_is_well():
    """Accepted and taken, uncertain either way, refused and not taken: the promise is kept."""
    rows = [row("a", "accepted"), row("b", "uncertain"), row("c", "uncertain"), row("d", "refused")]
    sums = reckoned(rows, ["a", "b"])
    assert sums.good
    assert sums.line() == "kills 1 lost 0 twice 0 uncertain 2 allowed 2"
    assert (sums.taken, sums.not_taken) == (1, 1)


@pytest.mark.parametrize(
    ("rows", "taken", "readers"),
    [
        pytest.param([row("a", "planned")], [], 1, id="still waits, and nobody sends any more"),
        pytest.param([row("a", "accepted")], ["a"], 2, id="a reader without a row"),
        pytest.param([row("a", "accepted")], ["a", "a"], 1, id="twice"),
        pytest.param([row("a", "uncertain")], ["a", "a"], 1, id="twice, and uncertain"),
        pytest.param([row("a", "accepted")], [], 1, id="accepted, and never taken"),
        pytest.param([row("a", "refused")], ["a"], 1, id="refused, and taken"),
        pytest.param([row(name, "uncertain") for name in "abc"], [], 3, id="more uncertain than open"),
    ],
)
def test_a_broken_promise_is_found(rows, taken, readers):
    """The kill-test fails where it must: for each way in which the promise can be broken."""
    assert not reckoned(rows, taken, readers).good


@pytest.mark.slow
def test_twenty_five_deaths_lose_nobody(tmp_path):
    """SIGKILL at 25 random moments: nobody lost, nobody mailed twice, doubt only where a connection was open."""
    words = ["--kills", "25", "--readers", "1500", "--connections", "20", "--batch", "120"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.killtest", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.fullmatch(r"kills 25 lost 0 twice 0 uncertain \d+ allowed \d+", ended.stdout.splitlines()[-1])


@pytest.mark.slow
def test_deaths_among_three_processes_of_one_send_lose_nobody():
    """SIGKILL of a send of three processes, or of one of them beside it, at random moments: the same holds."""
    words = ["--kills", "12", "--readers", "3000", "--batch", "250", "--workers", "3"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.killtest", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.fullmatch(r"kills 12 lost 0 twice 0 uncertain \d+ allowed \d+", ended.stdout.splitlines()[-1])
