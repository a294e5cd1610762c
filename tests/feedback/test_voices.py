"""Programs and people that answer: none is a bounce, none unsubscribes by mistake, a wish to leave is heard."""

# ruff: noqa: E501 - mails are written as they come

from __future__ import annotations

from dataclasses import replace

import pytest

from mailer.feedback.model import Evidence, Kind
from mailer.feedback.reading import read
from tests.feedback.systems import SYSTEMS
from tests.feedback.voices import automatic, leaving, mail, persons

TOKEN = "00112233445566778899aabbccddee01"


def test_200_automatic_answers_are_no_bounces():
    """A07, A08: in 30 languages and many header styles, and sometimes only by the subject."""
    heard = [(language, read(raw)) for language, raw in automatic(200)]
    wrong = [(language, one.kind, one.subject) for language, one in heard if one.kind is not Kind.AUTOREPLY]
    assert len({language for language, _ in heard}) >= 30
    assert not wrong
    assert {one.recipients[0].recipient for _, one in heard} == {"ann@reader.example"}
    assert not any(each.hardbounce for _, one in heard for each in one.recipients)


def test_100_answers_of_people_are_nothing_else():
    """V06: they reach a person, also when they speak of full mailboxes and of offices."""
    heard = [read(raw) for _, raw in persons(100)]
    assert {(one.kind, one.person) for one in heard} == {(Kind.NOT_BOUNCE, True)}


@pytest.mark.parametrize(
    "subject", ["Vacation photos", "Urlaub in Italien", "Une absence remarquée", "Delivery status?"]
)
def test_people_write_of_holidays_too(subject: str):
    """A07: a subject alone makes an automatic answer only if no person would write it."""
    assert read(mail(subject, "See the pictures.", "Return-Path: <ann@reader.example>")).person


def test_50_clients_can_leave():
    """U13: whatever the subject, the body, the charset and the sender, the token is read."""
    heard = [read(raw) for raw in leaving(TOKEN)]
    assert len(heard) >= 50
    assert {one.evidence.token for one in heard} == {TOKEN}
    assert {(one.kind, one.person) for one in heard} == {(Kind.NOT_BOUNCE, True)}


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_bounce_at_the_mailbox_for_leaving_is_no_wish(system: str):
    """U14: a report or an automatic answer that comes there is what it is."""
    raw = SYSTEMS[system]("ann@reader.example", "550 5.1.1 unknown")
    raw = raw.replace(b"bounce+", b"leave+")
    assert read(raw).kind is Kind.BOUNCE


def test_an_automatic_answer_at_the_mailbox_for_leaving_is_no_wish():
    """U14: somebody's vacation program answers the mail of somebody's client."""
    for _, raw in automatic(40):
        assert read(raw.replace(b"news@weekly", f"leave+{TOKEN}@weekly".encode())).kind is Kind.AUTOREPLY


@pytest.mark.parametrize("who", ["Boxbe", "Bluebottle", "SpamArrest"])
def test_a_challenge_is_no_bounce(who: str):
    """A09: though it comes in the shape of a report."""
    raw = SYSTEMS["postfix"]("ann@reader.example", "550 5.7.1 waiting")
    raw = raw.replace(
        b"From: MAILER-DAEMON@mx.example.net (Mail Delivery System)",
        f"From: {who} <no-reply@{who.lower()}.example>".encode(),
    )
    assert read(raw).kind is Kind.AUTOREPLY
    plain = mail("Please verify", f"{who}: verify that you are a person so that your message is delivered.")
    assert read(plain).kind is Kind.AUTOREPLY


CHALLENGING = (
    "Where is the fair that is being held on Friday?",
    "Please put me on the guest list.",
    "I still have to verify you are right about that. Please confirm your address to me.",
    "I am waiting for your confirmation.",
    "I read that on Boxbe.",
)


@pytest.mark.parametrize("words", CHALLENGING)
def test_a_person_may_use_the_words_of_a_challenge(words: str):
    """A09, V06: what somebody wrote reaches somebody; the same words of a program ask for proof."""
    written = mail("Re: Water is low", words, "Return-Path: <ann@reader.example>")
    assert (read(written).kind, read(written).person) == (Kind.NOT_BOUNCE, True)
    assert read(mail("Your message", words, "Return-Path: <>")).kind is Kind.AUTOREPLY
    assert read(mail("Your message", words, sender="no-reply@x.example")).kind is Kind.AUTOREPLY


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Auto-Submitted", "no"),
        ("X-Auto-Response-Suppress", "DR, RN, NRN"),
        ("Precedence", "bulk"),
        ("X-Autoreply", "no"),
    ],
)
def test_a_field_that_only_looks_so_makes_no_automatic_answer(field: str, value: str):
    """A03: `no` means a person, and Outlook asks to be spared receipts in every mail."""
    raw = mail("Re: Water is low", "Thank you.", "Return-Path: <ann@reader.example>", f"{field}: {value}")
    assert read(raw).kind is Kind.NOT_BOUNCE


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ("Re: Water is low", "I got this error: 550 5.1.1 user unknown. What should I do?"),
        ("Undelivered newsletter?", "It was not delivered last week. Was my mailbox full?"),
        ("Delivery failed", "Your parcel could not be delivered, they said!"),
        ("Bounce", "Undeliverable: 552 mailbox is full, says my friend ann@reader.example."),
    ],
)
def test_a_person_may_use_the_words_of_machines(subject: str, words: str):
    """V06: who writes under his own name is no mail system, whatever he writes about."""
    reading = read(mail(subject, words, "Return-Path: <ann@reader.example>"))
    assert (reading.kind, reading.person) == (Kind.NOT_BOUNCE, True)


