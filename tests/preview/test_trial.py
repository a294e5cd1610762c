"""Test mails, sent to a real server on the loopback."""

from __future__ import annotations

import asyncio
import email
from dataclasses import replace
from datetime import UTC, datetime
from email.policy import default
from typing import TYPE_CHECKING

import pytest

from mailer.edition import Context, Edition, Masthead, Slot
from mailer.errors import TryLater, UserError
from mailer.issue.model import Finding, Level
from mailer.keys import Key, Keys, Purpose
from mailer.message import Sender
from mailer.message.eml import NOBODY
from mailer.preview.shown import Setting
from mailer.preview.trial import Tried, send_trial, trial_messages
from mailer.smtp.relay import parse_relay
from tests.loopback.script import Rule, Script
from tests.loopback.server import LoopbackServer, running

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)
KEYS = Keys((Key(0, bytes(32)),))
SENDER = Sender(
    from_name="The Kiosk",
    from_address="news@example.org",
    list_key="main",
    list_name="The Kiosk",
    list_id="main.example.org",
    public_url="https://example.org",
    feedback_id="kiosk",
    message_domain="example.org",
)
READER = NOBODY._replace(subscriber_id=7, list_id=3, name="Ada")
SETTING = Setting(Masthead(), SENDER, KEYS, READER)
EDITION = Edition(
    file="72.md",
    number=72,
    slug="72",
    subject=("Kiosk 72",),
    preheader="",
    date=None,
    language="en",
    direction="ltr",
    html=("<p>Dear ", Slot("subscriber.name", Context.HTML), "</p>"),
    text=("Dear ", Slot("subscriber.name", Context.TEXT), ",\n"),
)


def tried(server: LoopbackServer, *addresses: str, edition: Edition = EDITION) -> list[Tried]:
    messages = trial_messages(edition, SETTING, addresses, (), NOW)
    return asyncio.run(send_trial(messages, [parse_relay(server.url())], "[127.0.0.1]"))


def test_each_address_gets_one(tmp_path: Path):
    """A test mail is marked, greets as the reader would be greeted, and goes to each address once."""
    with running(folder=tmp_path) as server:
        outcome = tried(server, "me@example.org", "you@example.org", "me@example.org")
        assert [(each.email, each.state) for each in outcome] == [
            ("me@example.org", "accepted"),
            ("you@example.org", "accepted"),
        ]
        assert [each.recipient for each in server.accepted] == ["me@example.org", "you@example.org"]
        mail = email.message_from_bytes(min(tmp_path.iterdir()).read_bytes(), policy=default)
    assert mail["Subject"] == "[Test] Kiosk 72"
    assert mail["To"] == "Ada <me@example.org>"


def test_links_act_on_nobody():
    """The tokens of a test mail are genuine and speak of subscriber 0, whoever is greeted."""
    (message,) = trial_messages(EDITION, SETTING, ["me@example.org"], (), NOW)
    mail = email.message_from_bytes(message.content, policy=default)
    token = str(mail["List-Unsubscribe"]).partition("/unsubscribe/")[2].partition(">")[0]
    assert KEYS.read_link_token(Purpose.UNSUBSCRIBE, token) == (0, 0)


def test_subject_that_begins_with_a_field_is_marked():
    """The mark stands before whatever the subject begins with."""
    named = replace(EDITION, subject=(Slot("subscriber.name", Context.HEADER), ", hello"))
    (message,) = trial_messages(named, SETTING, ["me@example.org"], (), NOW)
    assert b"Subject: [Test] Ada, hello\r\n" in message.content


def test_errors_stop_test_mails():
    """What check calls an error goes out to nobody, not even as a test."""
    wrong = replace(EDITION, findings=(Finding("fm-title", Level.ERROR, "no subject", "72.md", 1),))
    with pytest.raises(UserError, match=r"72\.md:1: fm-title: no subject"):
        trial_messages(wrong, SETTING, ["me@example.org"], (), NOW)


def test_test_mails_are_few():
    """Eleven people are an audience."""
    with pytest.raises(UserError, match="at most 10"):
        trial_messages(EDITION, SETTING, [f"a{number}@example.org" for number in range(11)], (), NOW)


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        (Rule("rcpt", "550 5.1.1 no such user", recipient="me@*"), "refused"),
        (Rule("rcpt", "451 4.7.1 later", recipient="me@*"), "deferred"),
        (Rule("final", "554 5.7.1 spam", recipient="me@*"), "refused"),
    ],
)
def test_refusals_are_told_and_the_next_is_tried(rule: Rule, state: str):
    """One address that is turned down keeps no other from its mail."""
    with running(Script(rules=(rule,))) as server:
        first, second = tried(server, "me@example.org", "you@example.org")
    assert (first.state, second.state) == (state, "accepted")
    assert first.reply == rule.reply


def test_relay_that_is_down_is_told():
    """Nothing was sent, and it may be tried again."""
    with running() as server:
        gone = server.url()
    messages = trial_messages(EDITION, SETTING, ["me@example.org"], (), NOW)
    with pytest.raises(TryLater, match=r"127\.0\.0\.1"):
        asyncio.run(send_trial(messages, [parse_relay(gone)], "[127.0.0.1]"))


def test_no_relay_is_told():
    """The error says where to name one."""
    with pytest.raises(UserError, match="MAILER_RELAY"):
        asyncio.run(send_trial([], [], "[127.0.0.1]"))
