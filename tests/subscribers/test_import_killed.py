"""An import that is killed goes on: nothing twice, nothing missing, in the file of rejects too."""

from __future__ import annotations

import contextlib
import csv
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from subscribers import tables

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

ROWS = 21_000  # enough for the second process

SCRIPT = """
import sys
from datetime import datetime, timezone
from pathlib import Path
import subscribers
from mailer.database import open_engine, writing
from subscribers.exchange import run

run.SPAN = 0.005
file, url, rejects = sys.argv[1:]
engine = open_engine(url)
result = subscribers.import_file(
    lambda: writing(engine), Path(file), list_key="main", basis="form", now=datetime.now(timezone.utc),
    hash_key=b"k" * 32, rejects=Path(rejects),
    progress=lambda *_: print("+", end="", flush=True) or sys.stdin.read(1),  # on when it is let
)
print(result.id, result.records, result.added, result.rejected)
"""


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file in no order, every ninth row of which is bad, some with lines within quotes."""
    file = tmp_path / "people.csv"
    order = list(range(ROWS))
    random.Random(4).shuffle(order)  # noqa: S311 - for a test
    rows = [f"p{n}@example.org,Ann {n}" if n % 9 else f'"bad\n{n}",x' for n in order]
    file.write_text("email,name\n" + "\n".join(rows) + "\n")
    return file


def start(engine: Engine, people: Path) -> subprocess.Popen[str]:
    url = engine.url.render_as_string(hide_password=False)
    words = [sys.executable, "-c", SCRIPT, str(people), url, str(people.parent / "rejects")]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def killed(child: subprocess.Popen[str], chance: random.Random, how: signal.Signals) -> bool:
    """End a child some moments after some transaction; give whether it was not done before.

    It is let go on for a few more than these, so that one is under way, and not to its end, however busy the machine.
    """
    assert child.stdin is not None
    assert child.stdout is not None
    some = chance.randrange(1, 12)
    with contextlib.suppress(BrokenPipeError):
        child.stdin.write("." * (some + 4))
        child.stdin.flush()
    for _ in range(some):
        if child.stdout.read(1) != "+":
            break
    time.sleep(chance.random() * 0.02)
    child.send_signal(how)
    child.stdout.read()
    code = child.wait(60)
    with contextlib.suppress(BrokenPipeError):
        child.stdin.close()
    child.stdout.close()
    return code != 0


def ended(child: subprocess.Popen[str]) -> list[str]:
    """Let a child come to its end; give what it said there."""
    said, _ = child.communicate(timeout=120)
    assert child.returncode == 0
    return said.lstrip("+").split()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_and_run_again(with_lists: Engine, people: Path, how: signal.Signals) -> None:
    """SIGKILL or Ctrl-C wherever it strikes, then the same command, again and again until it is done."""
    chance = random.Random(f"{with_lists.dialect.name} {how}")  # noqa: S311 - for a test
    ends = 0
    while ends < 6 and killed(start(with_lists, people), chance, how):
        ends += 1
    assert ends >= 2
    said, bad = ended(start(with_lists, people)), len(range(0, ROWS, 9))
    # Where the last of them was quicker than its end, this one repeats it, and adds nobody.
    assert said in (["1", str(ROWS), str(ROWS - bad), str(bad)], ["2", str(ROWS), "0", str(bad)])
    with with_lists.connect() as connection:
        for table in (tables.subscribers, tables.addresses, tables.subscriptions, tables.consents):
            assert connection.scalar(select(func.count()).select_from(table)) == ROWS - bad
        emails = set(connection.scalars(select(tables.addresses.c.email)))
        assert emails == {f"p{n}@example.org" for n in range(ROWS) if n % 9}
        assert set(connection.scalars(select(tables.imports.c.state))) == {"done"}
    with (people.parent / "rejects" / "import-1.csv").open(newline="") as stream:
        rejects = list(csv.reader(stream))[1:]
    assert sorted(int(row[3].removeprefix("bad\n")) for row in rejects) == list(range(0, ROWS, 9))
    lines = [int(row[0]) for row in rejects]
    assert lines == sorted(lines)
    text = people.read_text().split("\n")
    assert all(
        text[int(row[0]) - 1] == '"bad' and text[int(row[0])].startswith(row[3][4:]) for row in rejects
    )
