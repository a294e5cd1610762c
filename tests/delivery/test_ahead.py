"""Messages made ahead in threads are the messages that would have been made in turn."""

from __future__ import annotations

import asyncio
import re
import threading
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from mailer.delivery import ahead
from mailer.delivery.ahead import MOST, Ahead, Order
from mailer.delivery.model import Claim
from mailer.edition import Context, Slot
from mailer.errors import UserError
from mailer.message import Message, Recipient
from mailer.message.dkim import load_signers
from mailer.message.dkim_keys import new_keys
from tests.delivery.office import Office
from tests.loopback.server import running
from tests.message import verifier
from tests.message.samples import NOW, edition, press

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.message.dkim import Signer

GREETING = Slot("subscriber.name", Context.HTML, "you")


@pytest.fixture(scope="module")
def records() -> dict[str, str]:
    """What the DNS would say, once `signers` were made."""
    return {}


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory, records: dict[str, str]) -> tuple[Signer, ...]:
    """An RSA and an Ed25519 key of the sender."""
    folder = tmp_path_factory.mktemp("dkim")
    records |= {one.name: one.value for one in new_keys(folder, "kiln.example", "test")}
    return load_signers(folder)


def claims(count: int) -> deque[Claim]:
    """Give claims as a desk holds them."""
    return deque(Claim(1, n, 1, 1, f"p{n}@a.example", "a.example", 0) for n in range(1, count + 1))


def recipient(claim: Claim) -> Recipient:
    """Give the reader of a claim."""
    return Recipient(claim.subscriber_id, 1, claim.address, f"Reader {claim.subscriber_id}")


async def taken(bench: Ahead, waiting: deque[Claim]) -> dict[int, Message]:
    """Take all as an engine does: look ahead, take one, get its message."""
    made = {}
    while waiting:
        bench.look(waiting)
        claim = waiting.popleft()
        made[claim.subscriber_id] = await bench.message(claim)
    return made


def test_the_octets_are_those_of_messages_made_in_turn(
    signers: tuple[Signer, ...], records: dict[str, str]
) -> None:
    """Each reader's message is theirs, octet for octet, and its signatures verify."""
    one = press(edition(("<p>Hello ", GREETING, "</p>\n")), signers=signers)

    async def run() -> dict[int, Message]:
        bench = Ahead(lambda claim: Order(one, recipient(claim)))
        try:
            return await taken(bench, claims(200))
        finally:
            bench.close()

    made = asyncio.run(run())
    assert len(made) == 200
    for claim in claims(200):
        assert made[claim.subscriber_id] == one.message(recipient(claim))
    verdicts = verifier.verify(made[77].content, records)
    assert verdicts == [("rsa-sha256", True), ("ed25519-sha256", True)]


def test_nothing_is_made_twice_and_never_too_much(signers: tuple[Signer, ...]) -> None:
    """Each claim is ordered once; at most MOST are begun before one is taken."""
    one, ordered = press(signers=signers), Counter[int]()

    def order(claim: Claim) -> Order:
        ordered[claim.subscriber_id] += 1
        return Order(one, recipient(claim))

    async def run() -> None:
        bench, waiting = Ahead(order), claims(1000)
        try:
            for _ in range(3):
                bench.look(waiting)
            assert sum(ordered.values()) <= MOST
            await taken(bench, waiting)
        finally:
            bench.close()

    asyncio.run(run())
    assert set(ordered) == set(range(1, 1001))
    assert set(ordered.values()) == {1}


def test_lanes_wait_together_and_one_that_is_cancelled_takes_nothing_from_the_others() -> None:
    """Several lanes ask for messages of one batch while it is still being made."""
    gate = threading.Event()

    class Slow:
        def message(self, reader: Recipient) -> Message:
            gate.wait(10)
            return Message("", reader.email, b"", "", "")

    async def run() -> list[str]:
        bench, waiting = Ahead(lambda claim: Order(Slow(), recipient(claim))), claims(4)
        bench.look(waiting)
        tasks = [asyncio.create_task(bench.message(claim)) for claim in waiting]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        gate.set()
        try:
            return [(await task).recipient for task in tasks[1:]]
        finally:
            bench.close()

    assert asyncio.run(run()) == ["p2@a.example", "p3@a.example", "p4@a.example"]


