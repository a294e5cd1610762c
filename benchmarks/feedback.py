"""Reading what comes back: mails a second on one core, beside flufl.bounce; the worst mail; who was found.

The mails are those of the tests, thirteen systems with nine answers each, and those of the folder MAILER_BOUNCES.
Time is that of the processor: a busy machine changes little.
"""

from __future__ import annotations

import email
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from flufl.bounce import all_failures

from benchmarks.table import Options, Wanted, figure, heading, print_table, progress
from mailer.feedback.reading import read
from tests.feedback.systems import SYSTEMS

if TYPE_CHECKING:
    from collections.abc import Callable

READER = "ann@reader.example"
ANSWERS = (
    "550 5.1.1 <ann@reader.example> User unknown",
    "550 5.1.1 No such user here",
    "552 5.2.2 Mailbox full",
    "452 4.2.2 over quota",
    "554 5.7.1 blocked using zen.spamhaus.org",
    "550 5.7.26 This mail is unauthenticated",
    "550 5.2.1 The account is disabled",
    "550 5.7.1 message looks like spam",
    "450 4.1.1 unverified address: user unknown for now",
)


def measure(options: Options) -> list[Wanted]:
    rounds = 3 if options.quick else 20
    ours = [system(READER, answer) for system in SYSTEMS.values() for answer in ANSWERS]
    heading(f"Reading what comes back: {len(ours)} mails, {rounds} times")
    rate = _compare("mails of the tests", ours, rounds)
    folder = os.environ.get("MAILER_BOUNCES")
    if folder:
        mails = [file.read_bytes() for file in sorted(Path(folder).rglob("*.eml"))]
        rate = min(rate, _compare(f"{len(mails)} mails of MAILER_BOUNCES", mails, rounds))
    worst = _worst()
    return [
        Wanted("mails read a second on one core", rate, ">=", 1000),
        Wanted("milliseconds for the worst mail", worst, "<=", 200),
    ]


def _compare(name: str, mails: list[bytes], rounds: int) -> float:
    readers: dict[str, Callable[[bytes], set[str]]] = {
        "mailer: kind, readers, reasons, evidence": lambda raw: {
            one.recipient.lower() for one in read(raw).recipients
        },
        "flufl.bounce: readers": _flufl,
        "email.message_from_bytes alone": _parsed,
    }
    rows, rates = [], []
    for who, reader in readers.items():
        progress(who)
        found = sum(bool(reader(raw)) for raw in mails)
        began = time.process_time()
        for _ in range(rounds):
            for raw in mails:
                reader(raw)
        rates.append(rounds * len(mails) / (time.process_time() - began))
        rows.append((who, figure(rates[-1]), f"{found} of {len(mails)}" if who != list(readers)[2] else ""))
    print_table((name, "a second", "somebody was found"), rows)
    return rates[0]


def _flufl(raw: bytes) -> set[str]:
    temporary, permanent = all_failures(email.message_from_bytes(raw))
    return {address.decode("latin-1").lower() for address in (*temporary, *permanent)}


def _parsed(raw: bytes) -> set[str]:
    email.message_from_bytes(raw)
    return set()


def _worst() -> float:
    """Give the longest time, in milliseconds, that any of the mails takes that were made to be slow."""
    whole = SYSTEMS["postfix"](READER, ANSWERS[0])
    prose = b"Return-Path: <>\nFrom: MAILER-DAEMON@x\nSubject: failure notice\n\n"
    made = {
        "50 MB": whole + b"A" * (50 << 20),
        "50 MB of prose": prose + b"could not be delivered to <a@b.example>\n" * (50 << 15),
        "1,000 nested parts": b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000)
        ),
        "100,000 parts": b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000,
        "20,000 readers": prose
        + b"".join(b"<r%d@x.example>: 550 5.1.1 unknown user\n" % n for n in range(20_000)),
        "tags without end": prose.replace(b"\n\n", b"\nContent-Type: text/html\n\n") + b"<p" * 500_000,
        "signs": prose + (b"a@" * 50 + b"\n") * 10_000,
    }
    rows = []
    for name, raw in made.items():
        began = time.process_time()
        read(raw)
        rows.append((name, (time.process_time() - began) * 1000))
    print_table(("mails made to be slow", "ms"), [(name, f"{took:.0f}") for name, took in rows])
    return max(took for _, took in rows)
