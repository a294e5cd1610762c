"""The stages of a message, each alone, through the real code of its room; gives what it cost, and prints nothing.

CPU is user and system time of this process, all its threads; PostgreSQL's that of the server and its processes.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from benchmarks import stock
from benchmarks.demand import MICRO
from benchmarks.process import sink
from benchmarks.table import progress
from mailer.database import writing
from mailer.delivery import ledger
from mailer.delivery.audience import Planner
from mailer.delivery.dispatch import now_utc
from mailer.delivery.journal import Journal
from mailer.delivery.model import Claim, Settlement
from mailer.delivery.recorder import Recorder
from mailer.delivery.seat import AloneSeat, AtOnceSeat, Seat
from mailer.delivery.segments import plain
from mailer.delivery.states import DeliveryState
from mailer.delivery.writer import Writer
from mailer.keys import Key, Keys
from mailer.message import Recipient
from mailer.message.dkim import Signer
from mailer.message.press import Press
from mailer.message.sender import invented_sender
from mailer.smtp import Envelope
from mailer.smtp.connect import open_session
from mailer.smtp.relay import parse_relay
from subscribers import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from benchmarks.stock import Stock
    from mailer.edition import Edition
    from mailer.message import Message
    from mailer.smtp import Session

LANES = 20
GROUP = 16  # moves that share a commit in the table
FEW, MANY = 4, 32  # two sizes of groups tell what a move costs and what a commit
EPOCH = 1
_BATCH = 500  # claims at a time, as the engine takes them
KEYS = Keys((Key(1, b"k" * 32),))


@dataclass(frozen=True)
class Spent:
    """What some messages cost: seconds of CPU here and in the database's server, and on the clock."""

    messages: int
    here: float
    server: float
    clock: float
    octets: int = 0  # of PostgreSQL's log

    @property
    def each(self) -> float:
        return self.here / self.messages / MICRO

    @property
    def each_server(self) -> float:
        return self.server / self.messages / MICRO


@contextmanager
def spending(messages: int, ready: Stock | None = None) -> Iterator[list[Spent]]:
    """Measure a block; what it cost is in the list afterwards."""
    found: list[Spent] = []
    server, log = (ready.server(), ready.log()) if ready else (0.0, 0)
    here, clock = time.process_time(), time.perf_counter()
    yield found
    here, clock = time.process_time() - here, time.perf_counter() - clock
    after = (ready.server(), ready.log()) if ready else (0.0, 0)
    found.append(Spent(messages, here, after[0] - server, clock, after[1] - log))


def spend(messages: int, work: Callable[[], object], ready: Stock | None = None) -> Spent:
    """Measure a call."""
    with spending(messages, ready) as found:
        work()
    return found[0]


# --- making


def making(of: Edition, count: int) -> dict[str, float]:
    """Give the microseconds of making a message, by what signs it."""
    rsa, ed25519 = _signers()
    kinds = {"unsigned": (), "RSA-2048": (rsa,), "Ed25519": (ed25519,), "both": (rsa, ed25519)}
    found = {}
    for name, signers in kinds.items():
        progress(f"making messages, {name}")
        press = _press(of, signers)
        people = [
            Recipient(n, 1, f"reader{n}@d{n % 5000}.example.net", f"Reader Number{n}") for n in range(count)
        ]
        spent = spend(
            count, lambda press=press, people=people: [press.message(one) and None for one in people]
        )
        found[name] = spent.each
    return found


def _press(of: Edition, signers: Sequence[Signer] = ()) -> Press:
    sender = replace(invented_sender("https://news.example.org"), return_path="bounces@example.com")
    return Press(of, sender, 1, KEYS, signers, now_utc())


def _signers() -> tuple[Signer, Signer]:
    how = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    rsa = generate_private_key(65537, 2048).private_bytes(*how)
    ed25519 = Ed25519PrivateKey.generate().private_bytes(*how)
    return Signer.rsa("example.com", "r", rsa), Signer.ed25519("example.com", "e", ed25519)


# --- talking


