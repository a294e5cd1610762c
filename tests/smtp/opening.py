"""Opening a session in a test: what refused it, whom it trusts, what the server offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.smtp.connect import ConnectRefused, open_session
from mailer.smtp.relay import parse_relay
from mailer.smtp.session import SmtpSession
from tests.smtp.conversing import FAST, deliver, run

if TYPE_CHECKING:
    from tests.loopback.server import LoopbackServer


def refusal(url: str, loop: str = "uvloop") -> ConnectRefused:
    """Give what comes of a connection that must fail."""

    async def work() -> ConnectRefused:
        with pytest.raises(ConnectRefused) as raised:
            await open_session(parse_relay(url), hostname="client.example.org")
        return raised.value

    return run(work(), loop)


def trusting(server: LoopbackServer, options: str = "", credentials: str = "") -> str:
    """Give a URL that trusts the server's certificate."""
    return server.url(
        f"tls={server.script.tls}&ca={server.certificate}&{FAST}&{options}".rstrip("&"), credentials
    )


def offers(url: str, loop: str = "uvloop") -> SmtpSession:
    """Open and close a session, and give it for a look at what the server offered."""

    async def work() -> SmtpSession:
        session = await open_session(parse_relay(url), hostname="client.example.org")
        assert isinstance(session, SmtpSession)
        assert [one.ready for one in await deliver(session, "reader@example.net")] == [True, False]
        await session.quit()
        return session

    return run(work(), loop)
