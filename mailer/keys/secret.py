"""The secret as text: in a file that only its owner may read, or in MAILER_SECRET.

Keys as `ID:SECRET`, newest first, apart by line ends or commas; `#` opens a comment. One passphrase of 32
characters or more will do too. Never: shows what it holds in an error.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import stat
from typing import TYPE_CHECKING

from mailer.errors import Problem, UserError
from mailer.keys.model import SECRET_OCTETS, Key
from mailer.keys.ring import Keys

if TYPE_CHECKING:
    from pathlib import Path

LEAST_PASSPHRASE = 32  # characters
LARGEST_FILE = 65_536
_WHERE = "run `mailer init`, or set MAILER_SECRET"


def load_keys(secret_file: Path | None, env: str | None) -> Keys:
    """Give the ring that MAILER_SECRET (`env`) holds, else the one in the file.

    Both have one form: keys as `ID:SECRET`, newest first, apart by line ends or commas; `#` opens a
    comment. One passphrase of 32 characters or more will do too. Raises UserError if there is none, if it
    cannot be understood, or if others than the owner may read the file.
    """
    if env and env.strip():
        return Keys(_parse(env, "MAILER_SECRET"))
    if secret_file is None:
        raise UserError(Problem(f"there is no secret: {_WHERE}", key="MAILER_SECRET"))
    return Keys(_parse(_read_private(secret_file), str(secret_file)))


def new_secret() -> str:
    """Give the text of a fresh ring of one key, for the file (mode 0600) or for MAILER_SECRET."""
    return _line(0)


def rotated_secret(text: str) -> str:
    """Give the ring in `text` with a fresh key before the others; what they made stays good.

    Raises UserError if `text` is not a ring, or full.
    """
    ring = _parse(text, "secret")
    unused = (number % 256 for number in range(ring[0].id + 1, ring[0].id + 257))
    free = next((number for number in unused if number not in {key.id for key in ring}), None)
    if free is None:
        raise UserError("the ring holds 256 keys: take out an old one, but never the last line")
    return _line(free) + text


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
