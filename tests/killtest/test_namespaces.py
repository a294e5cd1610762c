"""Machines of our own: what is cut reaches nobody, and nothing is left behind, whatever ended the test."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from mailer.database import open_engine, writing
from tests.killtest.namespaces import HUB, NETWORK, Unavailable, _names, network, sweep
from tests.killtest.postgres import Postgres
from tests.killtest.stage import ROOT, environment

if TYPE_CHECKING:
    from tests.killtest.namespaces import Namespaces

pytestmark = pytest.mark.slow
MADE_AND_KILLED = """
import os, signal, subprocess
from tests.killtest.namespaces import network
with network(1) as made:
    subprocess.Popen([*made.inside("0"), "sleep", "600"], stdout=subprocess.DEVNULL)
    print(made.name, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""
HOLDER = """
import sys
from sqlalchemy import text
from mailer.database import open_engine, writing
from mailer.errors import TryLater
try:
    with writing(open_engine(sys.argv[1])) as connection:
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(1)"))
        print("held", flush=True)
        input()
        connection.execute(text("SELECT 1"))
except TryLater:
    print("try later", flush=True)
"""


def reaches(net: Namespaces) -> bool:
    """Say whether the worker gets an answer from the hub's address: a refusal is one, too."""
    words = f"import socket; one = socket.socket(); one.settimeout(3); print(one.connect_ex(({HUB!r}, 9)))"
    ended = subprocess.run(
        [*net.inside("0"), sys.executable, "-c", words], capture_output=True, text=True, check=True
    )
    return ended.stdout.strip() == "111"  # ECONNREFUSED


def test_a_worker_that_is_cut_off_reaches_nobody_until_it_is_healed(net):
    """No packet comes through in between, and nobody outside can be reached at any time."""
    assert reaches(net)
    net.cut(0, 0)
    assert not reaches(net)
    net.heal(0, 0)
    assert reaches(net)
    with socket.socket() as outside:
        outside.settimeout(1)
        assert outside.connect_ex((HUB, 9)) != 111


def test_two_runs_at_once_do_not_meet_and_leave_nothing(net, monkeypatch):
    """The same addresses in other namespaces; what one run ends with is of no other's concern."""
    monkeypatch.setattr("tests.killtest.namespaces._PREFIX", "mailer-killtest2")
    with network(1) as other:
        other.cut(0, 0)
        assert reaches(net)
        assert len([one for one in _names() if one.startswith(other.name)]) == 2
    assert not [one for one in _names() if one.startswith(other.name)]
    assert reaches(net)


def test_what_a_killed_run_left_is_removed_by_the_next(net):
    """Its namespaces, and the processes in them; those of a run that lives are left alone."""
    words = [sys.executable, "-c", MADE_AND_KILLED]
    killed = subprocess.run(
        words, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert [one for one in _names() if one.startswith(killed.stdout.strip())]
    sweep()
    assert not [one for one in _names() if one.startswith(killed.stdout.strip())]
    assert reaches(net)


def test_a_worker_that_is_cut_off_in_a_transaction_holds_nobody_up(net):
    """The server lets go of its locks; and the worker hears that its line is dead, and does not wait for an answer."""
    postgres = Postgres(net.inside("hub"), HUB, NETWORK)
    words = [*net.inside("0"), sys.executable, "-c", HOLDER, postgres.remote]
    engine = open_engine(postgres.url)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    try:
        with subprocess.Popen(words, cwd=ROOT, env=environment(), text=True, **pipes) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            net.cut(0, 0)
            with writing(engine) as other:
                other.execute(text("SET LOCAL lock_timeout = '2min'"))
                other.execute(text("SELECT pg_advisory_xact_lock(1)"))
            said, _ = holder.communicate("go on\n", timeout=120)
        assert said == "try later\n"
    finally:
        engine.dispose()
        postgres.close()


def test_who_may_not_make_namespaces_hears_why(monkeypatch):
    """Whoever is not root gets a reason that a line of the kill-test can tell."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(Unavailable, match="root"), network(1):
        pass
