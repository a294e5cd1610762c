"""Presses: the encoded editions of this process, one for each (edition, list), made when first needed.

A press is made once per issue and serves every reader; what it needs of them is read a batch at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from mailer.delivery import mailing
from mailer.delivery.ahead import Order
from mailer.edition import Slot
from mailer.errors import Problem, UserError
from mailer.message import Recipient
from mailer.message.press import Press
from mailer.message.sender import sender_for
from subscribers import ensure_lists, readers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from mailer.delivery.model import Claim
    from mailer.keys import Keys
    from mailer.message.dkim import Signer
    from mailer.settings import Settings
    from subscribers import Reader

_NEVER: Final = datetime.min.replace(tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_PLAIN: Final = frozenset({"subscriber.name", "subscriber.first_name", "subscriber.email"})


@dataclass(slots=True)
class Presses:
    """Makes and keeps presses, and says of a claim what its message is made from."""

    settings: Settings
    keys: Keys
    signers: Sequence[Signer]
    unsigned: frozenset[str] = frozenset()  # what a relay writes anew
    _presses: dict[tuple[int, int], Press] = field(default_factory=dict)
    _attributes: set[int] = field(default_factory=set)  # editions that show an attribute
    _readers: dict[int, Reader] = field(default_factory=dict)
    _dated: datetime = _NEVER

    def prepare(self, connection: Connection, claims: Sequence[Claim], now: datetime) -> None:
        """Read what the messages of these claims need: an edition once, the readers in one query."""
        for claim in {(claim.edition_id, claim.list_id): claim for claim in claims}.values():
            if (claim.edition_id, claim.list_id) not in self._presses:
                self._press(connection, claim, now)
        wanted = any(claim.edition_id in self._attributes for claim in claims)
        people = [claim.subscriber_id for claim in claims]
        self._readers.update(readers(connection, people, with_attributes=wanted))

    def _press(self, connection: Connection, claim: Claim, now: datetime) -> None:
        edition = mailing.edition(connection, claim.edition_id)
        slots = {
            part.name
            for text in (edition.subject, edition.html, edition.text)
            for part in text
            if isinstance(part, Slot)
        }
        if any(name.startswith("subscriber.") and name not in _PLAIN for name in slots):
            self._attributes.add(claim.edition_id)
        sender = sender_for(self.settings.for_list(self._key_of(connection, claim.list_id, now)))
        # Not the newest key: a message that is tried again after a rotation must have the same Message-ID.
        keys = self.keys.led_by(mailing.pin_key(connection, claim.mailing_id, self.keys.newest))
        self._presses[claim.edition_id, claim.list_id] = Press(
            edition, sender, claim.mailing_id, keys, self.signers, now, unsigned=self.unsigned
        )

    def _key_of(self, connection: Connection, list_id: int, now: datetime) -> str:
        ids = ensure_lists(connection, self.settings.lists, now)
        for key, value in ids.items():
            if value == list_id:
                return key
        raise UserError(Problem("a list that has readers waiting is no longer in mailer.toml", key="lists"))

    def freshen(self, now: datetime) -> None:
        """Give messages that are made from now on the minute's Date."""
        if now - self._dated >= _MINUTE:
            self._dated = now
            for press in self._presses.values():
                press.redate(now)

    def order(self, claim: Claim) -> Order:
        """Give what the message of a claim is made from, once; `prepare` has heard of it."""
        reader = self._readers.pop(claim.subscriber_id, None)
        press = self._presses[claim.edition_id, claim.list_id]
        if reader is None:  # erased since it was claimed: the fence will not let it go
            return Order(press, Recipient(claim.subscriber_id, claim.list_id, claim.address))
        return Order(press, Recipient(claim.subscriber_id, claim.list_id, claim.address, *reader))

    def forget(self, claims: Sequence[Claim]) -> None:
        """Drop what was read for claims that were given back."""
        for claim in claims:
            self._readers.pop(claim.subscriber_id, None)
