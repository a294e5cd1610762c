"""A kept mail that names a person is found, however the address stands in it."""

from __future__ import annotations

import base64
import quopri
from email.header import Header
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.database import writing
from mailer.feedback import privacy
from mailer.feedback.mentions import mentions, spellings
from tests.feedback.house import House, housed
from tests.feedback.voices import mail

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feedback.conftest import World

ANN = "ann.of.the.green-gables@reader.example"
TEXT = f"Dear all,\nthe mailbox of {ANN} is ünknown here.\n"
WORD = Header(f"Grüße an {ANN} von uns allen hier", "utf-8", maxlinelen=60).encode().encode()
HEAD = b"From: system@machine.example\nTo: news@weekly.example\nMIME-Version: 1.0\n"


def typed(encoding: str, body: bytes, kind: str = 'text/plain; charset="utf-8"') -> bytes:
    """Give a mail of one part."""
    return HEAD + f"Content-Type: {kind}\nContent-Transfer-Encoding: {encoding}\n\n".encode() + body


def within(part: bytes, kind: str = "multipart/report") -> bytes:
    """Give a mail with a part."""
    return HEAD + f'Content-Type: {kind}; boundary="b"\n\n--b\n'.encode() + part + b"\n--b--\n"


def split(text: str) -> bytes:
    """Give quoted-printable that breaks an address in the middle, as long lines are."""
    return quopri.encodestring(text.encode()).replace(b"ann.of", b"ann.=\nof").replace(b"green-", b"gre=65n-")


ATTACHED = b"Content-Type: message/rfc822\n\n"
NAMING = {
    "plain": typed("8bit", TEXT.upper().encode()),
    "base64": typed("base64", base64.encodebytes(TEXT.encode())),
    "quoted-printable": typed("quoted-printable", split(TEXT)),
    "utf-16": typed("base64", base64.encodebytes(TEXT.encode("utf-16")), 'text/plain; charset="utf-16"'),
    "encoded-word": b"Subject: " + WORD + b"\n" + HEAD + b"\nHello\n",
    "folded": b"X-Failed:\n ann.of.the.green-gables\n @reader.example\n" + HEAD + b"\nHello\n",
    "entities": typed("7bit", ANN.replace("@", "&#64;").encode(), "text/html"),
    "return-path": typed("7bit", b"bounces+" + ANN.replace("@", "=").encode() + b"@other.example"),
    "link": typed("7bit", b"https://other.example/?to=" + ANN.replace("@", "%40").encode()),
    "attached-base64": within(ATTACHED + typed("base64", base64.encodebytes(TEXT.encode()))),
    "attached-word": within(ATTACHED + b"Subject: " + WORD + b"\n" + HEAD + b"\nHello\n"),
    "announced-by-nothing": typed("7bit", b"What came:\n" + base64.encodebytes(TEXT.encode())),
    "deep": within(
        within(within(b"Content-Transfer-Encoding: base64\n\n" + base64.encodebytes(TEXT.encode())))
    ),
}


@pytest.mark.parametrize("how", NAMING)
def test_an_address_is_found_however_it_is_encoded(how: str):
    """Base64, quoted-printable broken within it, encoded words, attached messages, and what announces nothing."""
    assert mentions(NAMING[how], spellings([ANN]))
    assert not mentions(NAMING[how], spellings(["bo@reader.example"]))


@pytest.mark.parametrize("known", ["ann@straße.example", "ann@xn--strae-oqa.example"])
@pytest.mark.parametrize(
    "written", ["Ann@Straße.example", "ann@XN--strae-oqa.example", "b+ann=straße.example@x.y"]
)
def test_a_domain_of_other_letters_is_found_in_both_spellings(known: str, written: str):
    """By the rules of today (IDNA 2008), as addresses are kept; by older ones it was another domain."""
    assert mentions(f"To: {written}\n\nHello\n".encode(), spellings([known]))
    assert not mentions(b"To: ann@strasse.example\n\nHello\n", spellings([known]))


def test_nobody_is_named_by_no_address():
    """Who has no address left is found in no mail."""
    assert not mentions(NAMING["plain"], spellings(["", ""]))


def test_a_number_that_is_too_long_for_a_character_hides_nobody(world: World, tmp_path: Path):
    """No mail that is kept can stop an erasure, and the address beside the number is found."""
    house: House = housed(world, tmp_path)
    raw = typed("7bit", b"&#" + b"9" * 5000 + b"; " + ANN.replace("@", f"&#{64:05000d};").encode())
    assert mentions(raw, spellings([ANN]))
    assert not mentions(raw, spellings(["bo@reader.example"]))
    house.hear(raw)
    with writing(world.engine) as c:
        privacy.erased(c, 0, [ANN])
    assert house.kept() == {}


@given(st.binary(max_size=2000))
def test_any_octets_can_be_searched(raw: bytes):
    """Whatever came can be looked through, and finds nobody who is not there."""
    assert not mentions(raw, spellings([ANN]))


def test_erasing_a_person_lets_go_of_kept_mails_that_name_them(world: World, tmp_path: Path):
    """Of three mails that nobody understood, those that name the person go; another's stays."""
    house: House = housed(world, tmp_path)
    for raw in (NAMING["base64"], NAMING["encoded-word"], mail("Hello", "Anybody there?")):
        house.hear(raw)
    assert sum(house.kept().values()) == 3
    with writing(world.engine) as c:
        privacy.erased(c, 0, [ANN])
    assert sum(house.kept().values()) == 1
