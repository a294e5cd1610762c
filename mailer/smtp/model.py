"""The contract between the engine and whatever takes mail: an SMTP server or a folder.

One exchange is one round trip where the server can pipeline: the body of this message and the envelope of the
next leave together, and come back as the body's final reply and the envelope's verdict (RFC 2920).
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

# Tuples, because there is one of each a message, and a frozen dataclass takes four times as long to make.


class Reply(NamedTuple):
    """One SMTP reply.

    `text` is what followed the codes: lines joined by spaces, printable, at most 500 characters.
    """

    code: int
    enhanced: str = ""
    text: str = ""

    @property
    def positive(self) -> bool:
        """2yz or 3yz."""
        return 200 <= self.code < 400

    def __str__(self) -> str:
        """Give the reply on one line, as the server said it."""
        code, enhanced, text = self
        if enhanced and text:
            return f"{code} {enhanced} {text}"
        return f"{code} {enhanced or text}" if enhanced or text else str(code)


class Envelope(NamedTuple):
    """What is said before the body. `size` is the octets of the content (RFC 1870)."""

    mail_from: str
    recipient: str
    size: int
    envid: str = ""
    smtputf8: bool = False


class Exchange(NamedTuple):
    """What one exchange brought.

    `final` answers the body that was sent (None if none was). `refusal` is the first reply that turned the
    offered envelope down (None if it was taken, or none was offered); `refused_at` names the command: mail,
    rcpt or data. `ready` is true when the server waits for the body of the offered envelope.
    """

    final: Reply | None = None
    refusal: Reply | None = None
    refused_at: str = ""
    ready: bool = False


class SessionLost(Exception):  # noqa: N818 - it is what happened, not a bug
    """The connection is gone, timed out or spoke nonsense; the session is closed.

    `final` is the body's answer where it had arrived before the loss. `in_doubt` is true when the last octet
    of a body may have reached the server and its answer did not reach us. `reply` is the server's last word
    (a 421), `at` what it would have been the answer to: final, rset, mail, rcpt or data.
    """

    def __init__(
        self,
        why: str,
        *,
        final: Reply | None = None,
        in_doubt: bool = False,
        reply: Reply | None = None,
        at: str = "",
    ) -> None:
        super().__init__(why)
        self.why = why
        self.final = final
        self.in_doubt = in_doubt
        self.reply = reply
        self.at = at


class Session(Protocol):
    """One open, authenticated connection. Not safe for two tasks at once."""

    def fits(self, envelope: Envelope) -> Reply | None:
        """Give the refusal that the address or the server's limits imply (552 5.3.4, 553 5.6.7), or None."""

    async def exchange(self, body: bytes | None, envelope: Envelope | None) -> Exchange:
        """Send a body whose envelope is ready, and the envelope of the next message; either may be None.

        Raises SessionLost. After a refusal of the envelope the session is clean again. When an envelope is
        ready, the next exchange must carry its body, or the session be aborted.
        """

    async def quit(self) -> None:
        """Say goodbye and close; never raises, takes at most a second."""

    def abort(self) -> None:
        """Drop the line at once: a body that is ready but must not be sent leaves no other way."""
