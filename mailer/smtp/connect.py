"""From a relay's description to an open session: connect, greet, encrypt, authenticate, and hand the line over.

aiosmtplib does the talking; then its transport gets a protocol of ours, which can pipeline. Promises:
credentials never travel in the clear except on loopback (S21); where TLS is asked for, nothing goes on
without it; what was said before TLS is forgotten, and text that somebody put behind the answer to STARTTLS
ends the connection (S19, RFC 3207); every failure is a ConnectRefused that says how far we came and whose
turn it is. Never: falls back to plain text, or shows a secret.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import socket
import ssl
from enum import StrEnum
from typing import TYPE_CHECKING, cast

import aiosmtplib
import aiosmtplib.protocol

from mailer.smtp.model import Reply, SessionLost
from mailer.smtp.relay import Kind, Relay, Tls, is_loopback
from mailer.smtp.replies import Cause, classify
from mailer.smtp.session import SmtpSession
from mailer.smtp.wire import Capabilities, read_reply

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.smtp.model import Session


class Stage(StrEnum):
    """How far a connection came."""

    CONNECT = "connect"
    GREETING = "greeting"
    HELLO = "hello"
    TLS = "tls"
    AUTH = "auth"


class ConnectRefused(SessionLost):
    """No session came about; nothing was sent. `cause` is about the relay: busy, quota, down, or refusing us."""

    def __init__(self, why: str, *, stage: Stage, cause: Cause, reply: Reply | None = None) -> None:
        super().__init__(why, reply=reply, at=stage)
        self.stage = stage
        self.cause = cause

    @property
    def needs_operator(self) -> bool:
        """Whether trying again is in vain until a person changes something: a password, a certificate, a setting."""
        return self.cause is Cause.RELAY_REFUSES_US


async def open_session(relay: Relay, *, hostname: str) -> Session:
    """Give an open, authenticated session; `hostname` is our own name for EHLO (S09).

    Raises ConnectRefused. A folder needs no connection and is given at once.
    """
    if relay.kind is Kind.FOLDER:
        from mailer.smtp.folder import FolderSession  # noqa: PLC0415 - only who writes to a folder needs it

        return FolderSession(relay)
    return await _Dialogue(relay, hostname).open()


# Seconds between probes, and how many: a relay that has forgotten the line (it was started anew, it lost patience while
# a network was cut) says so to the first one, and nobody waits ten minutes for its answer. A line that is only cut is
# not given up before S07 gives it up, so that no message is in doubt whose answer may still come.
_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 18}


def _prepare(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _PROBES.items():
        if hasattr(socket, name):  # not everywhere by this name
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


# One reply and nothing behind it.
_ONE_REPLY = re.compile(rb"(?:[0-9]{3}-[^\n]*\n)*[0-9]{3}(?: [^\n]*)?\r?\n")


class _Tap(asyncio.Protocol):
    """Sees what a line in the clear brings, on its way to aiosmtplib, which would forget it in silence."""

    def __init__(self, inner: aiosmtplib.protocol.SMTPProtocol) -> None:
        self.seen = bytearray()
        self._inner = inner
        self.connection_lost = inner.connection_lost  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        """Remember, and pass on."""
        self.seen += data[:4096]
        self._inner.data_received(data)


class _Dialogue:
    """One attempt. `stage` is how far it came."""

    def __init__(self, relay: Relay, hostname: str) -> None:
        self.relay = relay
        self.stage = Stage.CONNECT
        self.near = False  # the peer is on this machine
        self.connection: socket.socket | None = None
        self.client = aiosmtplib.SMTP(
            hostname=relay.host,
            local_hostname=hostname,
            timeout=relay.timeouts.greeting,
            use_tls=relay.tls is Tls.IMPLICIT,
            start_tls=False,
        )

    async def open(self) -> SmtpSession:
        try:
            await self._connect()
            await self._hello()
            if self._wants_starttls():
                await self._starttls()
                await self._hello()
            if self.relay.username is not None:
                await self._login()
            return self._hand_over()
        except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:
            self._drop()
            raise self._refused(error) from error
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        """End the connection at once: a polite end of TLS would wait half a minute for a server that is mute."""
        if self.connection is not None:
            with contextlib.suppress(OSError):  # closed already
                self.connection.shutdown(socket.SHUT_RDWR)
        if self.client.transport is not None:
            cast("asyncio.Transport", self.client.transport).abort()
        self.client.close()

    async def _connect(self) -> None:
        context = None if self.relay.tls is Tls.OFF else _context(verify=self.relay.verify, ca=self.relay.ca)
        self.connection = await self._dial()
        self.near = is_loopback(self.connection.getpeername()[0])
        self.stage = Stage.GREETING
        await self.client.connect(sock=self.connection, tls_context=context)

    async def _dial(self) -> socket.socket:
        """Try each address of the host in turn, each for as long as Timeouts.connect says."""
        loop, seconds = asyncio.get_running_loop(), self.relay.timeouts.connect
        async with asyncio.timeout(seconds):
            found = await loop.getaddrinfo(self.relay.host, self.relay.port, type=socket.SOCK_STREAM)
        failure: Exception = OSError("the name has no address")
        for family, kind, protocol, _, address in found:
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(0)
                _prepare(connection)
                async with asyncio.timeout(seconds):
                    await loop.sock_connect(connection, address)
            except (OSError, TimeoutError) as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure

    async def _hello(self) -> None:
        """EHLO, and HELO only where EHLO is refused for good and nothing of ours depends on it (S09)."""
        self.stage = Stage.HELLO
        try:
            await self.client.ehlo()
        except aiosmtplib.SMTPHeloError as error:
            needed = self.relay.username is not None or self.relay.tls is Tls.STARTTLS
            if needed or not 500 <= error.code < 600:
                raise
            await self.client.helo()

    def _wants_starttls(self) -> bool:
        offered = self.client.supports_extension("starttls")
        if self.relay.tls is Tls.STARTTLS and not offered:
            self.stage = Stage.TLS
            raise _Unsafe("the server does not offer STARTTLS, and the relay is set to tls=starttls")
        return offered and self.relay.tls in {Tls.STARTTLS, Tls.IF_OFFERED}

    async def _starttls(self) -> None:
        self.stage = Stage.TLS
        transport, protocol = self._ends()
        tap = _Tap(protocol)
        transport.set_protocol(tap)
        await self.client.starttls()
        if not _ONE_REPLY.fullmatch(tap.seen):
            raise _Unsafe("somebody put text behind the answer to STARTTLS: the line is not safe")

    async def _login(self) -> None:
        """PLAIN, else LOGIN (RFC 4616; draft-murchison-sasl-login); nothing in the clear (S21)."""
        self.stage = Stage.AUTH
        client, name, secret = self.client, self.relay.username or "", self.relay.password or ""
        if not self.near and client.get_transport_info("sslcontext") is None:
            raise _Unsafe("the server offers no TLS, and credentials are not sent in the clear")
        offered = client.server_auth_methods
        if "plain" in offered:
            try:
                await client.auth_plain(name, secret)
            except aiosmtplib.SMTPAuthenticationError as error:
                if error.code not in {500, 501, 502, 503, 504} or "login" not in offered:
                    raise
            else:
                return
        if "login" not in offered:
            raise _Unsafe("the server offers neither AUTH PLAIN nor AUTH LOGIN")
        await client.auth_login(name, secret)

    def _ends(self) -> tuple[asyncio.Transport, aiosmtplib.protocol.SMTPProtocol]:
        transport, protocol = self.client.transport, self.client.protocol
        if transport is None or protocol is None or transport.is_closing():
            raise aiosmtplib.SMTPServerDisconnected("the server closed the connection")
        return cast("asyncio.Transport", transport), protocol  # uvloop's are none by class

    def _hand_over(self) -> SmtpSession:
        transport, protocol = self._ends()
        if protocol._buffer:  # noqa: SLF001 - there is no public way to see that a reply too many was sent
            raise _Unsafe("the server sent more replies than it was asked for")
        return SmtpSession(transport, Capabilities.read(self.client.esmtp_extensions), self.relay.timeouts)

    def _refused(self, error: Exception) -> ConnectRefused:
        """Turn whatever happened into one value; its text names the relay and never a credential."""
        reply, stage = None, self.stage
        if isinstance(error, aiosmtplib.SMTPResponseException) and 200 <= error.code < 600:
            reply = read_reply(error.code, str(error.message).encode("utf-8", "replace"))
        tls = isinstance(error, ssl.SSLError) or isinstance(error.__cause__, ssl.SSLError)
        if tls and stage is Stage.GREETING:
            stage = Stage.TLS
        if reply is not None:
            cause = classify(self.relay.kind, reply, stage)
        else:
            cause = Cause.RELAY_REFUSES_US if tls or isinstance(error, _Unsafe) else Cause.RELAY_DOWN
        said = f"it said {reply}" if reply else _plain_words(error)
        return ConnectRefused(
            f"{self.relay.label}: {_FAILED[stage]}: {said}", stage=stage, cause=cause, reply=reply
        )


class _Unsafe(aiosmtplib.SMTPException):
    """We stop of our own accord: going on would break a promise, and waiting will not help."""


_FAILED = {
    Stage.CONNECT: "cannot connect",
    Stage.GREETING: "connected, but was not welcome",
    Stage.HELLO: "EHLO was refused",
    Stage.TLS: "no safe line (TLS)",
    Stage.AUTH: "cannot sign in",
}


def _plain_words(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPConnectError) and error.__cause__ is not None:
        return _plain_words(error.__cause__)  # its own words name a port that aiosmtplib does not know
    words = " ".join(str(error).split())
    if isinstance(error, TimeoutError) and not words:
        return "no answer in time"
    return words[:300] or type(error).__name__


@functools.lru_cache(maxsize=32)
def _context(*, verify: bool, ca: Path | None) -> ssl.SSLContext:
    """Make a context once for all connections: reading the system's certificates takes 20 ms."""
    context = ssl.create_default_context(cafile=ca)
    if not verify:
        context.check_hostname = verify
        context.verify_mode = ssl.CERT_NONE
    return context
