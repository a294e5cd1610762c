"""What providers' words mean in ours: by tables, with their sources; what no row knows is kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mailer.database import reading, writing
from mailer.feedback.model import Kind, Permanence
from mailer.hooks.incoming import KEPT, blank, forget_old, mentioning, unknown
from mailer.hooks.tables import reports
from mailer.web.hooks.providers import PROVIDERS
from mailer.web.hooks.understanding import understand
from tests.web.hooks import senders
from tests.web.hooks.senders import (
    MESSAGE_ID,
    READER,
    VERP,
    generic_event,
    mailgun_event,
    postmark_event,
    sendgrid_event,
    ses_bounce,
    ses_complaint,
)

if TYPE_CHECKING:
    from mailer.feedback.model import Notice
    from tests.web.hooks.conftest import Office

GOOD, NOW, NONE = Permanence.PERMANENT, Permanence.TEMPORARY, Permanence.NONE


def notices(kind: str, *events: Any) -> list[Notice]:
    found, unknown = understand(PROVIDERS[kind], kind, events)
    assert unknown == []
    return found


def change(reason: str, *, suppress: bool = True) -> dict[str, Any]:
    return {
        "RecordType": "SubscriptionChange",
        "Recipient": READER,
        "SuppressSending": suppress,
        "SuppressionReason": reason,
        "MessageID": "m",
        "ChangedAt": "2026-07-14T12:00:00Z",
    }


def delayed(kind: str) -> dict[str, Any]:
    mail = senders.ses_mail()
    delay = {
        "delayType": kind,
        "timestamp": "2026-07-14T12:00:00Z",
        "delayedRecipients": [
            {"emailAddress": READER, "status": "4.4.1", "diagnosticCode": "smtp; 421 later"}
        ],
    }
    return {"eventType": "DeliveryDelay", "mail": mail, "deliveryDelay": delay}


@pytest.mark.parametrize(
    ("kind", "event", "expected"),
    [
        ("mailgun", mailgun_event(), (Kind.BOUNCE, GOOD, "", False)),
        ("mailgun", mailgun_event(severity="temporary"), (Kind.BOUNCE, NOW, "", False)),
        ("mailgun", mailgun_event(reason="suppress-bounce"), (Kind.BOUNCE, GOOD, "suppressed", False)),
        ("mailgun", mailgun_event(reason="suppress-complaint"), (Kind.COMPLAINT, NONE, "", False)),
        ("mailgun", mailgun_event(reason="suppress-unsubscribe"), (Kind.UNSUBSCRIBE, NONE, "", False)),
        ("mailgun", mailgun_event("complained"), (Kind.COMPLAINT, NONE, "", False)),
        ("mailgun", mailgun_event("unsubscribed"), (Kind.UNSUBSCRIBE, NONE, "", False)),
        ("mailgun", mailgun_event("delivered"), (Kind.DELIVERED, NONE, "", False)),
        ("sendgrid", sendgrid_event(), (Kind.BOUNCE, GOOD, "userunknown", True)),
        (
            "sendgrid",
            sendgrid_event(bounce_classification="Reputation"),
            (Kind.BOUNCE, GOOD, "badreputation", False),
        ),
        (
            "sendgrid",
            sendgrid_event(bounce_classification="Mailbox Unavailable"),
            (Kind.BOUNCE, GOOD, "", False),
        ),
        ("sendgrid", sendgrid_event(bounce_classification="New One"), (Kind.BOUNCE, GOOD, "", False)),
        ("sendgrid", sendgrid_event("deferred"), (Kind.BOUNCE, NOW, "", False)),
        (
            "sendgrid",
            sendgrid_event("dropped", reason="Bounced Address"),
            (Kind.BOUNCE, GOOD, "suppressed", False),
        ),
        (
            "sendgrid",
            sendgrid_event("dropped", reason="Unsubscribed Address"),
            (Kind.UNSUBSCRIBE, NONE, "", False),
        ),
        (
            "sendgrid",
            sendgrid_event("dropped", reason="Spam Content (if Spam Checker app is enabled)"),
            (Kind.BOUNCE, GOOD, "contenterror", False),
        ),
        ("sendgrid", sendgrid_event("spamreport"), (Kind.COMPLAINT, NONE, "", False)),
        ("sendgrid", sendgrid_event("group_unsubscribe"), (Kind.UNSUBSCRIBE, NONE, "", False)),
        ("postmark", postmark_event(), (Kind.BOUNCE, GOOD, "", False)),
        ("postmark", postmark_event("BadEmailAddress"), (Kind.BOUNCE, GOOD, "userunknown", True)),
        ("postmark", postmark_event("Transient"), (Kind.BOUNCE, NOW, "", False)),
        ("postmark", postmark_event("AutoResponder"), (Kind.AUTOREPLY, NONE, "", False)),
        (
            "postmark",
            postmark_event("SpamComplaint", RecordType="SpamComplaint"),
            (Kind.COMPLAINT, NONE, "", False),
        ),
        ("postmark", change("ManualSuppression"), (Kind.UNSUBSCRIBE, NONE, "", False)),
        ("postmark", change("SpamComplaint"), (Kind.COMPLAINT, NONE, "", False)),
        ("ses", ses_bounce(), (Kind.BOUNCE, GOOD, "", False)),
        (
            "ses",
            ses_bounce("Permanent", "OnAccountSuppressionList"),
            (Kind.BOUNCE, GOOD, "suppressed", False),
        ),
        ("ses", ses_bounce("Transient", "MailboxFull"), (Kind.BOUNCE, GOOD, "mailboxfull", False)),
        ("ses", ses_bounce("Undetermined", "Undetermined"), (Kind.BOUNCE, NONE, "", False)),
        ("ses", ses_complaint(), (Kind.COMPLAINT, NONE, "", False)),
        ("ses", delayed("MailboxFull"), (Kind.BOUNCE, NOW, "mailboxfull", False)),
        ("ses", delayed("IPFailure"), (Kind.BOUNCE, NOW, "", False)),
        ("generic", generic_event(), (Kind.BOUNCE, GOOD, "", False)),
        ("generic", generic_event(permanence="temporary"), (Kind.BOUNCE, NOW, "", False)),
        ("generic", generic_event("complaint"), (Kind.COMPLAINT, NONE, "", False)),
        ("generic", generic_event("unsubscribe"), (Kind.UNSUBSCRIBE, NONE, "", False)),
    ],
)
def test_a_word_means_one_thing(kind: str, event: dict[str, Any], expected: tuple[object, ...]):
    """A provider's event becomes a notice of our kind; only what says that the address is dead says so here (R01)."""
    (one,) = notices(kind, event)
    assert (one.kind, one.permanence, one.reason, one.hardbounce) == expected
    assert one.recipient == READER
    assert one.evidence.provider == kind


