"""A relay that is a folder: every message becomes one .eml file, for tests, demos and a look before the real thing.

Promises: a file holds the very octets that DATA would carry; it is whole or absent, after a crash too
(written beside, then renamed); no name is used twice, and none comes from a message. Never: sends anything,
or keeps the envelope.
"""

from __future__ import annotations

import contextlib
import errno
import secrets
import time
from typing import TYPE_CHECKING

from mailer.smtp.model import Envelope, Exchange, Reply, SessionLost
from mailer.smtp.wire import Capabilities, unfit

if TYPE_CHECKING:
    from pathlib import Path

    from mailer.smtp.relay import Relay

_OFFERED = Capabilities(pipelining=True, size=0, dsn=True, smtputf8=True)


class FolderSession:
    """Writes to one folder, which is made where it is missing. Many sessions may share one."""

    def __init__(self, relay: Relay) -> None:
        if relay.folder is None:
            raise ValueError("the relay is no folder")
        self._folder: Path = relay.folder
        self._waiting: Envelope | None = None
        self._lost = ""

    def fits(self, envelope: Envelope) -> Reply | None:
        """Give the refusal of an address that no mail could carry, or None."""
        misfit = unfit(envelope, _OFFERED)
        return misfit[1] if misfit else None

    async def exchange(self, body: bytes | None, envelope: Envelope | None) -> Exchange:
        """Write the body that is ready and take the next envelope: Session.exchange.

        A full disk is a 452, anything else that the system refuses a 451: the message stays with its sender.
        """
        if self._lost:
            raise SessionLost(self._lost)
        waiting, self._waiting = self._waiting, None
        if (body is None) is not (waiting is None):
            raise RuntimeError("a body must follow an envelope that is ready, and nothing else may")
        final = None if body is None or waiting is None else self._keep(body)
        misfit = None if envelope is None else unfit(envelope, _OFFERED)
        if misfit:
            return Exchange(final=final, refusal=misfit[1], refused_at=misfit[0])
        self._waiting = envelope
        return Exchange(final=final, ready=envelope is not None)

    async def quit(self) -> None:
        """End the session."""
        self.abort()

    def abort(self) -> None:
        """End the session; a body that was announced is not written."""
        self._lost = "the session was ended on this side"

    def _keep(self, body: bytes) -> Reply:
        # Sorted by time, and never the same name in two processes.
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}.eml"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._write(name, body)
        except OSError as error:
            with contextlib.suppress(OSError):
                (self._folder / f".{name}.part").unlink()
            full = error.errno in {errno.ENOSPC, errno.EDQUOT}
            return Reply(452 if full else 451, "4.3.1" if full else "4.3.0", error.strerror or "cannot write")
        return Reply(250, "2.0.0", name)

    def _write(self, name: str, content: bytes) -> None:
        part = self._folder / f".{name}.part"
        with part.open("xb") as file:
            file.write(content)
        part.rename(self._folder / name)
