"""The pages under load: one-click posts alone and beside a mailing, and whether timing tells known from unknown.

wrk posts over 50 connections to `mailer run --only web`, each post of another reader. The sending process runs on the
same SQLite file and, on a small machine, on the same cores. The timing of sign-ups is compared by the Mann-Whitney
test: two classes of addresses, known and new, asked in turns over one connection.
"""

from __future__ import annotations

import http.client
import math
import random
import re
import statistics
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import newsroom
from benchmarks.process import MAILER, environment, free_port, program, sink
from benchmarks.table import Wanted, figure, heading, print_table, progress
from mailer.keys import Purpose, load_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.newsroom import Newsroom
    from benchmarks.table import Options

CONNECTIONS = 50
LUA = Path(__file__).with_suffix(".lua")
_UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


def measure(options: Options) -> list[Wanted]:
    """Measure, print the tables, and give what is wanted."""
    seconds, pairs = (5, 400) if options.quick else (15, 3000)
    heading(f"The pages: one-click posts over {CONNECTIONS} connections, {seconds} s each")
    with newsroom.newsroom(40_000) as room, served(room) as port:
        page = wrk(port, seconds, "/manage")
        alone = wrk(port, seconds, room=room, first=1)
        with sending(room):
            beside = wrk(port, seconds, room=room, first=20_000)
    rows = [("GET a page", *page), ("one-click post", *alone), ("one-click post beside a mailing", *beside)]
    cells = [
        (name, figure(rate), figure(half), figure(most), figure(slowest), bad)
        for name, rate, half, most, slowest, bad in rows
    ]
    print_table(
        ("what", "a second", "median ms", "99 % ms", "slowest ms", "not 200"),
        [tuple(map(str, row)) for row in cells],
    )
    wanted = [
        Wanted("one-click posts beside a mailing: slowest", beside[3], "<=", 1000, "ms"),
        Wanted("one-click posts that were not answered 200", alone[4] + beside[4], "<=", 0),
    ]
    return wanted + timing(pairs)


def timing(pairs: int) -> list[Wanted]:
    """Compare the time of the answers to sign-ups of known and of new addresses."""
    heading(f"Does the time of an answer tell who is known? {pairs:,} sign-ups each, in turns")
    progress("timing sign-ups")
    with newsroom.newsroom(40_000) as room, served(room) as port:
        samples = _sign_ups(port, pairs)
    rows, scores = [], {}
    for name, one, other in (("known, new", "known", "new"), ("known, known (control)", "known", "control")):
        scores[name] = abs(_mann_whitney(samples[one], samples[other]))
        apart = abs(statistics.median(samples[one]) - statistics.median(samples[other])) * 1e6
        rows.append(
            (name, figure(statistics.median(samples[one]) * 1e6), figure(apart), figure(scores[name]))
        )
    print_table(("compared", "median µs", "medians apart µs", "|z|"), rows)
    return [Wanted("sign-ups of known and new addresses: |z| of Mann-Whitney", scores["known, new"], "<=", 3)]


def _sign_ups(port: int, pairs: int) -> dict[str, list[float]]:
    """Post sign-ups in turns, each from a network of its own, in an order that is drawn anew for each turn."""
    dice = random.Random(5)
    samples: dict[str, list[float]] = {"known": [], "new": [], "control": []}
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for turn in range(-20, pairs):  # the first few warm up
        kinds = dice.sample(list(samples), 3)
        for place, kind in enumerate(kinds):
            number = dice.randrange(1, 40_000)
            email = (
                f"reader{number}@d{number % 5000}.example.net"
                if kind != "new"
                else f"someone{number}@d{number % 5000}.example.net"
            )
            body = urllib.parse.urlencode({"email": email, "list": "main"})
            which = (turn + 20) * 3 + place
            headers = {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Forwarded-For": f"{11 + which // 65536}.{which // 256 % 256}.{which % 256}.1",
            }
            began = time.perf_counter()
            connection.request("POST", "/subscribe", body, headers)
            answer = connection.getresponse()
            answer.read()
            if turn >= 0:
                samples[kind].append(time.perf_counter() - began)
            if answer.status != 200:
                raise RuntimeError(f"a sign-up was answered {answer.status}")
    return samples


def _mann_whitney(one: Sequence[float], other: Sequence[float]) -> float:
    """Give z: beyond 3, one chance in 370 that both are the same."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    ranks = sum(rank for rank, (_, which) in enumerate(ranked, 1) if which == 0)
    n, m = len(one), len(other)
    u = ranks - n * (n + 1) / 2
    return (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)


def wrk(
    port: int, seconds: int, path: str = "/", room: Newsroom | None = None, first: int = 0
) -> tuple[float, float, float, float, int]:
    """Give requests a second; the median, 99 % and the slowest in ms; and how many were not answered 200."""
    progress(f"wrk, {seconds} s")
    words = [program("wrk"), "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as clicks:
        if room is not None:
            clicks.write("".join(f"{one}\n" for one in _clicks(room, first)))
            clicks.flush()
            words += ["-s", str(LUA)]
        words.append(f"http://127.0.0.1:{port}{path}")
        out = subprocess.run(
            words, env=environment({"CLICKS": clicks.name}), capture_output=True, text=True, check=True
        ).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    half, most = (_milliseconds(re.search(rf"{part}%\s+([\d.]+)(us|ms|s|m)", out)) for part in (50, 99))
    slowest = _milliseconds(re.search(r"Latency\s+\S+\s+\S+\s+([\d.]+)(us|ms|s|m)", out))
    bad = sum(
        int(count) for count in re.findall(r"(?:Non-2xx or 3xx responses: |timeout |read |write )(\d+)", out)
    )
    return rate, half, most, slowest, bad


def _milliseconds(match: re.Match[str]) -> float:
    return float(match[1]) * _UNITS[match[2]]


def _clicks(room: Newsroom, first: int) -> Iterator[str]:
    keys = load_keys(room.folder / ".mailer" / "secret.key", None)
    (list_id,) = room.ask("SELECT id FROM lists WHERE key = 'main'")
    for reader in range(first, first + 20_000):
        yield f"/unsubscribe/{keys.link_token(Purpose.UNSUBSCRIBE, reader, list_id)}"


@contextmanager
def served(room: Newsroom) -> Iterator[int]:
    """Serve the newsletter's pages in a process of their own."""
    port = free_port()
    extra = {"MAILER_PUBLIC_URL": f"https://127.0.0.1:{port}"}
    words = (*MAILER, "run", "--only", "web", "--port", str(port))
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(words, cwd=room.folder, env=environment(extra), stdout=log, stderr=log)
        try:
            _wait(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the pages did not come up")


@contextmanager
def sending(room: Newsroom) -> Iterator[None]:
    """Send the issue while something else is done: at 500 a second, so that it lasts."""
    with sink() as port, tempfile.TemporaryFile() as log:
        relay = f"smtp://127.0.0.1:{port}?connections=20&per_second=500"
        extra = {"MAILER_RELAY": relay, "MAILER_PUBLIC_URL": "https://news.example.org"}
        words = (*MAILER, "send", "--issue", "72", "--yes")
        process = subprocess.Popen(words, cwd=room.folder, env=environment(extra), stdout=log, stderr=log)
        end = time.monotonic() + 60
        while (
            not room.ask("SELECT count(*) FROM deliveries WHERE state = 'accepted'")[0]
            and time.monotonic() < end
        ):
            time.sleep(0.1)
        try:
            yield
        finally:
            process.terminate()
            process.wait(60)
