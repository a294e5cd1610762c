"""Mails that no system wrote: huge, cut off, mangled, at random. Reading them ends, and raises nothing."""

from __future__ import annotations

import hashlib
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.feedback.model import Kind
from mailer.feedback.reading import read
from mailer.feedback.reading.mime import DEEPEST, LARGEST, MOST_PARTS, opened
from mailer.issue.prose import unescaped
from tests.feedback.systems import SYSTEMS, original, postfix

READER = "ann.o'neil+x=y@mail.reader.example"


def test_a_50_mb_mail_and_1000_nested_parts_end():
    """D21: bounded octets, depth and parts, whatever is sent."""
    huge = postfix(READER, "550 5.1.1 unknown") + b"A" * (50 << 20)
    nested = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1000))
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000
    report = postfix(READER, "550 5.1.1 unknown")
    gaps = [
        report.replace(b"rfc822; ", b"rfc822; " + b" " * 60_000, 1),
        report.replace(b"Status:", b"Status:" + b" \t" * 30_000, 1),
        report.replace(b"\n\n", b"\n" + b" " * 60_000 + b"x\n\n", 3),
        report.replace(b"To: ", b"To: " + b"( " * 30_000, 1),
    ]
    for raw in (
        huge,
        b"From: a@b\n" + nested,
        wide,
        *gaps,
        b"a:b\n" * 500_000,
        b"(" * 1_000_000,
        b"<" * 500_000,
    ):
        began = time.perf_counter()
        assert read(raw).kind in Kind
        assert time.perf_counter() - began < 20  # a guard against hanging; the bench tells the time
    assert len(opened(wide).parts) <= MOST_PARTS
    assert DEEPEST < 100
    assert LARGEST < 50 << 20


def test_10000_recipients_end():
    """D21: so many recipients of one report are cut off, and none of it takes long."""
    block = "\n".join(
        f"Final-Recipient: rfc822; r{n}@x.example\nAction: failed\nStatus: 5.1.1\n" for n in range(10_000)
    )
    raw = postfix(READER, "550 5.1.1 unknown").replace(
        b"Action: failed", f"Action: failed\n\n{block}".encode(), 1
    )
    assert 1 < len(read(raw).recipients) <= 100


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_mail_that_was_cut_off_anywhere_is_read(system: str):
    """No truncation raises, and none makes a dead address of a full mailbox."""
    raw = SYSTEMS[system](READER, "552 5.2.2 Mailbox full")
    for end in range(0, len(raw), 7):
        assert not any(each.hardbounce for each in read(raw[:end]).recipients)


@given(st.binary(max_size=4000))
def test_any_octets_are_read(octets: bytes):
    """No octets raise, alone or in the place of a report's part."""
    assert read(octets).kind in Kind
    whole = postfix(READER, "550 5.1.1 unknown")
    assert read(whole.replace(b"Diagnostic-Code: smtp", octets)).kind in Kind


@given(st.data())
def test_a_mangled_report_is_read(data: st.DataObject):
    """Octets lost, doubled or changed in any report of ours do not raise."""
    system = data.draw(st.sampled_from(sorted(SYSTEMS)))
    raw = bytearray(SYSTEMS[system](READER, "550 5.1.1 unknown"))
    for _ in range(data.draw(st.integers(1, 20))):
        place = data.draw(st.integers(0, len(raw) - 1))
        raw[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    assert read(bytes(raw)).kind in Kind


def test_odd_charsets_and_encodings_do_not_raise():
    """D16, E06: a charset that does not exist, codecs that are none, broken base64."""
    for charset in ("x-unknown", "zip", "undefined", "idna", "unicode-1-1-utf-7", "", "\x00", "utf-7", "hex"):
        raw = postfix(READER, "550 5.1.1 unknown").replace(b"us-ascii", charset.encode())
        assert read(raw).recipients[0].recipient == READER
    odd = b"From: =?x?b?!!?= =?utf-8?q?=ZZ?= <mailer-daemon@x>\nContent-Transfer-Encoding: base64\n\n@@@@"
    assert read(odd).kind in Kind


def test_numbers_of_no_character_do_not_raise():
    """D21: a character reference of thousands of digits, which `int` refuses; what is padded is what it says."""
    assert (
        unescaped(f"&#{'9' * 5000}; &#{64:05000d}; &#000000064; &#64; &#x{'f' * 5000};")
        == "\ufffd @ @ @ \ufffd"
    )
    raw = b"Content-Type: text/html\nFrom: a@b.example\n\n<p>&#" + b"9" * 5000 + b";</p>\n"
    assert read(raw).kind in Kind


@pytest.mark.slow
def test_random_structures_are_read():
    """A thousand trees of parts, wrong boundaries and types among them."""
    source = random.Random(5)  # noqa: S311 - the same trees each time
    kinds = [
        "text/plain",
        "text/html",
        "message/rfc822",
        "message/delivery-status",
        "message/feedback-report",
        "x/y",
    ]
    for number in range(1000):
        name = hashlib.sha256(str(number).encode()).hexdigest()[:8]
        parts = "".join(
            f"--{name if source.random() > 0.1 else 'lost'}\n"
            f"Content-Type: {source.choice(kinds)}\n\n{original(READER)}\n"
            for _ in range(source.randrange(12))
        )
        assert (
            read(
                f"Content-Type: multipart/{source.choice(['mixed', 'report'])}; boundary={name}\n\n{parts}".encode()
            ).kind
            in Kind
        )
