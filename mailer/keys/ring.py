"""The ring of keys, and the tokens that it makes and proves.

A token holds a key id, a MAC and the two ids it speaks of, and nothing else: no address, no lookup, no expiry
of its own. Links carry base64url; mail addresses carry lower-case hexadecimal, for servers change their case
(V01). Every token has one spelling (upper case apart): a changed, cut or lengthened one proves nothing.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailer.keys.model import Purpose, Timed

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailer.keys.model import Key

MAC_OCTETS = 10  # 80 bits: a forger who makes 1,000 tries a second needs 10^13 years
LONGEST_TOKEN = 64
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class Keys:
    """The ring, newest first. Making a token costs about one microsecond."""

    def __init__(self, ring: tuple[Key, ...], minting: int | None = None) -> None:
        if not ring or len({key.id for key in ring}) != len(ring):
            raise ValueError("a ring has at least one key, and each key an id of its own")
        self._ring = ring
        self._minting = ring[0].id if minting is None else minting
        self._macs = {
            (key.id, purpose): hashlib.blake2b(key=key.derive(purpose), digest_size=MAC_OCTETS)
            for key in ring
            for purpose in Purpose
        }

    def __repr__(self) -> str:
        return f"Keys(ids={[key.id for key in self._ring]})"

    @property
    def newest(self) -> int:
        """The id of the newest key, which makes tokens."""
        return self._ring[0].id

    def __contains__(self, key_id: object) -> bool:
        return any(key.id == key_id for key in self._ring)

    def led_by(self, key_id: int | None) -> Keys:
        """Give the same ring, making its tokens with this key; with the newest, if it holds none of this id.

        What is proven, and the suppression key, stay the same.
        """
        return self if key_id is None or key_id not in self else Keys(self._ring, key_id)

    @property
    def suppression(self) -> bytes:
        """The key of the address hashes, which outlives every rotation."""
        return self._ring[-1].derive("suppression")

    def minter(self, purpose: Purpose, spell: Callable[[bytes], str]) -> Callable[[int, int], str]:
        """Give a function from the ids of a subscriber and of the other to the token for them, in this spelling.

        It is what makes tokens in the hot path: the key is set up once and the other's id is encoded once.
        """
        head = bytes((self._minting,))
        fresh = self._macs[self._minting, purpose].copy
        lengths = tuple(bytes((width,)) for width in range(9))
        others = _Octets()

        def mint(first: int, other: int) -> str:
            width = (first.bit_length() + 7) >> 3
            ids = lengths[width] + first.to_bytes(width, "big") + others[other]
            mac = fresh()
            mac.update(ids)
            return spell(head + mac.digest() + ids)

        return mint

    def link_token(self, purpose: Purpose, subscriber: int, other: int) -> str:
        """Give a URL-safe token for (subscriber, list or mailing): 18 to 38 of [A-Za-z0-9_-]."""
        return self.minter(purpose, as_link)(subscriber, other)

    def mail_token(self, purpose: Purpose, subscriber: int, other: int) -> str:
        """Give a token of [0-9a-f] for a local part, a Message-ID or an ENVID.

        It has at most 38 characters (N04) while both ids together take at most 7 octets.
        """
        return self.minter(purpose, bytes.hex)(subscriber, other)

    def read_link_token(self, purpose: Purpose, token: str) -> tuple[int, int] | None:
        """Give the two ids of a genuine link token, or None; any text may be asked about."""
        if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
            return None
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        # The decoder skips strangers and ignores spare bits: only the one spelling that we make counts.
        return self._prove(purpose, raw) if as_link(raw) == token else None

    def read_mail_token(self, purpose: Purpose, token: str) -> tuple[int, int] | None:
        """Give the two ids of a genuine mail token in any case, or None; any text may be asked about."""
        if not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
            return None
        try:
            raw = bytes.fromhex(token)
        except ValueError:
            return None
        return self._prove(purpose, raw) if raw.hex() == token.lower() else None

    def timed_token(self, purpose: Purpose, subscriber: int, expires: datetime) -> str:
        """Give a link token that says itself until when it may be used, to the second."""
        return self.link_token(purpose, subscriber, int(expires.timestamp()))

    def read_timed_token(self, purpose: Purpose, token: str) -> Timed | None:
        """Give what a genuine timed token says, expired or not, or None; any text may be asked about."""
        ids = self.read_link_token(purpose, token)
        if ids is None:
            return None
        try:
            return Timed(ids[0], datetime.fromtimestamp(ids[1], UTC))
        except (ValueError, OverflowError, OSError):  # made as another kind of token; no such moment
            return None

    def _prove(self, purpose: Purpose, raw: bytes) -> tuple[int, int] | None:
        mac, ids = raw[1 : 1 + MAC_OCTETS], raw[1 + MAC_OCTETS :]
        ours = self._macs.get((raw[0], purpose)) if ids else None
        if ours is None:
            return None
        proof = ours.copy()
        proof.update(ids)
        if not hmac.compare_digest(mac, proof.digest()):
            return None
        width = 1 + ids[0]
        return int.from_bytes(ids[1:width], "big"), int.from_bytes(ids[width:], "big")


def as_link(raw: bytes) -> str:
    """Spell a token as it stands in links: base64url without padding (RFC 4648, section 5)."""
    return binascii.b2a_base64(raw, newline=False).translate(_URL_SAFE).rstrip(b"=").decode()


class _Octets(dict[int, bytes]):
    """Ids in as few octets as they take."""

    def __missing__(self, number: int) -> bytes:
        octets = self[number] = number.to_bytes(_width(number), "big")
        return octets


def _width(number: int) -> int:
    if not 0 <= number < 1 << 64:
        raise ValueError(f"an id is 0 to 2^64-1, not {number}")
    return (number.bit_length() + 7) >> 3