def talking(of: Edition, count: int) -> float:
    """Give the microseconds of an exchange over pipelined connections, without a ledger."""
    progress("exchanging with smtp-sink")
    with sink() as port:
        return exchanging(of, port, count // LANES, LANES).each


def exchanging(of: Edition, port: int, each: int, lanes: int) -> Spent:
    """Exchange so many messages over each of so many connections to a server on this machine, and nothing else."""
    message = _press(of).message(Recipient(1, 1, "reader1@example.net", "Reader"))
    return uvloop.run(_exchanges(f"smtp://127.0.0.1:{port}", message, each, lanes))


async def _exchanges(url: str, message: Message, each: int, lanes: int) -> Spent:
    sessions = [await open_session(parse_relay(url), hostname="client.example.org") for _ in range(lanes)]
    envelope = Envelope(message.mail_from, message.recipient, len(message.content), message.envid)

    async def talk(session: Session) -> None:
        body = None
        for number in range(each + 1):
            done = await session.exchange(body, envelope if number < each else None)
            body = message.content
            if not (done.ready or number == each):
                raise RuntimeError(f"smtp-sink said {done}")

    with spending(each * lanes) as spent:
        await asyncio.gather(*map(talk, sessions))
    for session in sessions:
        await session.quit()
    return spent[0]


# --- the journal and the ledger


def journalling(count: int) -> float:
    progress("writing the journal")
    claims = [
        Claim(1, number, 1, 1, f"reader{number}@example.net", "example.net", 0) for number in range(count)
    ]
    with (
        tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder,
        Journal(Path(folder), EPOCH) as journal,
    ):

        def work() -> None:
            for group in _groups(claims, GROUP):
                journal.write(_accepted(group), group)

        return spend(count, work).each


def moving(kind: str, count: int, of: Edition) -> dict[str, Spent]:
    """Measure planning, claiming, fence and outcome (in groups of two sizes), and the recorder."""
    progress(f"the ledger on {kind}")
    with stock.stocked(kind, 2 * count, of) as ready:
        found = {"plan": spend(2 * count, lambda: _plan(ready), ready)}
        stock.analyse(
            ready.engine
        )  # autovacuum's work; a table of which nothing is known has plans of its own
        claims: list[Claim] = []
        found["claim"] = spend(count, lambda: claims.extend(_claim(ready, count)), ready)
        half = count // 2
        found["few"] = spend(half, lambda: _moves(ready, claims[:half], FEW), ready)
        found["many"] = spend(half, lambda: _moves(ready, claims[half:], MANY), ready)
        more = _claim(ready, count, count + 1)
        found["recorder"] = spend(count, lambda: asyncio.run(_recorded(ready, more)), ready)
    return found


def _plan(ready: Stock) -> None:
    planner = Planner(ready.mailing_id, plain)
    more = True
    while more:
        with writing(ready.engine) as connection:
            more = planner.step(connection, now_utc())


def _claim(ready: Stock, count: int, first: int = 1) -> list[Claim]:
    """Claim, and read what the messages need of their readers; on PostgreSQL batch by batch, as `mailer run` does."""
    claims: list[Claim] = []
    ranged = ready.engine.dialect.name == "postgresql"
    while len(claims) < count:
        within = (first + len(claims), first + len(claims) + _BATCH - 1) if ranged else None
        with writing(ready.engine) as connection:
            some = ledger.claim(connection, ready.mailing_id, EPOCH, now_utc(), _BATCH, within=within)
            readers(connection, [claim.subscriber_id for claim in some], with_attributes=False)
        if not some:
            raise RuntimeError("nobody is left to claim")
        claims += some
    return claims[:count]


def _moves(ready: Stock, claims: Sequence[Claim], size: int) -> None:
    """Settle each group and fence the next in one transaction, by the seat that the recorder has for it."""
    server = ready.engine.dialect.name == "postgresql"
    seat: Seat = AloneSeat(ready.engine) if server else AtOnceSeat(ready.engine)
    transact = seat.transact_prepared if isinstance(seat, AtOnceSeat) else seat.transact
    before: Sequence[Claim] = ()
    for group in (*_groups(claims, size), ()):
        work = partial(_advance, accepted=_accepted(before), claims=group)
        if transact(work) < len(group):
            raise RuntimeError("a fence was not granted")
        before = group
    seat.close()


def _advance(connection: Connection, accepted: Sequence[Settlement], claims: Sequence[Claim]) -> int:
    return len(ledger.advance(connection, EPOCH, accepted, claims, now_utc()))


async def _recorded(ready: Stock, claims: Sequence[Claim]) -> None:
    """Let as many lanes as the engine has record their moves, each waiting for its grants, without any SMTP."""
    waiting = iter(claims)
    with (
        tempfile.TemporaryDirectory(prefix="mailer-bench-") as folder,
        Journal(Path(folder), EPOCH) as journal,
    ):
        recorder = Recorder(Writer(ready.engine, journal, EPOCH, now_utc))
        recorder.attend(LANES)

        async def lane() -> None:
            before: list[Settlement] = []
            for claim in waiting:
                if not await recorder.record(before, claim):
                    raise RuntimeError("a fence was not granted")
                before = _accepted([claim])
            await recorder.record(before, None)

        await asyncio.gather(*(lane() for _ in range(LANES)))
        await recorder.close()


def _accepted(claims: Sequence[Claim]) -> list[Settlement]:
    now = now_utc()
    state = DeliveryState.ACCEPTED
    return [Settlement(claim, state, now, reply="250 2.0.0 Ok", relay_id="4cNxW22rlZz") for claim in claims]


def _groups(claims: Sequence[Claim], size: int) -> Iterator[Sequence[Claim]]:
    rest = iter(claims)
    while group := list(islice(rest, size)):
        yield group