def test_a_receipt_is_no_bounce_and_no_person():
    """RFC 8098: `read` and `deleted unread` come from the mail program."""
    raw = mail("Read: Water", "It was displayed.", "Return-Path: <ann@reader.example>")
    kind = b"multipart/report; report-type=disposition-notification; boundary=b"
    reading = read(raw.replace(b"text/plain; charset=utf-8", kind))
    assert (reading.kind, reading.person) == (Kind.NOT_BOUNCE, False)


def test_the_postmaster_of_a_company_is_a_person():
    """U13: who reads a newsletter as postmaster can leave it by mail."""
    sender = "postmaster@company.example"
    reading = read(
        mail(
            "unsubscribe",
            "please",
            f"Return-Path: <{sender}>",
            sender=sender,
            to=f"leave+{TOKEN}@weekly.example",
        )
    )
    assert (reading.kind, reading.person) == (Kind.NOT_BOUNCE, True)


def complaint(kind: str, *fields: str, shape: str = "report") -> bytes:
    """Give a complaint as a provider sends it."""
    told = "\n".join((f"Feedback-Type: {kind}", "User-Agent: Loop/1.0", "Version: 1", *fields))
    inner = f"Return-Path: <bounce+{TOKEN}@weekly.example>\nFrom: news@weekly.example\nTo: ann@reader.example\nSubject: Water\nMessage-ID: <{TOKEN}@weekly.example>\n\nHello\n"
    head = f'From: loop@provider.example\nTo: fbl@weekly.example\nSubject: FW: Water\nMIME-Version: 1.0\nContent-Type: multipart/{shape}; report-type=feedback-report; boundary="b"\n\n'
    return (
        f"{head}--b\nContent-Type: text/plain\n\nThis is an abuse report.\n--b\nContent-Type: message/feedback-report\n\n{told}\n"
        f"--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    ).encode()


@pytest.mark.parametrize("kind", ["abuse", "fraud", "not-spam", "auth-failure", "opt-out", "virus"])
def test_a_complaint_says_what_kind_it_is(kind: str):
    """C01, C03, C04, C09: never taken for the provider's own; identified by what was returned."""
    reading = read(complaint(kind))
    assert (reading.kind, reading.feedback) == (Kind.COMPLAINT, kind)
    assert [each.recipient for each in reading.recipients] == ["ann@reader.example"]
    assert reading.evidence.token == TOKEN
    assert reading.evidence.message_id.startswith(TOKEN)


def test_a_complaint_names_many_or_nobody():
    """C02, C05, C06: several recipients, a redacted one, fields missing, a wrong multipart."""
    many = read(
        complaint("abuse", "Original-Rcpt-To: <a@x.example>", "Original-Rcpt-To: b@x.example", "Version: 0.1")
    )
    assert [each.recipient for each in many.recipients] == ["a@x.example", "b@x.example"]
    redacted = complaint("abuse", shape="mixed").replace(
        b"To: ann@reader.example", b"To: redacted@redacted.invalid"
    )
    reading = read(redacted)
    assert (reading.kind, reading.recipients) == (Kind.COMPLAINT, ())
    assert reading.evidence.token == TOKEN
    assert read(complaint("something-new")).feedback == "other"


def test_a_complaint_of_the_old_kind():
    """C07: Hotmail's, without any report, the recipient in a field of the returned message."""
    raw = complaint("abuse").replace(b"Content-Type: message/feedback-report", b"Content-Type: text/plain")
    raw = raw.replace(b"multipart/report; report-type=feedback-report;", b"multipart/mixed;")
    raw = raw.replace(
        b"Return-Path: <bounce", b"X-HmXmrOriginalRecipient: Ann@Reader.example\nReturn-Path: <bounce"
    )
    reading = read(raw.replace(b"Feedback-Type: abuse", b"x"))
    assert reading.kind is Kind.COMPLAINT
    assert [each.recipient for each in reading.recipients] == ["Ann@Reader.example"]


def test_notices_carry_what_was_read():
    """A reading becomes one notice a recipient, with the evidence; nobody named is one notice too."""
    reading = read(complaint("abuse"))
    notice = reading.notices()[0]
    assert (notice.kind, notice.feedback, notice.evidence) == (Kind.COMPLAINT, "abuse", reading.evidence)
    nobody = replace(reading, recipients=(), evidence=Evidence(token=TOKEN))
    assert [each.recipient for each in nobody.notices()] == [""]
