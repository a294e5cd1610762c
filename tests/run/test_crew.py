"""The crew: when another is started, what is said of a death, and what its processes load."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from mailer.run import crew as crews
from mailer.run.crew import manned, rest_after, words
from mailer.run.order import DIED, OVER, Order
from tests.commandline import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_who_dies_young_is_replaced_later_each_time_and_not_for_ever():
    """A quarter of a second, then twice as long, up to a minute; after so many in a row the place stays empty."""
    assert [rest_after(deaths, 5) for deaths in range(1, 7)] == [0.25, 0.5, 1, 2, 4, None]
    assert rest_after(1000, None) == 60


@pytest.mark.parametrize(
    ("code", "problem", "rest", "said"),
    [
        (-9, "", 0.5, "a sending process died (killed by signal 9); another one starts in 0.5 s"),
        (75, "no disk", None, "a sending process died (no disk); the others go on without it"),
        (1, "", 60.0, "a sending process died (exit 1); another one starts in 60 s"),
    ],
)
def test_a_death_is_told_with_what_becomes_of_it(code: int, problem: str, rest: float | None, said: str):
    """The words name the signal or the problem, and whether another one comes."""
    assert words(code, problem, rest) == said


def started(script: str):
    """Give what starts a process of this script in the place of a mate."""

    def start() -> subprocess.Popen[bytes]:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        return subprocess.Popen([sys.executable, "-c", script], **pipes)

    return start


async def _manned(count: int, until: int, most: int | None) -> tuple[list[str], int]:
    """Run a crew until so much was told, or all of it has ended by itself; give what was told, and the sum."""
    told: list[str] = []
    enough = asyncio.Event()

    def tell(line: str) -> None:
        told.append(line)
        if len(told) >= until:
            enough.set()

    async with manned(None, Order(None), count, tell, most=most) as crew:  # type: ignore[arg-type]
        crew.start()
        ended = asyncio.gather(*crew._places)
        await asyncio.wait([ended, asyncio.ensure_future(enough.wait())], return_when=asyncio.FIRST_COMPLETED)
    return told, crew.sent


def test_a_place_whose_processes_keep_dying_stays_empty(monkeypatch: pytest.MonkeyPatch):
    """After two deaths in a row and no more allowed, it says so and ends; the dead were accounted for each time."""
    accounts: list[object] = []
    monkeypatch.setattr(crews, "_started", started("raise SystemExit(9)"))
    monkeypatch.setattr(crews, "settle_dead", lambda ground: accounts.append(ground) or [])
    told, _ = asyncio.run(_manned(1, 99, most=1))
    assert told == [words(9, "", 0.25), words(9, "", None)]
    assert len(accounts) == 2


def test_who_only_a_person_can_mend_is_not_started_again(monkeypatch: pytest.MonkeyPatch):
    """A mate that ends with bad input (2) or a question (3) would end alike: its words are told, once."""
    said = json.dumps({"problem": "no such key"})
    monkeypatch.setattr(crews, "_started", started(f"print('{said}'); raise SystemExit(2)"))
    monkeypatch.setattr(crews, "settle_dead", lambda _ground: [])
    told, _ = asyncio.run(_manned(1, 99, most=5))
    assert told == [words(2, "no such key", None)]


def test_what_the_dead_had_sent_stays_counted(monkeypatch: pytest.MonkeyPatch):
    """The bar never goes back: what a process said before it died counts on, beside what the living say."""
    monkeypatch.setattr(crews, "_started", started("print('{\"sent\": 7}')"))
    assert asyncio.run(_manned(2, 99, most=0)) == ([], 14)


def test_a_mate_ends_with_its_input(monkeypatch: pytest.MonkeyPatch):
    """Whoever reads to the end of stdin and then ends is ended by `stop`: the block waits for it, and for no longer."""
    script = "import sys; print('{\"sent\": 1}', flush=True); sys.stdin.buffer.read()"
    monkeypatch.setattr(crews, "_started", started(script))

    async def stopped() -> int:
        async with manned(None, Order(None), 2, most=0) as crew:  # type: ignore[arg-type]
            crew.start()
            while crew.sent < 2:  # noqa: ASYNC110 - nothing rings
                await asyncio.sleep(0.01)
        return crew.sent

    assert asyncio.run(stopped()) == 2


def test_who_does_not_end_in_time_is_killed(monkeypatch: pytest.MonkeyPatch):
    """A mate that hears nothing any more holds a daemon up for as long as it has patience."""
    monkeypatch.setattr(crews, "_started", started("import time; time.sleep(600)"))

    async def stopped() -> None:
        async with manned(None, Order(None), 1, patience=0.2) as crew:  # type: ignore[arg-type]
            crew.start()
            while not crew._mates:  # noqa: ASYNC110 - nothing rings
                await asyncio.sleep(0.01)

    asyncio.run(stopped())


def mate(order: bytes) -> subprocess.CompletedProcess[bytes]:
    """Run a real mate with this on its stdin."""
    command = [sys.executable, "-m", "mailer.run.mate"]
    return subprocess.run(command, input=order, cwd=ROOT, capture_output=True, timeout=60, check=False)


def test_a_mate_whose_parent_is_gone_ends_at_once():
    """Nobody gave it an order: there is nothing to do, and nothing to say."""
    ended = mate(b"")
    assert (ended.returncode, ended.stdout, ended.stderr) == (OVER, b"", b"")


def test_a_mate_says_in_words_what_a_person_must_mend(newsletter: Path):
    """Its database is gone: the report has the problem, the code is that of bad input, and no traceback is shown."""
    import os
    import pickle

    from mailer.settings import load_settings

    settings = load_settings(newsletter, os.environ)
    (newsletter / ".mailer" / "mailer.db").unlink()
    ended = mate(pickle.dumps(Order(settings, 1, "main")))
    assert ended.returncode == 2
    assert "there is no database" in json.loads(ended.stdout)["problem"]
    assert b"Traceback" not in ended.stderr


def test_a_process_that_sends_loads_nothing_that_compiles():
    """Neither a mate nor what it calls imports a library of the compile step, or the command line's."""
    script = (
        "import sys, mailer.run.mate, mailer.run.ground, mailer.run.delivering, mailer.delivery.sending, uvloop\n"
        "compilers = {'mrml', 'markdown_it', 'premailer', 'jinja2', 'bs4', 'lxml', 'typer', 'rich'}\n"
        "print(sorted(compilers & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script]
    assert subprocess.check_output(command, cwd=ROOT, text=True, timeout=60).strip() == "[]"


def test_an_ending_that_nobody_asked_for_is_a_death():
    """The vocabulary of exit codes: 0 is over, 75 may be tried again."""
    assert (OVER, DIED) == (0, 75)
