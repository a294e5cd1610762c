"""The engine with several relays, and with relays that write messages anew: who sends what, and what is signed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sqlalchemy import update

from mailer.database import writing
from mailer.delivery import mailing, sending
from mailer.delivery.tables import deliveries
from mailer.keys import Key, Keys
from mailer.message.identity import message_id, read_message_id
from mailer.smtp.relay import parse_relay
from tests.delivery.conftest import NOON
from tests.delivery.office import KEYS, Office, S
from tests.loopback.server import Rule, Script, running

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine as Database

OLDER, NEWER = Key(1, b"k" * 32), Key(2, b"n" * 32)


def test_relays_share_by_weight_and_stand_in_for_each_other(tmp_path: Path, engine: Database) -> None:
    """Two relays of weights 3 and 1 get three quarters and one; when one is gone the other takes all."""
    office = Office(tmp_path, engine, 400)
    with running(Script(delay=0.001)) as heavy, running(Script(delay=0.001)) as light:
        relays = [
            parse_relay(heavy.url("connections=4&weight=3"), "heavy"),
            parse_relay(light.url("connections=4"), "light"),
            parse_relay("smtp://127.0.0.1:1", "gone"),
        ]
        ground = sending.Ground(office.settings, KEYS, office.world.engine, relays)
        result = asyncio.run(sending.deliver(ground, office.world.mailing_id))
        assert result.sums[S.ACCEPTED] == len(heavy.accepted) + len(light.accepted) == 400
        assert 0.6 < len(heavy.accepted) / 400 < 0.9


def test_what_the_relay_writes_anew_is_not_signed(tmp_path: Path, engine: Database) -> None:
    """Amazon SES replaces Message-ID and Date: a signature over them would break (K09)."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    from mailer.message.dkim import Signer

    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    office = Office(tmp_path, engine, 1)
    with running() as server:
        relays = [parse_relay(server.url("kind=ses"))]
        signers = (Signer.rsa("sender.example", "s1", pem),)
        ground = sending.Ground(office.settings, KEYS, office.world.engine, relays, signers)
        asyncio.run(sending.deliver(ground, office.world.mailing_id))
        content = server.accepted[0].content.lower()
    signed = content[content.index(b"dkim-signature") : content.index(b"bh=")]
    assert b"subject" in signed
    assert b"message-id" not in signed
    assert b"date" not in signed


def test_a_mailing_keeps_the_key_that_it_began_with(tmp_path: Path, engine: Database) -> None:
    """A message that is tried again after the secret was rotated has the Message-ID that it had before."""
    first = Script(rules=(Rule("final", "451 4.3.0 later", recipient="reader7@*"),))
    office, rotated = Office(tmp_path, engine, 20), Keys((NEWER, OLDER))
    with running(first) as server:
        office.send(server.url())
        tried = {one.recipient: one.message_id for one in server.accepted}
    with writing(office.world.engine) as c:
        assert mailing.get(c, office.world.mailing_id).key_id == OLDER.id
        c.execute(update(deliveries).values(due_at=NOON))
    with running() as server:
        office.send(server.url(), keys=rotated)
        [again] = server.accepted
    before = {message_id(KEYS, office.world.mailing_id, n, "sender.example") for n in range(1, 21)}
    assert {*tried.values(), again.message_id} == before
    for token in before:
        assert read_message_id(rotated, token) is not None
