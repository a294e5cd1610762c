"""What opening a session does: greeting, EHLO and login, and every answer that ends it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from mailer.smtp.connect import ConnectRefused, Stage, open_session
from mailer.smtp.model import SessionLost
from mailer.smtp.relay import Relay, Timeouts, Tls, parse_relay
from mailer.smtp.replies import Cause
from mailer.smtp.session import SmtpSession
from tests.loopback.script import Do, Rule, Script
from tests.loopback.server import LoopbackServer, running
from tests.smtp.conversing import BODY, FAST, LOOPS, deliver, run, session_to
from tests.smtp.opening import offers, refusal, trusting

USERS = {"user": "s/e+c@ret"}
CREDENTIALS = "user:s/e+c@ret"


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "PLAIN", "LOGIN", "CRAM-MD5 XOAUTH2 LOGIN"])
def test_signing_in_over_tls(loop: str, tls: str, mechanisms: str):
    """STARTTLS and implicit TLS, PLAIN and LOGIN, the certificate checked, on both loops."""
    script = Script(tls=tls, users=USERS, mechanisms=mechanisms, auth_needs_tls=True, auth_required=True)
    with running(script) as server:
        session = offers(trusting(server, credentials=CREDENTIALS), loop)
        assert session.offered.pipelining
        assert [one.content for one in server.accepted] == [BODY]


def test_signing_in_on_loopback_needs_no_tls():
    """The one exception of S21."""
    with running(Script(users=USERS, auth_required=True)) as server:
        offers(server.url(credentials=CREDENTIALS))
        assert len(server.accepted) == 1


def test_a_secret_never_travels_in_the_clear():
    """S21: neither where TLS is off nor where it was only hoped for, whatever the server offers."""
    with running(Script(users=USERS)) as server:
        far = Relay(host="127.0.0.1", port=server.port, username="user", password="x", tls=Tls.IF_OFFERED)

        async def work() -> ConnectRefused:
            from mailer.smtp import connect

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(connect, "is_loopback", lambda _: False)
                with pytest.raises(ConnectRefused) as raised:
                    await open_session(far, hostname="client.example.org")
            return raised.value

        refused = run(work())
        assert refused.stage is Stage.AUTH
        assert refused.needs_operator
        assert "in the clear" in refused.why


@pytest.mark.parametrize("loop", LOOPS)
def test_a_quiet_line_is_probed(loop: str):
    """A relay that has forgotten the line says so within a minute, and no line is given up before S07 does."""
    with running() as server:

        async def work() -> tuple[int, int, int]:
            session = await open_session(parse_relay(server.url()), hostname="client.example.org")
            assert isinstance(session, SmtpSession)
            line = session._line._transport.get_extra_info("socket")
            assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            words = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            idle, between, count = (line.getsockopt(socket.IPPROTO_TCP, word) for word in words)
            await session.quit()
            return idle, between, count

        idle, between, count = run(work(), loop)
    assert idle <= 60
    assert idle + between * count >= Timeouts().final


@pytest.mark.parametrize("loop", LOOPS)
def test_a_wrong_password_is_the_operators_to_mend(loop: str):
    """The reply is kept, the secret is not shown."""
    with running(Script(users=USERS)) as server:
        refused = refusal(server.url(credentials="user:hidden"), loop)
    assert (refused.stage, refused.cause) == (Stage.AUTH, Cause.RELAY_REFUSES_US)
    assert refused.reply is not None
    assert refused.reply.code == 535
    assert "hidden" not in str(refused)
    assert "user" not in str(refused)
    assert not refused.in_doubt


CONNECTING = [
    ("421 at once", [Rule("greeting", "421 4.3.2 bye", Do.REPLY_DROP)], Stage.GREETING, Cause.RELAY_DOWN, 421),
    ("too many", [Rule("greeting", "421 4.7.0 too many", Do.REPLY_DROP)], Stage.GREETING, Cause.RELAY_BUSY, 421),
    ("not welcome", [Rule("greeting", "554 away", Do.REPLY_DROP)], Stage.GREETING, Cause.RELAY_REFUSES_US, 554),
    ("a closed door", [Rule("greeting", do=Do.DROP)], Stage.GREETING, Cause.RELAY_DOWN, None),
    ("a mute server", [Rule("greeting", do=Do.STALL)], Stage.GREETING, Cause.RELAY_DOWN, None),
    ("not SMTP", [Rule("greeting", "SSH-2.0-OpenSSH_9.2")], Stage.GREETING, Cause.RELAY_DOWN, None),
    ("EHLO deferred", [Rule("ehlo", "451 4.3.0 later")], Stage.HELLO, Cause.RELAY_DOWN, 451),
    ("HELO refused", [Rule("ehlo", "502 no"), Rule("helo", "550 no")], Stage.HELLO, Cause.RELAY_REFUSES_US, 550),
    ("421 at EHLO", [Rule("ehlo", "421 4.3.2 bye", Do.REPLY_DROP)], Stage.HELLO, Cause.RELAY_DOWN, 421),
    ("EHLO unanswered", [Rule("ehlo", do=Do.STALL)], Stage.HELLO, Cause.RELAY_DOWN, None),
    ("a drop at EHLO", [Rule("ehlo", do=Do.DROP)], Stage.HELLO, Cause.RELAY_DOWN, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rules", "stage", "cause", "code"), [one[1:] for one in CONNECTING], ids=[one[0] for one in CONNECTING]
)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_fails(loop: str, rules: list[Rule], stage: Stage, cause: Cause, code: int | None):
    """Every failure says how far it came, whose turn it is, and what was said."""
    with running(Script(rules=tuple(rules))) as server:
        refused = refusal(server.url(FAST), loop)
    assert (refused.stage, refused.cause) == (stage, cause)
    assert (refused.reply and refused.reply.code) == code
    assert refused.needs_operator is (cause is Cause.RELAY_REFUSES_US)
    assert isinstance(refused, SessionLost)


@pytest.mark.parametrize("tls", ["off", "starttls", "implicit"])
def test_a_server_of_old_that_knows_helo_alone(tls: str):
    """S09: HELO where EHLO is refused for good, and then without any extension, but never at the cost of TLS."""
    with running(Script(rules=(Rule("ehlo", "500 what?"),), tls=tls)) as server:
        if tls == "starttls":
            assert refusal(trusting(server)).stage is Stage.HELLO
        else:
            url = trusting(server) if tls == "implicit" else server.url()
            assert not offers(url).offered.pipelining


def test_nobody_is_there():
    """A port without a server."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        refused = refusal(f"smtp://127.0.0.1:{held.getsockname()[1]}")
    assert (refused.stage, refused.cause, refused.reply) == (Stage.CONNECT, Cause.RELAY_DOWN, None)
    assert refused.why.startswith("127.0.0.1:")


