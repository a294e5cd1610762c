"""Who is believed: every provider, with a right, a wrong, a missing, an old and a repeated signature."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from sqlalchemy import select

from mailer.database import reading
from mailer.hooks.tables import reports
from mailer.web.hooks.reception import Reception
from tests.web.hooks import senders
from tests.web.hooks.senders import TOPIC, Sent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.web.hooks.conftest import Office


@dataclass(frozen=True)
class Case:
    """A provider: how it posts, how a stranger does, and how it is answered when it is not believed."""

    right: Callable[[datetime], Sent]
    wrong: Callable[[datetime], Sent]
    missing: Callable[[datetime], Sent]
    window: timedelta | None
    refusal: int = 403
    silence: int = 403


def _mailgun_unsigned(at: datetime) -> Sent:
    return Sent(json.dumps({"event-data": senders.mailgun_event()}).encode())


def _sns_unsigned(at: datetime) -> Sent:
    body = json.loads(senders.sns(senders.ses_bounce(), at).body)
    del body["Signature"]
    return Sent(json.dumps(body).encode())


OTHER_RSA = rsa.generate_private_key(65537, 2048)
OTHER_EC = ec.generate_private_key(ec.SECP256R1())
CASES = {
    "mailgun": Case(
        lambda at: senders.mailgun(senders.mailgun_event(), at),
        lambda at: senders.mailgun(senders.mailgun_event(), at, key="another"),
        _mailgun_unsigned,
        timedelta(hours=12),
        refusal=406,
        silence=406,
    ),
    "sendgrid": Case(
        lambda at: senders.sendgrid([senders.sendgrid_event()], at),
        lambda at: senders.sendgrid([senders.sendgrid_event()], at, OTHER_EC),
        lambda at: Sent(senders.sendgrid([senders.sendgrid_event()], at).body),
        timedelta(hours=26),
    ),
    "postmark": Case(
        lambda _: senders.postmark(senders.postmark_event()),
        lambda _: senders.postmark(senders.postmark_event(), "another"),
        lambda _: Sent(senders.postmark(senders.postmark_event()).body),
        None,
        silence=401,
    ),
    "relay": Case(
        lambda at: senders.generic(senders.generic_event(), at),
        lambda at: senders.generic(
            senders.generic_event(), at, "whsec_" + "bm90IHRoaXMgb25lIGJ1dCBhbm90aGVyIQ=="
        ),
        lambda at: Sent(senders.generic(senders.generic_event(), at).body),
        timedelta(minutes=5),
        silence=401,
    ),
    "ses": Case(
        lambda at: senders.sns(senders.ses_bounce(), at),
        lambda at: senders.sns(senders.ses_bounce(), at, key=OTHER_RSA),
        _sns_unsigned,
        timedelta(hours=3),
    ),
}
provider = pytest.mark.parametrize("name", CASES)
# Postmark signs nothing and gives no time: whoever has the password may say anything.
signing_provider = pytest.mark.parametrize("name", [name for name in CASES if name != "postmark"])


def stored(office: Office) -> int:
    with reading(office.ground.database) as connection:
        return len(connection.execute(select(reports.c.id)).all())


@provider
def test_a_right_signature_is_believed(office: Office, name: str):
    """What is signed as the provider documents it is taken, and answered with 200."""
    answer = office.post(name, CASES[name].right(office.clock()))
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"events": 1, "unknown": 0, "again": False}
    assert [one.recipient for one in office.notices] == [senders.READER]


@provider
def test_a_wrong_signature_is_refused(office: Office, name: str):
    """What a stranger signed is refused in problem+json, and nothing is stored."""
    answer = office.post(name, CASES[name].wrong(office.clock()))
    assert answer.status_code == CASES[name].refusal
    assert answer.headers["content-type"] == "application/problem+json"
    assert (office.notices, stored(office)) == ([], 0)


@provider
def test_a_missing_signature_is_refused(office: Office, name: str):
    """What nobody signed is refused."""
    answer = office.post(name, CASES[name].missing(office.clock()))
    assert answer.status_code == CASES[name].silence
    assert (office.notices, stored(office)) == ([], 0)


@signing_provider
def test_a_changed_body_is_refused(office: Office, name: str):
    """A signature holds for the octets that it was made of; Mailgun's, which holds for none, for the first ones."""
    sent = CASES[name].right(office.clock())
    changed = sent.with_body(sent.body.replace(b"ann@reader", b"bob@reader"))
    assert changed.body != sent.body
    if name == "mailgun":
        assert office.post(name, sent).status_code == 200
    answer = office.post(name, changed)
    assert answer.status_code == CASES[name].refusal
    assert "bob@reader.example" not in [one.recipient for one in office.notices]


@provider
def test_a_repeated_post_changes_nothing(office: Office, name: str):
    """A provider that did not hear our answer posts again and is answered with 200; it counts once (D20)."""
    sent = CASES[name].right(office.clock())
    assert office.post(name, sent).json()["again"] is False
    again = office.post(name, sent)
    assert (again.status_code, again.json()["again"]) == (200, True)
    assert (len(office.notices), stored(office)) == (1, 1)


