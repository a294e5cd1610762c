"""What a message reads of its reader, numbered: each token is made once per message, each value read once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from mailer.errors import Problem, UserError
from mailer.keys import Purpose, as_link
from mailer.message.body import link_hole
from mailer.message.layout import Hole
from mailer.message.links import SLOTS
from mailer.message.value import ESCAPES, clean, reader

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.edition.model import Slot
    from mailer.keys import Keys
    from mailer.message.model import Recipient

    Reading: TypeAlias = Callable[[Recipient], str]

OF_THE_MAILING = frozenset({Purpose.BROWSER, Purpose.MESSAGE_ID, Purpose.RETURN_PATH})
"""The purposes whose tokens speak of (subscriber, mailing); those of the others, of (subscriber, list)."""


class Readings:
    """The readings of one press. `all` gives the values by number."""

    def __init__(self, keys: Keys, mailing_id: int, public_url: str) -> None:
        self.all: list[Reading] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._keys = keys
        self._mailing_id = mailing_id
        self._public_url = public_url

    def mail_token(self, purpose: Purpose) -> int:
        """Give the number of a token for addresses and ids."""
        return self._number(("mail", purpose), lambda: self._token(purpose, bytes.hex))

    def link_token(self, purpose: Purpose) -> int:
        """Give the number of a token for links."""
        return self._number(("link", purpose), lambda: self._token(purpose, as_link))

    def holes(self, slot: Slot) -> list[str | Hole]:
        """Give what stands for a slot; raises UserError for a name that nobody knows."""
        if slot.name in SLOTS:
            return link_hole(slot, self._public_url, self.link_token(SLOTS[slot.name]))
        return [Hole(self.value(slot), ESCAPES[slot.context])]

    def value(self, slot: Slot) -> int:
        """Give the number of a reader's value, or of the slot's default where there is none."""
        if not re.fullmatch(r"subscriber\..+", slot.name):
            raise _unknown(slot)
        read, default = reader(slot.name), clean(slot.default)
        return self._number(
            ("value", slot.name, default), lambda: lambda recipient: read(recipient) or default
        )

    def _number(self, name: tuple[str, ...], make: Callable[[], Reading]) -> int:
        if name not in self._numbers:
            self._numbers[name] = len(self.all)
            self.all.append(make())
        return self._numbers[name]

    def _token(self, purpose: Purpose, spell: Callable[[bytes], str]) -> Reading:
        mint, mailing_id = self._keys.minter(purpose, spell), self._mailing_id
        if purpose in OF_THE_MAILING:
            return lambda recipient: mint(recipient.subscriber_id, mailing_id)
        return lambda recipient: mint(recipient.subscriber_id, recipient.list_id)


def _unknown(slot: Slot) -> UserError:
    known = ", ".join(SLOTS)
    return UserError(
        Problem(
            f"there is no merge field {slot.name!r}: write subscriber.NAME, or one of {known}", key=slot.name
        )
    )
