"""Signatures that two verifiers prove: dkimpy, and one of the tests' own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.edition import Context
from mailer.message import Recipient
from mailer.message.dkim import OVERSIGNED, SIGNED, aligned, load_signers, relaxed_body, sign
from mailer.message.dkim_keys import new_keys
from mailer.message.letter import Letter, service_message
from tests.message import verifier
from tests.message.samples import JANE, NOW, SENDER, check_octets, edition, press, raw_header, slot

if TYPE_CHECKING:
    from pathlib import Path

BOTH = ["rsa-sha256", "ed25519-sha256"]


class Bench:
    """Two keys, and the DNS that knows them."""

    def __init__(self, folder: Path) -> None:
        made = new_keys(folder, "kiln.example", "test")
        self.records = {record.name: record.value for record in made}
        self.signers = load_signers(folder)

    def dns(self, name: bytes, timeout: int = 5) -> bytes | None:  # noqa: ARG002 - dkimpy names it
        """What dkimpy asks."""
        found = self.records.get(name.decode().rstrip("."))
        return found.encode() if found else None

    def verdicts(self, octets: bytes) -> list[tuple[str, bool]]:
        """What both verifiers say, who must agree; one line a signature."""
        own = verifier.verify(octets, self.records)
        theirs = [dkim.DKIM(octets).verify(idx=at, dnsfunc=self.dns) for at in range(len(own))]
        assert theirs == [good for _, good in own]
        return own


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("dkim"))


ALL_GOOD = [(algorithm, True) for algorithm in BOTH]

RFC_8463 = b"""\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
""".replace(b"\n", b"\r\n")


def test_our_verifier_proves_the_message_of_the_standard():
    """RFC 8463, appendix A: the verifier that judges our signatures is right about that one and changed ones."""
    records = {
        "brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    }
    assert verifier.verify(RFC_8463, records) == [("ed25519-sha256", True)]
    assert verifier.verify(RFC_8463.replace(b"dinner", b"supper"), records) == [("ed25519-sha256", False)]
    assert verifier.verify(RFC_8463.replace(b"hungry", b"angry"), records) == [("ed25519-sha256", False)]


def test_a_mailing_carries_both_signatures(bench: Bench):
    """K03, K05: RSA and Ed25519 stand side by side, and every verifier finds one that it knows."""
    message = press(signers=bench.signers).message(JANE)
    check_octets(message)
    assert bench.verdicts(message.content) == ALL_GOOD


HEADS = {
    "long headers": b"Subject: " + b"word " * 400 + b"\r\nX-Long: " + b"y" * 980 + b"\r\n",
    "folded with tabs": b"Subject: one\r\n\ttwo\t \t three\r\n  four\r\n",
    "UTF-8 subject": "Subject: Grüße aus 日本\r\n".encode(),
    "encoded subject": b"Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\n =?utf-8?b?IGF1cw==?=\r\n",
    "a field that occurs twice": b"Subject: x\r\nList-Id: <one.example>\r\nX-A: 1\r\nList-Id: <two.example>\r\n",
    "spaces around the value": b"Subject: \t x \r\nReply-To:  a@kiln.example \r\nTO: b@b.example\r\n",
    "empty subject": b"Subject:\r\n",
}
BODIES = {
    "empty": b"",
    "only empty lines": b"\r\n\r\n\r\n",
    "no last line end": b"Hello",
    "trailing spaces": b"Hello  \t \r\n \t\r\nthere\r\n \r\n\r\n",
    "lines with dots": b".\r\n..\r\n.hidden\r\n",
    "tabs": b"\ta\t\tb \t c\r\n",
    "lines of 998 octets": b"x" * 998 + b"\r\n" + b"y " * 499 + b"\r\n",
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("body", BODIES)
def test_both_verifiers_prove_any_mail(bench: Bench, head: str, body: str):
    """K08, K13: whatever is in the header or the body, both signatures hold for both verifiers."""
    mail = b"From: News <news@kiln.example>\r\nTo: a@b.example\r\n" + HEADS[head] + b"\r\n" + BODIES[body]
    signed = sign(mail, bench.signers, NOW)
    assert signed.endswith(mail)
    assert bench.verdicts(signed) == ALL_GOOD


@settings(deadline=None, max_examples=60)
@given(name=st.text(max_size=80), city=st.text(max_size=80), number=st.integers(0, 2**32))
def test_the_body_of_a_mailing_is_its_own_relaxed_form(bench: Bench, name: str, city: str, number: int):
    """K08, K09: the press hashes the very octets that leave, for any reader, and both verifiers prove them."""
    town = slot("subscriber.city", Context.TEXT, " x  y ")
    html = slot("subscriber.city", Context.ATTRIBUTE, " x  y ")
    of = edition(
        ('<p   a="', html, '">  \t\n\n  </p>\n\n\n'), (" .\n\t\ttab  two \n", town, "\n\n"), (town, "!")
    )
    message = press(of, signers=bench.signers).message(
        Recipient(number, 1, "a@b.example", name, attributes={"city": city})
    )
    body = message.content.partition(b"\r\n\r\n")[2]
    assert relaxed_body(body) == body
    assert bench.verdicts(message.content) == ALL_GOOD


def signed_names(octets: bytes) -> list[list[str]]:
    """The h= of each signature."""
    found = re.findall(rb"\n h=([^;]+);", octets.partition(b"\r\n\r\n")[0])
    assert len(found) == 2
    return [b"".join(names.split()).decode().split(":") for names in found]


def test_both_unsubscribe_fields_are_signed(bench: Bench):
    """U03, K02: one click works for providers that check h=; Return-Path and the signatures are not in it."""
    for names in signed_names(press(signers=bench.signers).message(JANE).content):
        assert {"List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID", "Message-ID"} <= set(names)
        assert not {"Return-Path", "DKIM-Signature", "Received", "X-Newsletter-Delivery"} & set(names)


@pytest.mark.parametrize("name", OVERSIGNED)
def test_nobody_can_add_a_second_one(bench: Bench, name: str):
    """K01: a second From, Subject, To, Date ... put before or after ours breaks both signatures."""
    octets = press(signers=bench.signers).message(JANE).content
    head, _, body = octets.partition(b"\r\n\r\n")
    extra = name.encode() + b": intruder@evil.example"
    broken = [(algorithm, False) for algorithm in BOTH]
    assert verifier.verify(extra + b"\r\n" + octets, bench.records) == broken
    assert verifier.verify(head + b"\r\n" + extra + b"\r\n\r\n" + body, bench.records) == broken


@pytest.mark.parametrize(
    "name", ["From", "To", "Subject", "Date", "Message-ID", "List-Unsubscribe", "Content-Type"]
)
def test_a_changed_field_breaks_the_signatures(bench: Bench, name: str):
    """Each field of a mailing, changing or not, is really under the signature."""
    octets = press(signers=bench.signers).message(JANE).content
    changed = octets.replace(f"\r\n{name}: ".encode(), f"\r\n{name}: x".encode(), 1)
    assert changed != octets
    assert not any(good for _, good in bench.verdicts(changed))


def test_what_a_relay_rewrites_is_left_out(bench: Bench):
    """A relay that sets Message-ID and Date anew breaks nothing if both are unsigned."""
    message = press(signers=bench.signers, unsigned=frozenset({"message-id", "Date"})).message(JANE)
    octets = re.sub(
        rb"\r\nMessage-ID: [^\r]+\r\nDate: [^\r]+|\r\nDate: [^\r]+", b"\r\nDate: now", message.content
    )
    octets = octets.replace(message.message_id.encode(), b"<other@relay.example>")
    assert octets != message.content
    assert bench.verdicts(octets) == ALL_GOOD
    assert not any({"Message-ID", "Date"} & set(names) for names in signed_names(octets))


def test_the_signatures_say_when_and_have_no_length(bench: Bench):
    """K06, K07, K10, K12: t= is the time given, c=relaxed/relaxed, no l=, no tag twice, lines stay short."""
    octets = press(signers=bench.signers).message(JANE).content
    head = octets.partition(b"From: ")[0]
    assert head.count(b"c=relaxed/relaxed") == head.count(f"t={int(NOW.timestamp())};".encode()) == 2
    assert b" l=" not in head
    assert all(len(line) <= 78 for line in head.split(b"\r\n"))


def test_a_redated_press_signs_with_the_new_time(bench: Bench):
    """A mailing that lasts for days gives each message its own Date, and the signatures hold."""
    one = press(signers=bench.signers)
    one.redate(NOW.replace(day=16))
    octets = one.message(JANE).content
    assert b"Date: Thu, 16 Jul 2026" in octets
    assert bench.verdicts(octets) == ALL_GOOD


def test_a_letter_is_signed_too(bench: Bench):
    """Service mail passes DMARC as the newsletter does."""
    letter = Letter(
        "confirm-1", "jane@reader.example", "Please confirm · it is short", ".dot\nHello\n", "<p>Hi"
    )
    message = service_message(SENDER, letter, NOW, bench.signers)
    check_octets(message)
    assert bench.verdicts(message.content) == ALL_GOOD


def test_a_non_ascii_mailbox_is_signed_as_it_is(bench: Bench):
    """I01: with SMTPUTF8 the To field holds UTF-8, and the signature covers its octets."""
    message = press(signers=bench.signers).message(Recipient(1, 1, "jürgen@bücher.example", "Jürgen"))
    assert message.smtputf8
    assert raw_header(message, "To").endswith("<jürgen@xn--bcher-kva.example>")
    assert bench.verdicts(message.content) == ALL_GOOD


def test_only_the_keys_of_the_senders_domain_sign(bench: Bench, tmp_path: Path):
    """G04: of two brands' keys the one aligned with From signs; a key of the parent domain is aligned."""
    new_keys(tmp_path, "other.example", "test")
    several = (*load_signers(tmp_path), *bench.signers)
    assert {one.domain for one in aligned(several, "a@news.kiln.example")} == {"kiln.example"}
    assert bench.verdicts(press(signers=several).message(JANE).content) == ALL_GOOD
    assert aligned(several, "a@notkiln.example") == several


def test_every_name_is_signed_once_at_most():
    """The table of names holds none twice, however it is spelled."""
    assert len({name.lower() for name in SIGNED}) == len(SIGNED)