@pytest.mark.parametrize(
    ("kind", "event"),
    [
        ("mailgun", mailgun_event("opened")),
        ("sendgrid", sendgrid_event("processed")),
        ("sendgrid", sendgrid_event("open")),
        ("postmark", {"RecordType": "Click", "Recipient": READER}),
        ("postmark", change("", suppress=False)),
        ("postmark", change("HardBounce")),
        ("ses", {"eventType": "Send", "mail": senders.ses_mail()}),
    ],
)
def test_what_is_of_no_consequence_is_understood_all_the_same(kind: str, event: dict[str, Any]):
    """Opens, clicks and steps on the way make no notice, and are not kept as unknown."""
    assert notices(kind, event) == []


def test_what_proves_a_notice_is_found_wherever_a_provider_puts_it():
    """The return path's token, our Message-ID, our own field and the relay's id: each provider gives some of them."""
    (mailgun,) = notices("mailgun", mailgun_event())
    assert (mailgun.evidence.token, mailgun.evidence.message_id) == (VERP, MESSAGE_ID.strip("<>"))
    (sendgrid,) = notices("sendgrid", sendgrid_event())
    assert (sendgrid.evidence.message_id, sendgrid.evidence.relay_id) == (MESSAGE_ID, "Xq3relay")
    (postmark,) = notices("postmark", postmark_event())
    assert (postmark.evidence.envid, postmark.evidence.relay_id) == (VERP, "9a2b0f2e-relay")
    (ses,) = notices("ses", ses_bounce())
    assert (ses.evidence.token, ses.evidence.envid) == (VERP, VERP)
    assert (ses.evidence.message_id, ses.evidence.relay_id) == (MESSAGE_ID, "0102017c-ses")
    (generic,) = notices("generic", generic_event())
    assert (generic.evidence.token, generic.evidence.relay_id) == (VERP, "4Fq1")


def test_what_the_remote_server_said_is_passed_on():
    """Its words, its code and the time stand in the notice; the policy reads them."""
    (one,) = notices("ses", ses_bounce())
    assert (one.status, one.reply) == ("5.1.1", "smtp; 550 5.1.1 user unknown")
    assert one.at == datetime(2026, 7, 14, 12, 0, 1, tzinfo=UTC)
    (one,) = notices("mailgun", mailgun_event())
    assert one.reply == "550 5.1.1 no such user here"


