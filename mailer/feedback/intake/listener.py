"""The listener: mails are taken over LMTP (RFC 2033) or SMTP (RFC 5321), for addresses of ours and nobody else's.

Promises: 250 only when the mail is stored; 451 where that cannot be done now, so that it is tried again; 550 at RCPT
for whatever has no genuine token of ours; bounded in octets, recipients, connections and time. Never: relays, or
answers a mail.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP
from sqlalchemy.exc import DBAPIError

from mailer.errors import Problem, UserError
from mailer.feedback.intake.hearing import hear_mail
from mailer.feedback.intake.ours import Ours

if TYPE_CHECKING:
    from aiosmtpd.smtp import Envelope, Session

    from mailer.delivery.ground import Ground
    from mailer.settings.feedback import ListenSettings

log = logging.getLogger(__name__)
_MOST_RECIPIENTS: Final = 100
_MOST_CONNECTIONS: Final = 50
_PATIENCE: Final = 60.0  # seconds without an octet
_LONGEST: Final = 600.0  # seconds for a command or a mail, however slowly it comes
_LONGEST_LINE: Final = 1 << 16  # bounces hold lines that no standard allows
_NAME: Final = "localhost"  # looking up our own name can hang


class _Counted(SMTP):
    """A connection that is one of a bounded number."""

    line_length_limit = _LONGEST_LINE
    open: set[_Counted]
    _until = 0.0

    def connection_made(self, transport: Any) -> None:
        """Serve, unless there are too many already."""
        if len(self.open) >= _MOST_CONNECTIONS:
            transport.write(b"421 4.3.2 too many connections\r\n")
            transport.close()
            return
        self.open.add(self)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take octets: the library starts its clock anew with each command alone, and a mail is one."""
        super().data_received(data)
        if self in self.open and self.loop.time() < self._until:
            super()._reset_timeout()

    def _reset_timeout(self, duration: float | None = None) -> None:
        self._until = self.loop.time() + _LONGEST
        super()._reset_timeout(duration)

    def connection_lost(self, error: Exception | None) -> None:
        """Make room."""
        if self in self.open:
            self.open.discard(self)
            super().connection_lost(error)


class _CountedLmtp(_Counted, LMTP):
    pass


class Door:
    """What the server asks at each step."""

    def __init__(self, ground: Ground, channel: str, most: int) -> None:
        self._ground = ground
        self._channel = channel
        self._most = most
        self._ours = Ours(ground.settings, ground.keys)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: Any, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take an address of ours, refuse others for good."""
        if len(envelope.rcpt_tos) >= self._most:
            return "452 4.5.3 too many recipients"
        if not self._ours.is_one(address):
            return "550 5.1.1 no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, _server: Any, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Store the mail for each recipient, then say so."""
        answers = [await self._store(envelope, to) for to in envelope.rcpt_tos]
        return next((answer for answer in answers if not answer.startswith("2")), answers[0])

    async def _store(self, envelope: Envelope, to: str) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        try:
            heard = await asyncio.to_thread(
                hear_mail,
                self._ground,
                content,
                channel=self._channel,
                to=to,
                sender=envelope.mail_from or "",
            )
        except DBAPIError as problem:  # its words hold what was to be stored
            log.error("a mail could not be stored (%s); it will come again", type(problem).__name__)  # noqa: TRY400
            return "451 4.3.0 cannot be stored now, try again"
        except Exception:
            log.exception("a mail could not be heard; its sender is asked to try again")
            return "451 4.3.0 cannot be stored now, try again"
        log.info("%s: %s, %d new", self._channel, heard.kind, heard.taken.new)
        return "250 2.0.0 stored"


async def listening(ground: Ground, settings: ListenSettings) -> asyncio.Server:
    """Open the listener; raises UserError where its address cannot be had.

    Over LMTP a mail has one recipient: it would need an answer each, also where the library refuses it by itself.
    """
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # the library logs addresses
    door = Door(ground, "lmtp" if settings.lmtp else "smtp", 1 if settings.lmtp else _MOST_RECIPIENTS)
    open_: set[_Counted] = set()

    def connection() -> SMTP:
        made = (_CountedLmtp if settings.lmtp else _Counted)(
            door,
            data_size_limit=settings.largest,
            enable_SMTPUTF8=True,
            hostname=_NAME,
            ident="mailer",
            timeout=_PATIENCE,
            loop=loop,
        )
        made.open = open_
        return made

    loop = asyncio.get_running_loop()
    try:
        return await loop.create_server(connection, settings.host, settings.port)
    except OSError as error:
        said = f"cannot listen on {settings.host}:{settings.port}: {error.strerror}"
        raise UserError(Problem(said, "mailer.toml", key="feedback.listen")) from None
