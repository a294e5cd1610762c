"""A DKIM verifier of its own (RFC 6376, RFC 8463), written from the standard and sharing no code with the signer."""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key


def squeezed(octets: bytes) -> bytes:
    """White space made single."""
    out = bytearray()
    for octet in octets:
        if octet in b" \t":
            if not out.endswith(b" "):
                out += b" "
        else:
            out.append(octet)
    return bytes(out)


def header_fields(octets: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The fields as (lower-case name, relaxed value), and the body."""
    fields: list[tuple[bytes, bytes]] = []
    rest = octets
    while rest and not rest.startswith(b"\r\n"):
        line, rest = rest.split(b"\r\n", 1)
        while rest[:1] in {b" ", b"\t"}:
            more, rest = rest.split(b"\r\n", 1)
            line += more
        name, value = line.split(b":", 1)
        fields.append((name.strip().lower(), squeezed(value).strip()))
    return fields, rest[2:]


def tags(value: bytes) -> dict[str, str]:
    """The tags of a signature or a record."""
    pairs = [part.split("=", 1) for part in value.decode().split(";") if part.strip()]
    assert len({name.strip() for name, _ in pairs}) == len(pairs), "K12: a tag occurs twice"
    return {name.strip(): "".join(text.split()) for name, text in pairs}


def relaxed_body(body: bytes) -> bytes:
    """Section 3.4.4."""
    lines = [squeezed(line).rstrip(b" ") for line in body.split(b"\r\n")]
    text = b"\r\n".join(lines).rstrip(b"\r\n")
    return text + b"\r\n" if text else b""


def verify(octets: bytes, records: dict[str, str]) -> list[tuple[str, bool]]:
    """Every signature's algorithm, and whether it holds."""
    fields, body = header_fields(octets)
    return [
        (tags(value)["a"], holds(fields, body, value, records))
        for name, value in fields
        if name == b"dkim-signature"
    ]


def holds(fields: list[tuple[bytes, bytes]], body: bytes, signature: bytes, records: dict[str, str]) -> bool:
    """Section 6.1."""
    tag = tags(signature)
    assert tag["v"] == "1"
    assert tag["c"] == "relaxed/relaxed"
    assert "l" not in tag
    digest = hashlib.sha256(relaxed_body(body)).digest()
    if base64.b64decode(tag["bh"]) != digest:
        return False
    left, signed = list(fields), b""
    for name in tag["h"].lower().encode().split(b":"):
        at = max((at for at, (known, _) in enumerate(left) if known == name), default=None)
        if at is not None:
            signed += name + b":" + left.pop(at)[1] + b"\r\n"
    signed += b"dkim-signature:" + signature[: signature.rindex(b"b=") + 2]
    record = tags(records[f"{tag['s']}._domainkey.{tag['d']}"].encode())
    return proven(tag["a"], base64.b64decode(record["p"]), base64.b64decode(tag["b"]), signed)


def proven(algorithm: str, public: bytes, signature: bytes, signed: bytes) -> bool:
    """Whether the key made the signature over what was signed."""
    try:
        if algorithm == "ed25519-sha256":
            Ed25519PublicKey.from_public_bytes(public).verify(signature, hashlib.sha256(signed).digest())
        else:
            key = load_der_public_key(public)
            assert isinstance(key, RSAPublicKey)
            key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
