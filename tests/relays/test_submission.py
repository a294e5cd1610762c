"""The Postfix of docs/relays.md for a `mailer` on another machine: TLS, and a password that Dovecot checks."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mailer.smtp.connect import ConnectRefused, open_session
from mailer.smtp.relay import Kind, parse_relay
from mailer.smtp.replies import Cause, classify
from tests.feedback.dovecot import free_port
from tests.loopback.server import LoopbackServer, running
from tests.relays.postfix import Postfix, checking_passwords, relaying
from tests.smtp.conversing import deliver, run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailer.smtp.model import Exchange

pytestmark = [
    pytest.mark.postfix,
    pytest.mark.dovecot,
    pytest.mark.slow,
    pytest.mark.skipif(os.getuid() != 0, reason="Postfix starts as root alone"),
]


@pytest.fixture(scope="module")
def relay() -> Iterator[tuple[Postfix, LoopbackServer, str]]:
    """A Postfix with `submission`, the far host that it sends to, and the URL without who sends."""
    port = free_port()
    with (
        running() as far,
        relaying({"*": f"smtp:[127.0.0.1]:{far.port}"}, port) as postfix,
        checking_passwords(postfix, "mailer", "s-e-c-r-e-t"),
    ):
        yield postfix, far, f"localhost:{port}?tls=starttls&ca={postfix.folder}/certificate.pem"


def sent(url: str) -> list[Exchange]:
    async def work() -> list[Exchange]:
        session = await open_session(parse_relay(url), hostname="client.example.org")
        done = await deliver(session, "reader@example.net")
        await session.quit()
        return done

    return run(work())


def test_who_has_shown_the_password_over_tls_may_send(relay: tuple[Postfix, LoopbackServer, str]):
    """And Postfix writes down who it was, and that the line was secret."""
    postfix, _, url = relay
    done = sent(f"smtp://mailer:s-e-c-r-e-t@{url}")
    assert done[-1].final is not None
    assert done[-1].final.positive
    assert "sasl_method=PLAIN, sasl_username=mailer" in postfix.log


def test_a_wrong_password_is_the_operators_affair(relay: tuple[Postfix, LoopbackServer, str]):
    """Nothing is sent, and trying again is in vain."""
    with pytest.raises(ConnectRefused) as refused:
        sent(f"smtp://mailer:a-guess@{relay[2]}")
    assert refused.value.needs_operator


def test_who_has_no_password_may_not_send(relay: tuple[Postfix, LoopbackServer, str]):
    """Though this machine is in mynetworks: here the password counts. No reader is blamed for it."""
    (done, *_) = sent(f"smtp://{relay[2]}")
    assert done.refusal is not None
    assert classify(Kind.POSTFIX, done.refusal, done.refused_at) is Cause.RELAY_REFUSES_US


def test_nothing_is_said_in_the_clear(relay: tuple[Postfix, LoopbackServer, str]):
    """Without TLS not even the sender is listened to."""
    with pytest.raises(ConnectRefused):
        sent(f"smtp://mailer:s-e-c-r-e-t@{relay[2].partition('?')[0]}?tls=off")
    (done, *_) = sent(f"smtp://{relay[2].partition('?')[0]}?tls=off")
    assert done.refusal is not None
    assert done.refusal.code == 530
