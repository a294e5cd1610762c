"""What the tests of this room share: a loop with a guard against hanging, an open session, a message."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

import uvloop

from mailer.smtp.connect import open_session
from mailer.smtp.model import Envelope, Exchange
from mailer.smtp.relay import parse_relay

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mailer.smtp.model import Session
    from tests.loopback.server import LoopbackServer

T = TypeVar("T")
LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
BODY = b"From: a@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: one\r\n\r\nHello.\r\n"
FAST = "timeout_mail=0.3&timeout_rcpt=0.3&timeout_data=0.3&timeout_final=0.3&timeout_greeting=0.3&timeout_block=0.3"


def run(work: Coroutine[Any, Any, T], loop: str = "uvloop", seconds: float = 30) -> T:
    """Run to the end, or fail rather than hang."""
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        return runner.run(asyncio.wait_for(work, seconds))


def envelope(recipient: str = "reader@example.net", body: bytes = BODY) -> Envelope:
    """Give the envelope of a message."""
    return Envelope("bounces@example.org", recipient, len(body), envid="72.1")


async def session_to(server: LoopbackServer, options: str = "") -> Session:
    """Give an open session to a server on loopback."""
    return await open_session(parse_relay(server.url(options)), hostname="client.example.org")


async def deliver(session: Session, *recipients: str, body: bytes = BODY) -> list[Exchange]:
    """Send one message to each recipient, each envelope behind the body before it, and give every exchange."""
    exchanges: list[Exchange] = []
    waiting: bytes | None = None
    for recipient in (*recipients, None):
        offered = None if recipient is None else envelope(recipient, body)
        done = await session.exchange(waiting, offered)
        exchanges.append(done)
        waiting = body if done.ready else None
        if waiting is None and recipient is None:
            break
    return exchanges
