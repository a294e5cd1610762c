"""What came back, read: whichever system wrote it, the right reader, the right verdict."""

# ruff: noqa: E501 - mails are written as they come

from __future__ import annotations

import pytest

from mailer.feedback.model import Kind, Permanence
from mailer.feedback.reading import read, reason_for
from tests.feedback.systems import PATH, SYSTEMS, TOKEN, postfix, qmail

READER = "ann.o'neil+x=y@mail.reader.example"
ANSWERS = {
    "550 5.1.1 <ann> User unknown": ("userunknown", True, Permanence.PERMANENT),
    "550 5.1.1 No such user here": ("userunknown", True, Permanence.PERMANENT),
    "552 5.2.2 Mailbox full": ("mailboxfull", False, Permanence.PERMANENT),
    "452 4.2.2 over quota": ("mailboxfull", False, Permanence.TEMPORARY),
    "554 5.7.1 blocked using zen.spamhaus.org": ("blocked", False, Permanence.PERMANENT),
    "550 5.7.26 This mail has been blocked because the sender is unauthenticated": (
        "authfailure",
        False,
        Permanence.PERMANENT,
    ),
    "550 5.2.1 The account is disabled": ("suspend", False, Permanence.PERMANENT),
    "550 5.7.1 message looks like spam": ("spamdetected", False, Permanence.PERMANENT),
    "450 4.1.1 unverified address: user unknown for now": ("userunknown", False, Permanence.TEMPORARY),
}


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer[:9])
@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_is_read(system: str, answer: str):
    """D01, D02, D04, D05, D06, D11, D13, D15, D16, A06: the right address, and the right verdict, whoever wrote it."""
    reason, dead, permanence = ANSWERS[answer]
    reading = read(SYSTEMS[system](READER, answer))
    assert reading.kind is Kind.BOUNCE
    assert [each.recipient for each in reading.recipients] == [READER]
    told = reading.recipients[0]
    assert (told.reason, told.hardbounce, told.permanence, told.final) == (reason, dead, permanence, True)


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_evidence_is_found_wherever_it_stands(system: str):
    """V03, V04: the token of the address it came to; our Message-ID and header in what was returned."""
    raw = SYSTEMS[system](READER, "550 5.1.1 unknown")
    assert read(raw).evidence.token == TOKEN
    if system not in {"html_only", "forwarded"}:
        elsewhere = raw.replace(PATH.encode(), b"news@weekly.example")
        assert read(elsewhere).evidence.message_id.startswith(TOKEN)


@pytest.mark.parametrize(
    "path",
    [
        PATH.upper(),
        f'"bounce+{TOKEN}"@weekly.example',
        f"SRS0=Hx7k=QP=weekly.example=bounce+{TOKEN}@forwarder.example",
        f"prvs=1234567890=bounce+{TOKEN}@weekly.example",
        f"bounce+{TOKEN}@weekly.example (undisclosed)",
    ],
)
def test_the_token_survives_the_way(path: str):
    """V03: upper case, quotes, SRS and BATV do not hide it."""
    raw = postfix(READER, "550 5.1.1 unknown").replace(
        f"Delivered-To: {PATH}".encode(), f"X-Original-To: {path}".encode()
    )
    raw = raw.replace(f"To: {PATH}".encode(), b"To: undisclosed")
    assert read(raw).evidence.token == TOKEN


@pytest.mark.parametrize(
    ("system", "change"),
    [
        ("postfix", ("Action: failed", "Action: delayed")),
        ("gmail", ("Action: failed", "ACTION:   Delayed (still trying)")),
        ("utf8_report", ("", "")),
    ],
)
def test_a_warning_is_not_a_failure(system: str, change: tuple[str, str]):
    """D03, R04: what is still being tried is not final."""
    raw = SYSTEMS[system](READER, "450 4.2.2 mailbox full").replace(change[0].encode(), change[1].encode())
    told = read(raw).recipients[0]
    assert told.final is (system == "utf8_report")
    assert not told.hardbounce