def test_a_message_that_cannot_be_made_is_its_readers_trouble_alone() -> None:
    """The error comes out where that message is asked for; its neighbours in the thread are made."""
    one = press()

    def order(claim: Claim) -> Order:
        email = "not an address" if claim.subscriber_id == 3 else claim.address
        return Order(one, Recipient(claim.subscriber_id, 1, email))

    async def run() -> list[int]:
        bench, waiting, failed = Ahead(order), claims(20), []
        try:
            bench.look(waiting)
            for claim in waiting:
                try:
                    await bench.message(claim)
                except UserError:
                    failed.append(claim.subscriber_id)
        finally:
            bench.close()
        return failed

    assert asyncio.run(run()) == [3]


def test_what_waited_too_long_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message made ahead has a Date: after a long rest of the relay it gets the one of now."""
    monkeypatch.setattr(ahead, "FRESH", 0.0)
    one = press()

    async def run() -> Message:
        bench, waiting = Ahead(lambda claim: Order(one, recipient(claim))), claims(1)
        try:
            bench.look(waiting)
            one.redate(NOW + timedelta(hours=2))
            return await bench.message(waiting[0])
        finally:
            bench.close()

    assert b"11:30:00" in asyncio.run(run()).content


def test_what_is_laid_back_is_dropped() -> None:
    """It is ordered anew when it is claimed again: with the reader's name of then."""
    names, one = iter(["Old", "New"]), press(edition(("<p>Hello ", GREETING, "</p>\n")))

    async def run() -> Message:
        bench, waiting = (
            Ahead(lambda claim: Order(one, Recipient(1, 1, claim.address, next(names)))),
            claims(1),
        )
        try:
            bench.look(waiting)
            bench.forget(waiting)
            return await bench.message(waiting[0])
        finally:
            bench.close()

    assert b"To: New <p1" in asyncio.run(run()).content


def test_a_press_is_redated_while_threads_make_messages(
    signers: tuple[Signer, ...], records: dict[str, str]
) -> None:
    """Whoever makes a message meanwhile gets the old minute or the new, never a mix of both."""
    one, stop = press(edition(("<p>Hello ", GREETING, "</p>\n")), signers=signers), threading.Event()

    def make() -> list[bytes]:
        made = []
        while not stop.is_set():
            made.append(one.message(Recipient(1, 1, "p@a.example", "Jane")).content)
        return made

    with ThreadPoolExecutor(2) as pool:
        makers = [pool.submit(make) for _ in range(2)]
        for minute in range(300):
            one.redate(NOW + timedelta(minutes=minute))
        stop.set()
        made = [octets for maker in makers for octets in maker.result()]
    for octets in set(made):
        date = parsedate_to_datetime(message_from_bytes(octets)["Date"])
        assert {int(at) for at in re.findall(rb" t=(\d+);", octets)} == {int(date.timestamp())}
    assert all(good for _, good in verifier.verify(made[-1], records))


def test_signed_mail_goes_to_everybody_once(
    tmp_path: Path, engine: Database, signers: tuple[Signer, ...]
) -> None:
    """With keys the engine makes messages ahead; each reader gets their own, signed."""
    office = Office(tmp_path, engine, 300)
    with running() as server:
        result = office.send(server.url("connections=8"), signers=signers)
        got = {one.recipient: one.content for one in server.accepted}
        assert len(server.accepted) == len(got) == 300
    assert result.sums.unsettled == 0
    for address, octets in got.items():
        assert octets.count(b"DKIM-Signature:") == 2
        assert message_from_bytes(octets)["To"].endswith(address)


def test_signed_mail_that_is_stopped_goes_on(
    tmp_path: Path, engine: Database, signers: tuple[Signer, ...]
) -> None:
    """What was made ahead and not sent is dropped with the claims that go back; nobody is skipped or mailed twice."""
    office = Office(tmp_path, engine, 400)
    with running() as server:
        first = office.send(server.url("connections=4"), stop_after=40, signers=signers)
        assert first.sums.waiting > 0
        office.send(server.url("connections=4"), signers=signers)
        assert sorted(one.recipient for one in server.accepted) == sorted(office.rows())
