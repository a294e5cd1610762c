"""The kill-test of several machines, in a size for every change."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.killtest.stage import ROOT


@pytest.mark.slow
def test_ten_deaths_among_three_machines_lose_nobody(record_property):
    """Workers killed, PostgreSQL crashed twice, one worker cut off: nobody lost, nobody mailed twice."""
    words = ["--kills", "10", "--readers", "3000", "--cuts", "1", "--every", "0.7"]
    ended = subprocess.run(
        [sys.executable, "-m", "tests.killtest.cluster", *words],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stdout + ended.stderr
    *_, where, last = ended.stdout.splitlines()
    assert re.fullmatch(r"kills 10 lost 0 twice 0 uncertain \d+ allowed \d+", last)
    if "no namespaces" in where:
        record_property("fell_back", where)
