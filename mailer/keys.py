"""The newsletter's secret, and what is derived from it: one key per purpose, and tokens that stand alone.

A token holds a key id, a MAC and the two ids it speaks of, and nothing else: no address, no lookup, no expiry
of its own. Links carry base64url; mail addresses carry lower-case hexadecimal, for servers change their case
(V01). Every token has one spelling (upper case apart): a changed, cut or lengthened one proves nothing. The
secret is a ring: the first key makes tokens, every key of it still proves them; the suppression key is
that of the oldest and never rotates. Never: writes the secret to a log, an error or a token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from mailer.errors import Problem, UserError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MAC_OCTETS = 10  # 80 bits: a forger who makes 1,000 tries a second needs 10^13 years
SECRET_OCTETS = 32
LONGEST_SECRET = 64  # the longest key of BLAKE2b
LEAST_PASSPHRASE = 32  # characters
LONGEST_TOKEN = 64
LARGEST_FILE = 65_536
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_WHERE = "run `mailer init`, or set MAILER_SECRET"


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

    @classmethod
    def load(cls, secret_file: Path | None, env: str | None) -> Keys:
        """Give the ring that MAILER_SECRET (`env`) holds, else the one in the file.

        Both have one form: keys as `ID:SECRET`, newest first, apart by line ends or commas; `#` opens a
        comment. One passphrase of 32 characters or more will do too. Raises UserError if there is none, if it
        cannot be understood, or if others than the owner may read the file.
        """
        if env and env.strip():
            return cls(_parse(env, "MAILER_SECRET"))
        if secret_file is None:
            raise UserError(Problem(f"there is no secret: {_WHERE}", key="MAILER_SECRET"))
        return cls(_parse(_read_private(secret_file), str(secret_file)))

    @staticmethod
    def new_secret() -> str:
        """Give the text of a fresh ring of one key, for the file (mode 0600) or for MAILER_SECRET."""
        return _line(0)

    @staticmethod
    def rotated(text: str) -> str:
        """Give the ring in `text` with a fresh key before the others; what they made stays good.

        Raises UserError if `text` is not a ring, or full.
        """
        ring = _parse(text, "secret")
        unused = (number % 256 for number in range(ring[0].id + 1, ring[0].id + 257))
        free = next((number for number in unused if number not in {key.id for key in ring}), None)
        if free is None:
            raise UserError("the ring holds 256 keys: take out an old one, but never the last line")
        return _line(free) + text

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


def _line(key_id: int) -> str:
    return f"{key_id}:{base64.urlsafe_b64encode(secrets.token_bytes(SECRET_OCTETS)).rstrip(b'=').decode()}\n"


def _read_private(path: Path) -> str:
    """Read a file that only its owner may read; the checks are made on the open file, not on its name."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(LARGEST_FILE + 1)
    except FileNotFoundError:
        raise UserError(Problem(f"there is no secret: {_WHERE}", file=str(path))) from None
    except OSError as error:
        raise UserError(Problem(f"cannot be read: {error.strerror}", file=str(path))) from None
    if mode & 0o077:
        message = f"others may read the secret (mode {mode:04o}): run `chmod 600 {path}`"
        raise UserError(Problem(message, file=str(path)))
    if len(raw) > LARGEST_FILE or not raw.isascii():
        raise UserError(Problem("is not a secret that `mailer init` made", file=str(path)))
    return raw.decode("ascii")


def _parse(text: str, source: str) -> tuple[Key, ...]:
    if ":" not in text and len(text.strip()) >= LEAST_PASSPHRASE:
        return (Key(0, hashlib.sha256(text.strip().encode()).digest()),)
    entries = [
        (number, entry.strip())
        for number, line in enumerate(text.splitlines(), 1)
        for entry in line.partition("#")[0].split(",")
        if entry.strip()
    ]
    ring = tuple(_parse_key(entry, source, line) for line, entry in entries)
    if not ring:
        raise UserError(Problem(f"holds no key: {_WHERE}", file=source))
    if len({key.id for key in ring}) != len(ring):
        raise UserError(Problem("two keys have the same id: each needs its own", file=source))
    return ring


def _parse_key(entry: str, source: str, line: int) -> Key:
    number, _, encoded = entry.partition(":")
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        return Key(int(number), secret)
    except ValueError:  # binascii.Error is one; the text is not shown, for it may be the secret
        message = "is not a key: it reads ID:SECRET, an id of 0 to 255 and 32 to 64 octets in base64url"
        raise UserError(Problem(message, file=source, line=line)) from None