def test_a_name_that_leads_nowhere():
    """`.invalid` never resolves (RFC 2606)."""
    refused = refusal("smtp://mail.invalid?timeout_connect=5")
    assert (refused.stage, refused.cause) == (Stage.CONNECT, Cause.RELAY_DOWN)


def test_the_server_says_goodbye_between_two_messages():
    """A 421 in an idle moment is the next exchange's loss, and nothing is in doubt (S13)."""

    async def work(server: LoopbackServer) -> SessionLost:
        session = await session_to(server)
        await deliver(session, "reader@example.net")
        server.tell("421 4.4.2 idle for too long")
        while not session._line.lost:  # noqa: ASYNC110 - nobody else is told of it
            await asyncio.sleep(0.01)
        with pytest.raises(SessionLost) as raised:
            await deliver(session, "reader@example.net")
        return raised.value

    with running() as server:
        lost = run(work(server))
    assert lost.reply is not None
    assert lost.reply.code == 421
    assert not lost.in_doubt
    assert lost.final is None


def test_a_cancelled_opening_leaves_nothing_open():
    """Ctrl-C while a connection is made."""

    async def work(server: LoopbackServer) -> None:
        task = asyncio.create_task(session_to(server))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for _ in range(100):
            if not server.connections:
                return
            await asyncio.sleep(0.02)
        pytest.fail("the connection is still open")

    with running(Script(rules=(Rule("ehlo", do=Do.STALL),))) as server:
        run(work(server))


def test_a_cancelled_exchange_drops_the_line():
    """What it had under way is in doubt, so the session cannot be used again."""

    async def work(server: LoopbackServer) -> SessionLost:
        session = await session_to(server)
        await deliver(session, "reader@example.net")
        task = asyncio.create_task(deliver(session, "slow@example.net"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(SessionLost) as raised:
            await session.exchange(None, None)
        await session.quit()
        return raised.value

    with running(Script(rules=(Rule("rcpt", do=Do.STALL, recipient="slow@*"),))) as server:
        assert "cancelled" in run(work(server)).why
