"""What a token may be used for, what a timed one says, and one key of the ring: frozen values."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

SECRET_OCTETS = 32
LONGEST_SECRET = 64  # the longest key of BLAKE2b


class Purpose(StrEnum):
    """What a token may be used for; a token of one purpose proves nothing for another."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    BROWSER = "browser"
    RETURN_PATH = "return-path"
    MESSAGE_ID = "message-id"
    CONFIRM = "confirm"
    MOVE = "move"
    UNDO_MOVE = "undo-move"
    DATA = "data"  # timed, as is the next
    ERASE = "erase"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Timed:
    """What a timed token says: whom it speaks of, and until when it may be used."""

    subscriber: int
    expires: datetime

    def expired(self, now: datetime) -> bool:
        """Tell whether its time is over."""
        return now >= self.expires


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of the ring: `id` is 0 to 255 and is part of every token it makes."""

    id: int
    secret: bytes

    def __post_init__(self) -> None:
        """Refuse what BLAKE2b would cut short or an octet cannot hold."""
        if not 0 <= self.id <= 255 or not SECRET_OCTETS <= len(self.secret) <= LONGEST_SECRET:
            raise ValueError("a key has an id of 0 to 255 and a secret of 32 to 64 octets")

    def __repr__(self) -> str:
        return f"Key(id={self.id}, secret=…)"

    def derive(self, purpose: str) -> bytes:
        """Give the 32-octet key for one purpose (BLAKE2b, keyed by the secret)."""
        return hashlib.blake2b(purpose.encode(), key=self.secret, digest_size=32).digest()
