"""New DKIM keys, and the DNS records that publish them (RFC 6376, section 3.6.1; RFC 8463, section 4).

A key is a file `DOMAIN.SELECTOR.rsa.pem` or `DOMAIN.SELECTOR.ed25519.pem` in .mailer/dkim/: PKCS #8, mode 0600. A
selector has one record and so one key (K11): the Ed25519 key of selector `s` is published under `s-ed`. Never:
overwrites a key or shows a private one.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.message.header import ascii_form

if TYPE_CHECKING:
    from pathlib import Path

RSA_BITS: Final = 2048  # K04; a record of 4096 is cut short by some DNS panels
LONGEST_STRING: Final = 255  # octets of one string of a TXT record (RFC 1035, section 3.3)


@dataclass(frozen=True, slots=True)
class Record:
    """A TXT record that publishes a key: what it is called and what it says, and where the key is."""

    name: str
    value: str
    file: Path

    @property
    def zone_line(self) -> str:
        """The record as a zone file has it, in strings of at most 255 octets."""
        starts = range(0, len(self.value), LONGEST_STRING)
        strings = " ".join(f'"{self.value[at : at + LONGEST_STRING]}"' for at in starts)
        return f"{self.name}. IN TXT ( {strings} )"


def new_keys(folder: Path, domain: str, selector: str) -> tuple[Record, Record]:
    """Make an RSA and an Ed25519 key for a domain, and give the records to publish: both, for not all verify Ed25519.

    Raises UserError if one is there already, or domain or selector cannot be.
    """
    from cryptography.hazmat.primitives.asymmetric import ed25519, rsa  # noqa: PLC0415 - for this command alone
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

    name = ascii_form(domain).lower()
    if "." not in name or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,58}[A-Za-z0-9])?", selector):
        message = "needs a domain like example.org, and a selector of at most 60 letters, digits and hyphens"
        raise UserError(Problem(f"a DKIM key {message}", key="domain"))
    files = folder / f"{name}.{selector}.rsa.pem", folder / f"{name}.{selector}-ed.ed25519.pem"
    for file in files:
        if file.exists():
            raise UserError(Problem("is there already; another --selector makes another key", file=str(file)))
    wide, short = rsa.generate_private_key(65537, RSA_BITS), ed25519.Ed25519PrivateKey.generate()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file, key in zip(files, (wide, short), strict=True):
        _write(file, key)
    # RSA: a SubjectPublicKeyInfo (RFC 6376); Ed25519: the bare 32 octets (RFC 8463, section 4.2).
    public = wide.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    bare = short.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return (
        Record(f"{selector}._domainkey.{name}", f"v=DKIM1; k=rsa; p={b64encode(public).decode()}", files[0]),
        Record(
            f"{selector}-ed._domainkey.{name}", f"v=DKIM1; k=ed25519; p={b64encode(bare).decode()}", files[1]
        ),
    )


def _write(file: Path, key: object) -> None:
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())  # type: ignore[attr-defined]
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(pem)