@signing_provider
def test_an_old_post_is_refused(office: Office, name: str):
    """What was signed longer ago than the provider tries is refused, however right its signature is."""
    case = CASES[name]
    assert case.window is not None
    sent = case.right(office.clock())
    late = case.right(office.clock() + timedelta(minutes=6))
    office.clock.pass_by(seconds=case.window.total_seconds() + 60)
    assert office.post(name, sent).status_code == case.refusal
    office.clock.pass_by(seconds=-case.window.total_seconds() - 60)
    assert office.post(name, late).status_code == case.refusal
    assert stored(office) == 0


@provider
def test_what_cannot_be_written_is_not_answered_with_200(office: Office, name: str):
    """If the policy falls over nothing is stored, and the provider hears that it must try again; then it is taken."""
    office.failing = True
    sent = CASES[name].right(office.clock())
    assert office.post(name, sent).status_code == 500
    assert stored(office) == 0
    office.failing = False
    assert office.post(name, sent).json()["again"] is False
    assert len(office.notices) == 1


def test_an_unknown_hook_is_not_found(office: Office):
    """Who reports where nobody was set up is told so."""
    assert office.post("brevo", Sent(b"{}")).status_code == 404


def test_a_get_is_not_allowed(office: Office):
    """A look at the address does nothing."""
    assert office.client.get("/hooks/mailgun").status_code == 405


def test_postmark_may_bring_the_secret_in_a_header(office: Office):
    """Instead of basic authentication a header of one's own holds it."""
    (office.ground.settings.folder / "postmark.password").write_text("plain-secret")
    office.client.app.state.reception = Reception(office.ground, office.fetch, office.take)
    body = senders.postmark(senders.postmark_event()).body
    assert office.post("postmark", Sent(body, {"X-Hook-Secret": "wrong"})).status_code == 403
    assert office.post("postmark", Sent(body, {"X-Hook-Secret": "plain-secret"})).status_code == 200


def test_a_signature_of_each_version_is_believed(office: Office):
    """SNS signs with SHA-1 unless the topic says otherwise (version 1), else with SHA-256 (version 2)."""
    for number, version in enumerate(("1", "2")):
        sent = senders.sns(senders.ses_bounce(), office.clock(), version=version, MessageId=f"m{number}")
        assert office.post("ses", sent).status_code == 200
    sent = senders.sns(senders.ses_bounce(), office.clock(), SignatureVersion="3", MessageId="m3")
    assert office.post("ses", sent).status_code == 403
    assert len(office.fetched) == 1, "the certificate is fetched once"


def _of_another_topic(office: Office, text: str) -> dict[str, str]:
    """Give what SNS signs for whoever has a topic of their own: only the text is theirs to choose."""
    sent = senders.sns({}, office.clock(), TopicArn=TOPIC.replace("newsletter", "mallory"), Message=text)
    signed: dict[str, str] = json.loads(sent.body)
    return signed


@pytest.mark.parametrize("gap", [" " * 2000, "\n" * 2000])
def test_a_message_of_another_topic_is_not_taken_for_ours(office: Office, gap: str):
    """What is signed is one text of names and values: lines that another topic brought do not pass for fields."""
    forged, stamp = (
        json.dumps(senders.ses_complaint()),
        json.loads(CASES["ses"].right(office.clock()).body)["Timestamp"],
    )
    lines = f"\nMessageId\nforged\nTimestamp\n{stamp}\nTopicArn\n{TOPIC}\nType\nNotification{gap}"
    signed = _of_another_topic(office, forged + lines)
    rest = "".join(f"\n{name}\n{signed[name]}" for name in ("MessageId", "Timestamp", "TopicArn", "Type"))
    ours = {"Message": forged, "MessageId": "forged", "TopicArn": TOPIC, "Type": f"Notification{gap}{rest}"}
    answer = office.post("ses", Sent(json.dumps({**signed, **ours, "Timestamp": stamp}).encode()))
    assert (answer.status_code, office.notices) == (403, [])


def test_a_stamp_does_not_reach_into_the_token(office: Office):
    """Timestamp and token are signed as one text: parted elsewhere they are another signature, and no new token."""
    event = senders.mailgun_event("complained", id="forged")
    sent = json.loads(senders.mailgun(senders.mailgun_event(), office.clock(), token="e0" + "5" * 48).body)
    whole = sent["signature"]["timestamp"] + sent["signature"]["token"]
    for at in (9, 11, 12):
        sent["signature"].update(timestamp=whole[:at], token=whole[at:])
        answer = office.post("mailgun", Sent(json.dumps({**sent, "event-data": event}).encode()))
        assert (answer.status_code, office.notices) == (406, [])


def test_a_missing_secret_is_said_and_nothing_taken(office: Office):
    """Without the secret that its settings name a hook is not open: providers are asked to come back."""
    (office.ground.settings.folder / "mailgun.key").unlink()
    del office.client.app.state.reception
    answer = office.post("mailgun", CASES["mailgun"].right(office.clock()))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
