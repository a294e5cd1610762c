"""DKIM signatures (RFC 6376, 8301, 8463): rsa-sha256 and ed25519-sha256 side by side, relaxed/relaxed.

Promises: From, To, Cc, Subject, Date, Reply-To and what decides how the mail is shown or unsubscribed are signed once
more than they occur, so that a second one breaks the signature (K01); Return-Path, Received and the like are never
signed (K02); there is no l= (K07). What is the same in every message is canonicalised and hashed once, so that a
signature costs little more than the key's own arithmetic. Never: reads a clock, or loads a key that others may read.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mailer.errors import Problem, UserError
from mailer.message.header import ascii_form

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

SIGNED: Final = (
    *("From", "To", "Cc", "Subject", "Date", "Reply-To", "Message-ID", "MIME-Version", "Content-Type"),
    *("Content-Transfer-Encoding", "List-Unsubscribe", "List-Unsubscribe-Post"),
    *("Content-Language", "Sender", "In-Reply-To", "References", "List-Id", "List-Help", "List-Post"),
    *("List-Owner", "List-Archive", "List-Subscribe", "Archived-At", "Feedback-ID", "Auto-Submitted"),
)
"""What is signed where it occurs (K02), by name."""

OVERSIGNED: Final = SIGNED[:12]
"""What is signed once more than it occurs, so that nobody can add another (K01)."""

LEAST_RSA_BITS: Final = 1024  # RFC 8301, section 3.2
_LARGEST_FILE: Final = 65_536
_FILE = re.compile(r"(?P<domain>.+)\.(?P<selector>[A-Za-z0-9-]+)\.(?P<kind>rsa|ed25519)\.pem")
_WHITE = re.compile(rb"[ \t\r\n]+")
_INNER_WHITE = re.compile(rb"[ \t]+")
_SIGNED_NAMES: Final = frozenset(name.lower() for name in SIGNED)


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key, and where its public half is published: `selector._domainkey.domain`."""

    domain: str
    selector: str
    algorithm: str
    sign: Callable[[bytes], bytes] = field(repr=False)
    """Give the signature over a SHA-256 digest."""

    @classmethod
    def rsa(cls, domain: str, selector: str, private_key_pem: bytes) -> Signer:
        """Take an RSA key of at least 1024 bits (better 2048) in PEM; raises UserError."""
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - only those who sign need it
        from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils  # noqa: PLC0415

        key = _private_key(private_key_pem, domain, selector)
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < LEAST_RSA_BITS:
            raise _unfit(domain, selector, f"is no RSA key of {LEAST_RSA_BITS} bits or more")
        scheme, digest = padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())
        return cls(*_place(domain, selector), "rsa-sha256", lambda octets: key.sign(octets, scheme, digest))

    @classmethod
    def ed25519(cls, domain: str, selector: str, private_key_pem: bytes) -> Signer:
        """Take an Ed25519 key in PEM (PKCS #8); raises UserError."""
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

        key = _private_key(private_key_pem, domain, selector)
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise _unfit(domain, selector, "is no Ed25519 key")
        return cls(*_place(domain, selector), "ed25519-sha256", key.sign)


class Seal:
    """Several signatures over the messages of one press.

    `fixed` are the fields that every message has, as (name, octets with CRLF); `changing` the names of the others,
    in the order in which `headers` takes them. A field that occurs twice is named twice, the last one first.
    """

    def __init__(
        self,
        signers: Sequence[Signer],
        fixed: Iterable[tuple[str, bytes]],
        changing: Sequence[str],
        now: datetime,
        unsigned: frozenset[str] = frozenset(),
    ) -> None:
        without = {name.lower() for name in unsigned}
        signed = _SIGNED_NAMES - without
        here = [(name, octets) for name, octets in fixed if name.lower() in signed]
        self._chosen = tuple(at for at, name in enumerate(changing) if name.lower() in signed)
        once_more = [name for name in OVERSIGNED if name.lower() not in without]
        names = [*(name for name, _ in here), *(changing[at] for at in self._chosen), *once_more]
        self._fixed = hashlib.sha256(b"".join(relaxed_field(octets) for _, octets in here))
        self._openings = [_opening(signer, names, now) for signer in signers]

    def headers(self, changing: Sequence[bytes], canonical_body: bytes) -> bytes:
        """Give the DKIM-Signature fields for one message.

        `changing` are its changing fields with CRLF, all of them in order; the body is in its relaxed form.
        """
        body_hash = b64encode(hashlib.sha256(canonical_body).digest())
        state = self._fixed.copy()
        for at in self._chosen:
            state.update(relaxed_field(changing[at]))
        out: list[bytes] = []
        for sign, wire, canonical in self._openings:
            digest = state.copy()
            digest.update(canonical + body_hash + b"; b=")
            signature = b64encode(sign(digest.digest()))
            lines = [signature[at : at + 72] for at in range(0, len(signature), 72)]
            out += (wire, body_hash, b";\r\n b=", b"\r\n ".join(lines), b"\r\n")
        return b"".join(out)