def test_a_warning_in_prose_is_not_a_failure():
    """R04: Exim's words for a delay, without any field."""
    raw = SYSTEMS["exim"](READER, "450 4.7.1 try later").replace(
        b"This is a permanent error.", b"It has not yet been delivered; no action is required on your part."
    )
    raw = raw.replace(
        b"Mail delivery failed: returning message to sender", b"Warning: message 1x delayed 24 hours"
    )
    assert [each.final for each in read(raw).recipients] == [False]


def test_two_recipients_have_two_verdicts():
    """D10: each with its own words."""
    first = qmail(READER, "550 5.1.1 no such user here").decode()
    second = "<bo@reader.example>:\n192.0.2.25 does not like recipient.\nRemote host said: 552 5.2.2 Mailbox full\n\n--- Below"
    reading = read(first.replace("--- Below", second, 1).encode())
    assert {each.recipient: each.reason for each in reading.recipients} == {
        READER: "userunknown",
        "bo@reader.example": "mailboxfull",
    }


def test_a_positive_report_is_no_bounce():
    """D03: delivered, relayed and expanded are success."""
    for action in ("delivered", "Relayed", "expanded (to multi)"):
        raw = postfix(READER, "250 2.0.0 ok").replace(b"Action: failed", f"Action: {action}".encode())
        assert read(raw).kind is Kind.DELIVERED


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Action: failed", "X-Odd: 1\nACTION\t:\n failed"),  # D09: unknown, folded, odd case
        (f"Original-Recipient: rfc822;{READER}\n", ""),
        (f"Final-Recipient: rfc822; {READER}", f"Final-Recipient: RFC822; <{READER}> (gone)"),
        (f"Final-Recipient: rfc822; {READER}", f"Final-Recipient: rfc822;@relay.example:{READER}"),  # D14
        ("Original-Recipient: rfc822;", "Original-Recipient: rfc/822;"),
        (
            f"Final-Recipient: rfc822; {READER}\nOriginal-Recipient: rfc822;{READER}\n",
            "Final-Recipient: rfc822; ann\n",
        ),
        ("Final-Recipient: rfc822; ", "Final-Recipient: x400; /S=ann/ "),
        ("report-type=delivery-status; ", ""),
        ("message/delivery-status", "text/plain"),
        ("multipart/report", "multipart/mixed"),
    ],
)
def test_fields_that_are_written_otherwise(old: str, new: str):
    """D09, D13, D14, D17: what systems do to the fields leaves the reader found."""
    raw = postfix(READER, "550 5.1.1 unknown").decode()
    assert old in raw
    assert [each.recipient for each in read(raw.replace(old, new).encode()).recipients] == [READER]


def test_nobody_is_named_and_the_token_answers():
    """D17, D07: no address anywhere; the path's token is there, and an envelope id as it was written."""
    raw = postfix(READER, "550 5.1.1 unknown").replace(READER.encode(), b"undisclosed")
    raw = raw.replace(b"Reporting-MTA", b"Original-Envelope-Id: AbC+3D\nReporting-MTA")
    reading = read(raw)
    assert (reading.kind, reading.recipients) == (Kind.BOUNCE, ())
    assert (reading.evidence.token, reading.evidence.envid) == (TOKEN, "AbC+3D")


def test_a_summary_of_authentication_is_no_bounce():
    """C10: DMARC's daily summaries come to the same mailbox, zipped."""
    raw = (
        b"From: noreply-dmarc@provider.example\nTo: dmarc@weekly.example\nSubject: Report domain: weekly.example\n"
        b"Content-Type: application/zip; name=x.zip\nContent-Transfer-Encoding: base64\n\nUEsDBBQ=\n"
    )
    assert read(raw).kind is Kind.NOT_BOUNCE


def test_the_remote_servers_code_wins_over_a_guessed_status():
    """D08: Sendmail writes 5.1.1 below every 550; a block list is not a dead address."""
    reading = read(SYSTEMS["sendmail"](READER, "550 5.7.1 Service unavailable; blocked using dnsbl.example"))
    assert (reading.recipients[0].reason, reading.recipients[0].hardbounce) == ("blocked", False)