def test_several_recipients_of_one_event_are_several_notices():
    """One report about two readers is two notices, each with a key of its own."""
    both = notices("ses", ses_bounce(recipients=(READER, "bo@reader.example")))
    assert [one.recipient for one in both] == [READER, "bo@reader.example"]
    assert len({one.key for one in both}) == 2


def test_a_repeated_event_has_the_same_key():
    """Whatever post it comes in, an event is known by its key; another event has another."""
    first, again = notices("sendgrid", sendgrid_event(), sendgrid_event())
    (other,) = notices("sendgrid", sendgrid_event("spamreport"))
    assert first.key == again.key != other.key


@pytest.mark.parametrize("kind", PROVIDERS)
def test_every_row_says_where_it_stands(kind: str):
    """The tables can be checked against what the providers document, and every word is in lower case."""
    for row in PROVIDERS[kind].rows:
        assert row.source, row
        assert all(word == word.lower() for word in row.words), row


@pytest.mark.parametrize("kind", PROVIDERS)
def test_no_row_hides_behind_a_more_general_one(kind: str):
    """Each row is reached: none stands below one that matches all that it matches."""
    rows = PROVIDERS[kind].rows
    for number, row in enumerate(rows):
        said = tuple(word or "*" for word in row.words) + ("*",) * (4 - len(row.words))
        assert next(each for each in rows if each.matches(said)) is row, (number, row)


def test_a_batch_is_taken_whole(office: Office):
    """Events of one post are taken together, those nobody understands among them; these are kept for a person."""
    events = [sendgrid_event(), sendgrid_event("brand_new", note="x\u0000y"), sendgrid_event("spamreport")]
    answer = office.post("sendgrid", senders.sendgrid(events, office.clock()))
    assert answer.json() == {"events": 3, "unknown": 1, "again": False}
    assert [one.kind for one in office.notices] == [Kind.BOUNCE, Kind.COMPLAINT]
    with reading(office.ground.database) as connection:
        row = connection.execute(select(reports)).one()
    assert (row.notices, row.unknown) == (2, 1)
    assert json.loads(row.kept)[0]["event"] == "brand_new"


def test_a_batch_with_something_else_in_it_is_refused_whole(office: Office):
    """A list that holds what is no event is no batch: nothing of it is taken."""
    answer = office.post("sendgrid", senders.sendgrid([sendgrid_event(), 7], office.clock()))
    assert (answer.status_code, answer.json()["code"]) == (400, "not-events")
    assert office.notices == []


def test_an_event_without_a_recipient_is_kept(office: Office):
    """What is understood but says of nobody cannot act on anybody; a person may look at it."""
    event = generic_event()
    del event["recipient"]
    answer = office.post("relay", senders.generic({"events": [event]}, office.clock()))
    assert answer.json() == {"events": 1, "unknown": 1, "again": False}


def test_unknown_events_and_names_of_reports_go_after_a_month(office: Office):
    """What nobody understood holds addresses, so it does not stay; by then no window takes a repeated post."""
    office.post("relay", senders.generic(generic_event("strange"), office.clock()))
    with writing(office.ground.database) as connection:
        assert forget_old(connection, office.clock() + KEPT) == 0
        office.clock.pass_by(days=30, seconds=1)
        assert forget_old(connection, office.clock()) == 1


def test_a_kept_event_can_be_looked_at_and_goes_with_the_person(office: Office):
    """What nobody understood is shown to the operator; erasing somebody blanks what mentions their address."""
    office.post("relay", senders.generic(generic_event("strange", note="50%_"), office.clock()))
    with writing(office.ground.database) as connection:
        ((hook, _, event),) = unknown(connection)
        assert (hook, event["type"]) == ("relay", "strange")
        assert mentioning(connection, ["other@reader.example", ""]) == []
        assert mentioning(connection, ["a%@reader.example"]) == []
        assert len(mentioning(connection, [READER.upper()])) == 1
        assert blank(connection, [READER]) == 1
        assert list(unknown(connection)) == []


@pytest.mark.parametrize(
    "body", [b"", b"null", b"7", b"[[]]", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 100_000, b"1" * 10_000]
)
def test_no_body_makes_the_page_fall_over(office: Office, body: bytes):
    """Odd octets, deep nesting and huge numbers, signed as they may be, are refused with a 4xx."""
    for name, sent in (("relay", senders.generic(body, office.clock())), ("mailgun", senders.Sent(body))):
        assert 400 <= office.post(name, sent).status_code < 500
        assert 400 <= office.post("ses", sent).status_code < 500


def test_a_body_is_bounded(office: Office):
    """More than a megabyte is refused before it is looked at."""
    answer = office.post("mailgun", senders.Sent(b"x" * (1 << 20) + b"x"))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
