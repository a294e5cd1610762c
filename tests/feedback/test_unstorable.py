"""Mails that spell what no database holds: NUL, and half of a surrogate pair. They are heard, and hold up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DataError

from mailer.feedback.intake import hearing
from mailer.feedback.intake.hearing import hear_one_of_many
from mailer.feedback.model import Kind
from mailer.feedback.reading import read
from mailer.feedback.reading.octets import storable
from tests.feedback.house import House, housed
from tests.feedback.systems import postfix
from tests.feedback.voices import mail

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feedback.conftest import World

ANN = "ann@reader.example"
HEAD = b"From: no-reply@provider.example\nMessage-ID: <1@provider.example>\n"
COMPLAINT = (
    b'{"notificationType":"Complaint","mail":{"messageId":"%b"},"complaint":'
    b'{"complaintFeedbackType":"%b","complainedRecipients":[{"emailAddress":"ann%b@reader.example"}]}}'
)
REPORT = postfix(ANN, "550 5.1.1 unknown")
POISON = {
    "complaint-nul": HEAD + b"\n" + COMPLAINT % ((rb"\u0000",) * 3),
    "complaint-half": HEAD + b"\n" + COMPLAINT % ((rb"\ud800",) * 3),
    "recipient-half": REPORT.replace(b"rfc822; ann", rb"rfc822; ann\x{D800}"),
    "recipient-nul": REPORT.replace(b"rfc822; ann", rb"rfc822; ann\x{00}"),
    "subject-half": HEAD + b"Subject: =?utf-7?q?+2AA-?=\n\nHello\n",
    "sender-half": b"From: =?utf-7?q?+2AA-?= <a@b.example>\n\nHello\n",
    "boundary-half": HEAD + b"Content-Type: multipart/mixed; boundary==?utf-7?q?+2AA-?=\n\nHello\n",
    "text-half": HEAD + b"Content-Type: text/plain; charset=utf-7\n\n+2AA-\n",
}


@pytest.fixture
def house(world: World, tmp_path: Path) -> House:
    """A newsletter with a reader."""
    world.join(ANN)
    return housed(world, tmp_path)


@pytest.mark.parametrize("poison", POISON)
def test_a_mail_that_spells_what_cannot_be_stored_is_heard(house: House, poison: str):
    """Its kind is known, and it is kept like any other that nobody understood."""
    heard = hear_one_of_many(house.ground, POISON[poison], channel="test")
    assert heard is not None
    assert sum(house.kept().values()) == 1


def test_a_sender_that_is_no_text_is_left_out(house: House):
    """SMTP's octets that are no UTF-8 come as halves of pairs; the mail is heard all the same."""
    sent = house.world.send()
    heard = house.hear(mail("Hello", "Hi"), to=house.path(ANN, sent), sender="a\udcff@b.example")
    assert heard.kind is Kind.REPLY


def test_a_value_that_a_server_refuses_holds_up_no_other(house: House, monkeypatch: pytest.MonkeyPatch):
    """It stays refused, however long one waits: the mail is left to a person, and the next one is heard."""

    def refused(*_words: object, **_options: object) -> None:
        raise DataError("INSERT", {"address": ANN}, ValueError("a text with NUL"))

    monkeypatch.setattr(hearing, "hear", refused)
    assert hear_one_of_many(house.ground, mail("Hello", "Hi"), channel="test") is None


def test_what_is_stored_is_whole():
    """Pairs that are whole stay, and so does everything else."""
    assert storable("a\x00\ud800b\U0001f600ü") == "a?b\U0001f600ü"
    assert read(POISON["subject-half"]).subject == "?"