def sign(
    content: bytes, signers: Sequence[Signer], now: datetime, unsigned: frozenset[str] = frozenset()
) -> bytes:
    """Give any message (CRLF line ends) with its signatures before it."""
    if not signers:
        return content
    head, _, body = content.partition(b"\r\n\r\n")
    lines = re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*", head)
    fixed = [(line.partition(b":")[0].rstrip().decode("ascii"), line + b"\r\n") for line in reversed(lines)]
    return Seal(signers, fixed, (), now, unsigned).headers((), relaxed_body(body)) + content


def load_signers(folder: Path, domain: str | None = None) -> tuple[Signer, ...]:
    """Give a signer for every key in the folder (of one domain, if it is named), RSA first; none if there is no folder.

    Of several keys of one kind for a domain the newest file signs; the older stay for their records' sake (K14).
    Raises UserError if a file is no key, or others may read it.
    """
    wanted = ascii_form(domain).lower() if domain else None
    newest: dict[tuple[str, str], Path] = {}
    for file in sorted(folder.glob("*.pem"), key=lambda file: (file.stat().st_mtime_ns, file.name)):
        match = _FILE.fullmatch(file.name)
        if match is None:
            raise UserError(Problem("is named otherwise than DOMAIN.SELECTOR.rsa.pem", file=str(file)))
        if wanted in {None, match["domain"]}:
            newest[match["kind"], match["domain"]] = file
    return tuple(_signer(file) for _, file in sorted(newest.items(), reverse=True))


def _signer(file: Path) -> Signer:
    match = _FILE.fullmatch(file.name)
    if match is None or file.stat().st_mode & 0o077:
        raise UserError(Problem(f"others may read this key: run `chmod 600 {file}`", file=str(file)))
    make = Signer.rsa if match["kind"] == "rsa" else Signer.ed25519
    with file.open("rb") as opened:
        return make(match["domain"], match["selector"], opened.read(_LARGEST_FILE))


def aligned(signers: Sequence[Signer], author: str) -> tuple[Signer, ...]:
    """Give the signers of the author's domain or one above it (G04); all of them if there is none."""
    host = f".{author.rpartition('@')[2].lower()}"
    return tuple(one for one in signers if host.endswith(f".{one.domain}")) or tuple(signers)


def relaxed_field(octets: bytes) -> bytes:
    """Give a field in relaxed form (RFC 6376, section 3.4.2)."""
    name, _, value = octets.partition(b":")
    return name.rstrip().lower() + b":" + _WHITE.sub(b" ", value).strip() + b"\r\n"


def relaxed_body(body: bytes) -> bytes:
    """Give a body in relaxed form (RFC 6376, section 3.4.4): an empty one stays empty."""
    lines = [_INNER_WHITE.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _opening(
    signer: Signer, names: Sequence[str], now: datetime
) -> tuple[Callable[[bytes], bytes], bytes, bytes]:
    """Give the signer's function, and the field up to its body hash, as it is sent and in relaxed form."""
    wire = (
        f"DKIM-Signature: v=1; a={signer.algorithm}; c=relaxed/relaxed; d={signer.domain};\r\n"
        f" s={signer.selector}; t={int(now.timestamp())};\r\n h={_folded_names(names)};\r\n bh="
    ).encode("ascii")
    return signer.sign, wire, relaxed_field(wire).removesuffix(b"\r\n")


def _folded_names(names: Sequence[str]) -> str:
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > 70:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n  ".join(lines).removesuffix(":")


def _place(domain: str, selector: str) -> tuple[str, str]:
    name = ascii_form(domain).lower()
    if not name or not re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?", selector):
        raise _unfit(domain, selector, "needs a domain name, and a selector of letters, digits and hyphens")
    return name, selector


def _private_key(pem: bytes, domain: str, selector: str) -> object:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        return load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _unfit(domain, selector, "is no private key in PEM without a password") from None


def _unfit(domain: str, selector: str, why: str) -> UserError:
    return UserError(Problem(f"the DKIM key {selector} of {domain} {why}", key="dkim"))
