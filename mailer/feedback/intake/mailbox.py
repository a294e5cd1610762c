"""Mailboxes: what IMAP and POP3 share. A mailbox is read in a thread of its own, for its clients are blocking ones.

Promises: a mail leaves the mailbox's folder only after it is stored; a line that breaks, or a process that dies,
makes it read again, and it counts once (hearing.py). A mailbox that cannot be read is tried again, later each time,
and the operator hears of it once, and once more when it can be read again.
"""

from __future__ import annotations

import logging
import ssl
import threading
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from mailer import events
from mailer.database import writing
from mailer.errors import MailerError, Problem, UserError
from mailer.feedback.intake.hearing import hear_one_of_many
from mailer.feedback.standing import READABLE, UNREADABLE, unreadable_since

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.delivery.ground import Ground
    from mailer.feedback.intake.hearing import Heard
    from mailer.settings.feedback import MailboxSettings

log = logging.getLogger(__name__)
PATIENCE: Final = 30.0  # seconds for each answer of a server
_FIRST_REST, _LONGEST_REST = 2.0, 300.0
_ENOUGH: Final = 3  # failures in a row that are worth a person's time
NONSENSE: Final = (
    ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError, RecursionError,
)  # fmt: skip
"""What the libraries raise where a server's answer is not of the shape that they take for granted."""


class CannotBeRead(MailerError):  # noqa: N818 - it is what happened, and it may pass
    """A mailbox could not be read this time."""

    exit_code = 75


class Reader:
    """Hears the mails of one mailbox. `stopped` may be set from any thread."""

    def __init__(self, ground: Ground, settings: MailboxSettings) -> None:
        self.ground = ground
        self.settings = settings
        self.stopped = threading.Event()
        self._failures = 0
        self._told: bool | None = None

    def keep(self, visit: Callable[[Reader], None]) -> None:
        """Visit again and again until it is stopped; what fails is tried again, later each time."""
        while not self.stopped.is_set():
            try:
                visit(self)
                self.succeeded()
            except UserError:
                raise
            except (MailerError, OSError, EOFError, DBAPIError) as problem:
                self._failed(problem)
                self.stopped.wait(self._rest())

    def hear(self, raw: bytes) -> Heard | None:
        """Hear one mail; None for one that makes our rules fail."""
        return hear_one_of_many(self.ground, raw, channel=f"{self.settings.scheme[:4]}:{self.settings.name}")

    def password(self) -> str:
        """Give the password, read anew each time: it may have changed. Raises UserError."""
        file = self.settings.password_file
        try:
            return file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as error:
            raise UserError(Problem(f"cannot be read: {error.strerror}", str(file))) from None
        except UnicodeDecodeError:
            raise UserError(Problem("is not UTF-8", str(file))) from None

    def context(self) -> ssl.SSLContext:
        """Give the way to check a server's certificate. Raises UserError."""
        ca_file = self.settings.ca_file
        try:
            return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
        except (OSError, ssl.SSLError) as error:
            raise UserError(Problem(f"is no file of certificates: {error}", str(ca_file))) from None

    def succeeded(self) -> None:
        """Note that the mailbox can be read."""
        self._failures = 0
        if self._told is not False:
            self._tell(failing=False, reason="")

    def _rest(self) -> float:
        """Give how long to wait after so many failures in a row; a visit that went well has set them back."""
        return float(min(_FIRST_REST * 2 ** min(self._failures - 1, 10), _LONGEST_REST))

    def _failed(self, problem: Exception) -> None:
        self._failures += 1
        reason = f"{type(problem).__name__}: {problem}".replace(self.settings.username, "…")[:300]
        log.warning("the mailbox %s cannot be read: %s", self.settings.name, reason)
        if self._failures >= _ENOUGH and self._told is not True:
            self._tell(failing=True, reason=reason)

    def _tell(self, *, failing: bool, reason: str) -> None:
        """Record it once: an event of a state that is known already says nothing new."""
        name, now = self.settings.name, self.ground.clock()
        try:
            with writing(self.ground.database) as connection:
                if failing != (unreadable_since(connection, name) is not None):
                    kind = UNREADABLE if failing else READABLE
                    events.record(connection, kind, name, now, "mailer", reason=reason)
        except (MailerError, DBAPIError) as problem:
            log.warning("%s: %s", name, problem)
        else:
            self._told = failing
