"""Signing and encryption: DKIM against what OpenSSL signs on one core, STARTTLS against the plain rate."""

from __future__ import annotations

import re
import statistics

from benchmarks import newsroom
from benchmarks.process import loopback, program, run, sink
from benchmarks.table import Options, Wanted, alone, figure, heading, print_table, progress
from benchmarks.together import sign_with_rsa


def measure(options: Options) -> list[Wanted]:
    readers = 5_000 if options.quick else 20_000
    heading(f"Signing and encryption: {readers:,} messages of 40 KB")
    return [*_signing(readers, options), *_encrypting(readers, options.rounds)]


def _signing(readers: int, options: Options) -> list[Wanted]:
    """Send with one RSA key, in turns with `openssl speed`."""
    signed, openssl, bare = [], [], []
    with sink() as port:
        for turn in range(options.rounds):
            progress(f"openssl speed, mailer send with DKIM: {turn + 1} of {options.rounds}")
            openssl.append(_openssl(1 if options.quick else 3))
            signed.append(_sent(readers, port, key=True))
            bare.append(_sent(readers, port, key=False))
    rows = [
        ("mailer send, one RSA-2048 key", figure(_median(signed))),
        ("mailer send, no key", figure(_median(bare))),
        ("openssl speed rsa2048, signatures", figure(statistics.median(openssl))),
    ]
    print_table(("signing", "a second"), rows)
    ratio = statistics.median(one.rate / limit for one, limit in zip(signed, openssl, strict=True))
    return [Wanted("rate with DKIM / openssl speed rsa2048 on one core", ratio, ">=", 0.6)]


def _openssl(seconds: int) -> float:
    output = run((program("openssl"), "speed", "-seconds", str(seconds), "rsa2048")).output
    return float(re.search(r"^rsa\s+2048 bits\s+\S+\s+\S+\s+(\S+)", output, re.MULTILINE)[1])


def _sent(readers: int, port: int, *, key: bool) -> newsroom.Sent:
    with newsroom.newsroom(readers) as room:
        if key:
            sign_with_rsa(room)
        return newsroom.send(room, port)


def _median(sends: list[newsroom.Sent]) -> float:
    return statistics.median(one.rate for one in sends)


def _encrypting(readers: int, rounds: int) -> list[Wanted]:
    """Send to the project's own server, in turns plain and with STARTTLS."""
    plain, secret = [], []
    with loopback() as (open_port, _), loopback("--tls", "starttls") as (port, said):
        certificate = re.search(r"^certificate (\S+)", said, re.MULTILINE)[1]
        for turn in range(rounds):
            progress(f"mailer send plain, and with STARTTLS: {turn + 1} of {rounds}")
            plain.append(_to(readers, open_port, "tls=off"))
            secret.append(_to(readers, port, f"tls=starttls&ca={certificate}"))
    rows = [("plain", figure(_median(plain))), ("STARTTLS", figure(_median(secret)))]
    print_table(("to our own server", "messages/s"), rows)
    ratio = statistics.median(one.rate / other.rate for one, other in zip(secret, plain, strict=True))
    return [Wanted("rate with STARTTLS / plain", ratio, ">=", 0.5)]


def _to(readers: int, port: int, options: str) -> newsroom.Sent:
    with newsroom.newsroom(readers) as room:
        return newsroom.send(room, port, options)


if __name__ == "__main__":
    alone(measure)