def test_user_unknown_after_the_body_is_a_filter():
    """Carriers refuse by their readers' filters in these words, and only after the body."""
    raw = postfix(READER, "550 Unknown user").replace(
        b"in reply to RCPT TO\n    command", b"in reply to end of DATA\n    command"
    )
    told = read(raw).recipients[0]
    assert (told.reason, told.hardbounce) == ("filtered", False)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            "550 5.7.515 Access denied, sending domain does not meet the required authentication level",
            "authfailure",
        ),
        (
            "550 5.4.1 Recipient address rejected: Access denied. [x.prod.protection.outlook.com]",
            "userunknown",
        ),
        ("421 4.7.28 Our system has detected an unusual rate of mail - gsmtp", "toomanyconn"),
        ("550-5.7.25 The IP address sending this message does not have a PTR record", "requireptr"),
        ("554 5.7.9 Message not accepted for policy reasons", "policyviolation"),
        ("521 5.7.1 Service refused, S3140 block list", "blocked"),
        ("556 5.1.10 Recipient address has null MX", "notaccept"),
        ("554 5.4.6 Too many hops", "networkerror"),
        ("552 5.3.4 Message too big for system", "mesgtoobig"),
        ("550 5.1.2 Host unknown", "hostunknown"),
        ("450 4.4.7 Message expired, timed out", "expired"),
    ],
)
def test_words_of_providers_are_known(words: str, reason: str):
    """G14, G15, O03, O08, Y08: sender-side faults are told from dead addresses."""
    assert reason_for("", "", f"smtp; {words}").reason == reason


@pytest.mark.parametrize(
    ("subject", "words", "reason", "dead"),
    [
        (
            "Undeliverable: Water",
            "did not reach the following recipient(s):\n\n{} on Tue\n    The recipient name is not recognized",
            "userunknown",
            True,
        ),
        (
            "DELIVERY FAILURE",
            "was not delivered to:\n\n  {}\n\nbecause:\n\n  User ann not listed in public Name & Address Book",
            "userunknown",
            True,
        ),
        (
            "Message non distribué",
            "Votre message n'a pas pu être remis :\n\n  {} : utilisateur inconnu",
            "userunknown",
            True,
        ),
        (
            "Unzustellbar: Wasser",
            "Ihre Nachricht konnte nicht zugestellt werden an <{}>: Das Postfach ist voll",
            "mailboxfull",
            False,
        ),
        ("退信通知", "您的邮件无法投递到{}。收件人不存在", "userunknown", True),
        ("配信できません", "宛先: {}\n理由: メールボックスの容量を超えています", "mailboxfull", False),
        (
            "Недоставлено",
            "Письмо не может быть доставлено получателю {}.\nНет такого пользователя",  # noqa: RUF001
            "userunknown",
            True,
        ),
        ("Mancata consegna", "Impossibile recapitare a {}: casella piena", "mailboxfull", False),
        (
            "Mail delivery failed",
            "Error following RCPT to <{}>. It said: [550 5.1.1 gone]",
            "userunknown",
            True,
        ),
        ("Delivery failure", "Delivery to {} failed.", "undefined", False),
    ],
)
def test_prose_of_many_countries(subject: str, words: str, reason: str, dead: bool):
    """D15, D17: no code, no field, no English; what is not said is not guessed."""
    raw = f"Return-Path: <>\nFrom: postmaster@gw.example\nTo: {PATH}\nSubject: {subject}\n\n{words.format('ann@reader.example')}\n"
    told = read(raw.encode()).recipients
    assert [(each.recipient, each.reason, each.hardbounce) for each in told] == [
        ("ann@reader.example", reason, dead)
    ]


def test_addresses_of_other_scripts_are_kept():
    """D11, RFC 6531: in a field and in brackets an address may be of any script."""
    for reader in ("用户@例子.广告", "παράδειγμα@δοκιμή.example", "müller@bücher.example"):
        assert [
            each.recipient for each in read(SYSTEMS["utf8_report"](reader, "550 5.1.1 unknown")).recipients
        ] == [reader]


def test_the_same_mail_has_the_same_key_and_another_has_not():
    """D20: fetched twice it is one report; each recipient has a key of its own."""
    raw = postfix(READER, "550 5.1.1 unknown")
    first, again = read(raw), read(raw.replace(b"\n", b"\r\n"))
    assert [one.key for one in first.notices()] == [one.key for one in again.notices()]
    other = read(raw.replace(b"report-1@", b"report-2@"))
    assert first.notices()[0].key != other.notices()[0].key
