"""The newsletter's secret, and what is derived from it: one key per purpose, and tokens that stand alone.

A token holds its purpose's key id, the ids it speaks of and a MAC, and nothing else: no address, no lookup, no
expiry of its own. Links carry base64url; mail addresses carry lower-case base32, because servers change their case
(V01). The secret is a ring: the first key makes tokens, every key of the ring still proves them; the suppression
key comes from the oldest and never rotates.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import struct
from dataclasses import dataclass
from enum import StrEnum

MAC_OCTETS = 10  # 80 bits: a forger who makes 1,000 tries a second needs 10^13 years
_IDS = struct.Struct(">QQ")


class Purpose(StrEnum):
    """What a token may be used for; a token of one purpose proves nothing for another."""

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    BROWSER = "browser"
    RETURN_PATH = "return-path"
    MESSAGE_ID = "message-id"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of the ring: `id` is 0 to 255 and is part of every token it makes."""

    id: int
    secret: bytes

    def __repr__(self) -> str:
        return f"Key(id={self.id}, secret=…)"

    def derive(self, purpose: str) -> bytes:
        """Give the 32-octet key for one purpose (BLAKE2b, keyed, personalised by the purpose)."""
        return hashlib.blake2b(purpose.encode(), key=self.secret[:64], digest_size=32).digest()


class Keys:
    """The ring, newest first. Making a token costs about two microseconds."""

    def __init__(self, ring: tuple[Key, ...]) -> None:
        self._ring = ring
        self._derived = {(key.id, purpose): key.derive(purpose) for key in ring for purpose in Purpose}

    @property
    def suppression(self) -> bytes:
        """The key of the address hashes, which outlives every rotation."""
        return self._ring[-1].derive("suppression")

    def _mac(self, key_id: int, purpose: Purpose, ids: bytes) -> bytes:
        return hashlib.blake2b(ids, key=self._derived[key_id, purpose], digest_size=MAC_OCTETS).digest()

    def _raw(self, purpose: Purpose, first: int, second: int) -> bytes:
        key_id = self._ring[0].id
        ids = _IDS.pack(first, second)
        short = ids.lstrip(b"\0") or b"\0"
        # The second id keeps its width, so that the first may lose its leading zeros.
        return bytes((key_id,)) + self._mac(key_id, purpose, ids) + short

    def link_token(self, purpose: Purpose, subscriber: int, other: int) -> str:
        """Give a URL-safe token for (subscriber, list or mailing)."""
        return base64.urlsafe_b64encode(self._raw(purpose, subscriber, other)).rstrip(b"=").decode()

    def mail_token(self, purpose: Purpose, subscriber: int, other: int) -> str:
        """Give a token of [a-z2-7] for the local part of an address or a Message-ID."""
        return base64.b32encode(self._raw(purpose, subscriber, other)).rstrip(b"=").decode().lower()

    def read_link_token(self, purpose: Purpose, token: str) -> tuple[int, int] | None:
        """Give the two ids of a genuine link token, or None."""
        return self._read(purpose, token, base64.urlsafe_b64decode, 4)

    def read_mail_token(self, purpose: Purpose, token: str) -> tuple[int, int] | None:
        """Give the two ids of a genuine mail token in any case, or None."""
        return self._read(purpose, token.upper(), base64.b32decode, 8)

    def _read(self, purpose: Purpose, token: str, decode: object, quantum: int) -> tuple[int, int] | None:
        if not 0 < len(token) <= 64 or not token.isascii():
            return None
        try:
            raw: bytes = decode(token + "=" * (-len(token) % quantum))  # type: ignore[operator]
        except (binascii.Error, ValueError):
            return None
        key_id, mac, short = raw[:1], raw[1 : 1 + MAC_OCTETS], raw[1 + MAC_OCTETS :]
        if not short or len(short) > _IDS.size or (key_id[0], purpose) not in self._derived:
            return None
        ids = short.rjust(_IDS.size, b"\0")
        if not hmac.compare_digest(mac, self._mac(key_id[0], purpose, ids)):
            return None
        first, second = _IDS.unpack(ids)
        return first, second
