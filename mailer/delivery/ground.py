"""The ground that a sending process stands on: settings, secrets, database, and where its files lie."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.delivery.dispatch import now_utc
from mailer.delivery.segments import Narrow, Segments

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Engine as Database

    from mailer.delivery.writer import Heard
    from mailer.keys import Keys
    from mailer.message.dkim import Signer
    from mailer.settings import Settings
    from mailer.smtp.relay import Relay


@dataclass(frozen=True, slots=True)
class Ground:
    """What a process needs to send: the newsletter's settings, secrets, database and state folder."""

    settings: Settings
    keys: Keys
    database: Database
    relays: Sequence[Relay]
    signers: Sequence[Signer] = ()
    clock: Callable[[], datetime] = now_utc
    heard: Heard | None = None  # hears of what was settled, in the same transaction

    @property
    def narrow(self) -> Narrow:
        """What applies the segments of segments.toml, read anew whenever one is asked for."""
        return Segments(self.settings)

    @property
    def journals(self) -> Path:
        """Where each worker's journal lies."""
        return self.settings.state / "journal"

    @property
    def locks(self) -> Path:
        """Where each worker's lock lies."""
        return self.settings.state / "workers"

    @property
    def witness(self) -> Path:
        """What remembers the database that was last sent from here."""
        return self.settings.state / "witness"
