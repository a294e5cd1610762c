"""Mails of ours go out to real servers, come back from them to the listener, and the ledger names the right reader."""

from __future__ import annotations

import asyncio
import os
import smtplib
import threading
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller

from mailer.database import reading
from mailer.errors import UserError
from mailer.feedback import part
from mailer.feedback.taking import came_back
from mailer.message.model import Recipient
from mailer.message.press import Press
from mailer.message.sender import sender_for
from tests.feedback import postfix
from tests.feedback.conftest import KEYS, edition
from tests.feedback.dovecot import free_port
from tests.feedback.house import House, housed
from tests.feedback.systems import SYSTEMS
from tests.feedback.voices import mail

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailer.message.model import Message
    from tests.feedback.conftest import World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
ANN, BO, FULL, MOVED, FAIR = (f"{name}@reader.example" for name in ("ann", "bo", "full", "fwd", "fair"))


class Far:
    """A mail system that refuses some readers, and answers for others later in its own words."""

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, to: str, _options: Any) -> str:  # noqa: N802
        """Refuse by name."""
        if to.startswith(("ann@", "inner@")):
            return f"550 5.1.1 <{to}>: Recipient address rejected: User unknown"
        if to.startswith("full@"):
            return "552 5.2.2 mailbox full"
        if to.startswith("block@"):
            return "550 5.7.1 your address is on our block list"
        envelope.rcpt_tos.append(to)
        return "250 ok"


@contextmanager
def listening(world: World, folder: Path, *, lmtp: bool = True) -> Iterator[tuple[House, int]]:
    """Run the part of the daemon with a listener; give its port."""
    port = free_port()
    more = f"\n[feedback.listen]\nport = {port}\nlmtp = {str(lmtp).lower()}\nlargest_mb = 1\n"
    house = housed(world, folder, more)
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(part.run(house.ground, stopped),))
    thread.start()
    try:
        _until(lambda: _answers(port))
        yield house, port
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(30)
        loop.close()
        assert not thread.is_alive()


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=5):
            return True
    except OSError:
        return False


def _until(true: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def ours(house: House, email: str, sent: int) -> Message:
    """Make a reader's copy as an engine would."""
    sender = sender_for(house.ground.settings.lists["main"])
    press = Press(edition(1), sender, sent, KEYS, (), house.world.now)
    return press.message(Recipient(house.world.person(email).id, house.world.list_id, email))


@pytest.mark.postfix
@pytest.mark.skipif(os.getuid() != 0, reason="Postfix starts as root alone")
def test_a_round_trip_through_postfix(world: World, tmp_path: Path):
    """D18: refused, full and forwarded, bounced by Postfix: each time the ledger names the reader that was mailed."""
    world.join(ANN, BO, FULL, MOVED, FAIR)
    sent = world.send()
    far = Controller(Far(), hostname="127.0.0.1", port=free_port())
    far.start()
    try:
        with listening(world, tmp_path) as (house, port):
            routes = {
                "weekly.example": f"lmtp:inet:127.0.0.1:{port}",
                "reader.example": f"smtp:[127.0.0.1]:{far.port}",
                "cellar.example": f"smtp:[127.0.0.1]:{far.port}",
            }
            with postfix.running(routes, {MOVED: "inner@cellar.example"}) as out:
                with smtplib.SMTP("127.0.0.1", out) as client:
                    for email in (ANN, FULL, MOVED, FAIR):
                        message = ours(house, email, sent)
                        client.sendmail(message.mail_from, [email], message.content)
                _until(lambda: len(world.rows()) == 3)
        with reading(world.engine) as connection:
            back = came_back(connection, sent)
        told = {
            email: [(row["reason"], row["effect"]) for row in back.get(world.person(email).id, [])]
            for email in (ANN, BO, FULL, MOVED, FAIR)
        }
    finally:
        far.stop()
    assert told[ANN] == [("userunknown", "lost")]
    assert told[FULL] == [("mailboxfull", "counted")]
    assert [effect for _, effect in told[MOVED]] in (["lost"], ["counted"])
    assert (told[BO], told[FAIR]) == ([], [])
    assert (house.state(ANN), house.state(BO), house.state(FAIR)) == ("unreachable", "reachable", "reachable")


@pytest.mark.parametrize("lmtp", [True, False])
@pytest.mark.parametrize("system", SYSTEMS)
def test_other_servers_bounce_to_the_return_path(world: World, tmp_path: Path, system: str, lmtp: bool):
    """D18: a report that names nobody of ours or somebody else is about the reader whose return path it came to."""
    world.join(ANN, BO)
    sent = world.send()
    with listening(world, tmp_path, lmtp=lmtp) as (house, port):
        raw = SYSTEMS[system](BO, "550 5.1.1 unknown").replace(b"00a1b2c3", b"nothing-")
        _say(port, lmtp, house.path(ANN, sent), raw)
    assert [row["subscriber_id"] for row in world.rows()] == [world.person(ANN).id]
    assert house.state(BO) == "reachable"


def _say(port: int, lmtp: bool, to: str, raw: bytes) -> None:
    client = smtplib.LMTP("127.0.0.1", port) if lmtp else smtplib.SMTP("127.0.0.1", port)
    with client:
        client.sendmail("", [to], raw)


def test_the_listener_takes_mail_for_us_alone(world: World, tmp_path: Path):
    """V02: 550 for whatever has no token of ours, 451 where it cannot be stored, 552 for what is too large."""
    world.join(ANN)
    sent = world.send()
    with listening(world, tmp_path, lmtp=False) as (house, port):
        path = house.path(ANN, sent)
        for wrong in ("ann@reader.example", "bounce+00112233@weekly.example", "leave@weekly.example"):
            with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
                _say(port, False, wrong, b"Subject: x\n\nx\n")
            assert refused.value.recipients[wrong][0] == 550
        with pytest.raises(smtplib.SMTPSenderRefused):
            _say(port, False, path, b"Subject: x\n\n" + b"x" * 2_000_000)
        with world.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE feedback_notices RENAME TO elsewhere")
        with pytest.raises(smtplib.SMTPDataError) as later:
            _say(port, False, path, house.returned(SYSTEMS["qmail"](ANN, "550 5.1.1 unknown"), ANN, sent))
        assert later.value.smtp_code == 451
        with world.engine.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO feedback_notices")
        _say(port, False, f"leave+{house.leave(ANN)}@weekly.example", mail("bye", "please"))
    assert (house.lists(ANN), house.state(ANN)) == (["unsubscribed"], "reachable")


def test_a_port_that_is_taken_is_said(world: World, tmp_path: Path):
    """A person must mend it."""
    with listening(world, tmp_path) as (house, _), pytest.raises(UserError, match="cannot listen"):
        asyncio.run(part.run(replace(house.ground), asyncio.Event()))
