"""POP3 mailboxes (RFC 1939, STLS by RFC 2595), for servers that have no IMAP.

What was understood is deleted; what was not stays on the server, since POP3 has no folders, and stands in `mailer
feedback unknown`. Its UIDL is remembered while this process lives; after that it is read once more and known again.
"""

from __future__ import annotations

import logging
import poplib
from typing import TYPE_CHECKING, Final

from mailer.feedback.intake.mailbox import NONSENSE, PATIENCE, CannotBeRead
from mailer.feedback.reading.mime import LARGEST

if TYPE_CHECKING:
    from mailer.feedback.intake.mailbox import Reader

log = logging.getLogger(__name__)
# The library takes lines of 2,048 octets, and mails have longer ones; it has no other place to say so.
poplib._MAXLINE = LARGEST  # type: ignore[attr-defined]  # noqa: SLF001
_TOO_LONG: Final = "line too long"  # as the library says it
_LINES: Final = 4_000  # of a mail that is too large: its beginning says why it came back
_ROUND: Final = 500  # mails a session: what was deleted counts only at its end


class Pop:
    """Visits one POP3 mailbox and remembers what it left there."""

    def __init__(self) -> None:
        self._left: set[bytes] = set()

    def visit(self, reader: Reader) -> None:
        """Read what is there, then wait until it is time again."""
        while not reader.stopped.is_set():
            try:
                more = self._session(reader)
            except poplib.error_proto as problem:
                raise CannotBeRead(str(problem)[:300]) from problem
            except OSError:  # a certificate that cannot be trusted is a ValueError, too
                raise
            except NONSENSE as problem:
                raise CannotBeRead(f"the server answers nonsense ({problem})"[:300]) from problem
            reader.succeeded()
            if not more:
                reader.stopped.wait(reader.ground.settings.feedback.poll_seconds)

    def _session(self, reader: Reader) -> bool:
        """Hear what is new; true if there is more."""
        client = _connected(reader)
        try:
            sizes = dict(_pairs(client.list()[1]))
            uidls = [(number, uidl) for number, uidl in _pairs(client.uidl()[1]) if uidl not in self._left]
            for number, uidl in uidls[:_ROUND]:
                if reader.stopped.is_set():
                    break
                self._hear(reader, client, number, uidl, int(sizes.get(number, b"0")))
            self._left.intersection_update(uidl for _, uidl in _pairs(client.uidl()[1]))
            client.quit()
        finally:
            client.close()
        return len(uidls) > _ROUND and not reader.stopped.is_set()

    def _hear(self, reader: Reader, client: poplib.POP3, number: int, uidl: bytes, size: int) -> None:
        lines = self._lines(client, number, uidl, size)
        heard = reader.hear(b"\r\n".join(lines)[:LARGEST])
        if heard is not None and heard.understood and not heard.person:
            client.dele(number)
        else:
            self._left.add(uidl)

    def _lines(self, client: poplib.POP3, number: int, uidl: bytes, size: int) -> list[bytes]:
        """Fetch a mail. A line without end is the end of the session; the next one leaves its mail where it lies."""
        try:
            return (client.retr(number) if size <= LARGEST else client.top(number, _LINES))[1]
        except poplib.error_proto as problem:
            if _TOO_LONG in str(problem):
                self._left.add(uidl)
                log.error("a mail has a line of more than %d octets and is left unread", LARGEST)  # noqa: TRY400
            raise


def _pairs(lines: list[bytes]) -> list[tuple[int, bytes]]:
    return [(int(number), rest) for number, _, rest in (line.partition(b" ") for line in lines)]


def _connected(reader: Reader) -> poplib.POP3:
    settings, context = reader.settings, reader.context()
    client: poplib.POP3
    if settings.scheme == "pop3s":
        client = poplib.POP3_SSL(settings.host, settings.port, context=context, timeout=PATIENCE)
    else:
        client = poplib.POP3(settings.host, settings.port, timeout=PATIENCE)
    try:
        if settings.scheme == "pop3":
            client.stls(context)
        client.user(settings.username)
        client.pass_(reader.password())
    except BaseException:
        client.close()
        raise
    return client
