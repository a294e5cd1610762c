"""The header: what providers, servers and mail programs look for, and nothing that a reader could put there."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.edition import Context
from mailer.errors import UserError
from mailer.keys import Purpose
from mailer.message import Recipient
from mailer.message.header import Address, address, mailbox, unstructured
from mailer.message.identity import message_id
from mailer.message.links import NOWHERE, PATHS, SLOTS, link
from mailer.message.press import Press
from tests.message.samples import (
    JANE,
    KEYS,
    SENDER,
    check_octets,
    edition,
    mailbox_of,
    parsed,
    press,
    raw_header,
    slot,
)


def test_each_field_stands_once():
    """G07, S15, L01: one From, Date, Message-ID, Subject ...; every field of a mailing occurs exactly once."""
    names = [name.lower() for name in parsed(press().message(JANE))]
    assert sorted(names) == sorted(set(names))
    assert {"from", "to", "date", "message-id", "subject", "mime-version", "reply-to"} <= set(names)
    assert "auto-submitted" not in names  # A01: a person wrote it


def test_one_click_unsubscribe():
    """U01, U02, U08, U13, L02: one https URI and a mailto, each in brackets, and the exact pair."""
    message = press().message(JANE)
    web, mail = raw_header(message, "List-Unsubscribe").split(", ")
    assert raw_header(message, "List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    token = re.fullmatch(r"<https://mail\.kiln\.example/unsubscribe/([\w-]+)>", web)
    assert token
    assert KEYS.read_link_token(Purpose.UNSUBSCRIBE, token[1]) == (JANE.subscriber_id, JANE.list_id)
    tag = re.fullmatch(r"<mailto:leave\+([0-9a-f]+)@kiln\.example\?subject=unsubscribe>", mail)
    assert tag
    assert KEYS.read_mail_token(Purpose.UNSUBSCRIBE, tag[1].upper()) == (JANE.subscriber_id, JANE.list_id)
    assert "jane" not in web + mail


def test_without_a_mailbox_for_it_no_mailto_is_offered():
    """U13: the mailto is there only where something reads that mailbox; without https there is no one-click."""
    message = press(sender=replace(SENDER, unsubscribe_mailto=None)).message(JANE)
    assert "mailto" not in raw_header(message, "List-Unsubscribe")
    plain = press(sender=replace(SENDER, public_url="http://localhost:8000/")).message(JANE)
    assert raw_header(plain, "List-Unsubscribe").startswith("<http://localhost:8000/unsubscribe/")
    assert "List-Unsubscribe-Post" not in parsed(plain)


def test_the_lists_own_fields():
    """L03, L05, L08, G17: List-Id, List-Help, List-Post: NO, Precedence; Feedback-ID speaks of no reader."""
    message = press().message(JANE)
    assert raw_header(message, "List-Id") == "The Weekly Kiln <main.kiln.example>"
    assert raw_header(message, "List-Help") == "<https://mail.kiln.example/manage>"
    assert raw_header(message, "List-Post") == "NO"
    assert raw_header(message, "Precedence") == "bulk"
    feedback = raw_header(message, "Feedback-ID")
    assert feedback == "m72:list-main:kiln-01"
    assert feedback == raw_header(press().message(Recipient(9, 9, "x@y.example")), "Feedback-ID")


def test_the_same_id_stands_in_four_places():
    """V01, V04, N04: Message-ID, ENVID and X-Newsletter-Delivery share one token; the return path proves the same."""
    message = press().message(JANE)
    assert message.message_id == raw_header(message, "Message-ID") == f"<{message.envid}@kiln.example>"
    assert message.message_id == message_id(KEYS, 72, JANE.subscriber_id, SENDER.message_domain)
    assert raw_header(message, "X-Newsletter-Delivery") == message.envid
    assert KEYS.read_mail_token(Purpose.MESSAGE_ID, message.envid) == (JANE.subscriber_id, 72)
    local, _, domain = message.mail_from.partition("@")
    assert domain == "kiln.example"
    assert re.fullmatch(r"[a-z0-9+=_.-]{1,64}", local)
    assert KEYS.read_mail_token(Purpose.RETURN_PATH, local.removeprefix("bounces+").upper()) == (
        JANE.subscriber_id,
        72,
    )


def test_without_a_return_path_the_author_is_the_envelope_sender():
    """A provider that handles bounces itself gets no VERP."""
    message = press(sender=replace(SENDER, return_path=None)).message(JANE)
    assert message.mail_from == "news@kiln.example"
    assert press(sender=replace(SENDER, reply_to=None)).message(JANE).content.count(b"Reply-To") == 0


def test_the_web_address_of_the_issue_is_archived_at():
    """RFC 5064: where the issue stands on the web; what is no web address is left out."""
    url = "https://kiln.example/2026/ölfarben 72"
    message = press(edition(canonical=url)).message(JANE)
    assert raw_header(message, "Archived-At") == "<https://kiln.example/2026/%C3%B6lfarben%2072>"
    for wrong in ("javascript:alert(1)", "https://" + "x" * 1000, "https://a\r\nBcc: b@c.example", ""):
        message = press(edition(canonical=wrong)).message(JANE)
        check_octets(message)
        assert "Bcc" not in parsed(message)


@pytest.mark.parametrize("language", ["en", "pt-BR", "zh-Hant-TW"])
def test_the_language_is_told(language: str):
    """A mail program can offer a translation; nonsense is left out."""
    assert raw_header(press(edition(language=language)).message(JANE), "Content-Language") == language
    assert "Content-Language" not in parsed(press(edition(language="e n\r\nX: y")).message(JANE))


NAMES = [
    *("Jane Doe", "Jane O'Neil", "Doe, Jane", 'Jane "JD" Doe', "back\\slash"),
    *("Jörg Müller", "山田 太郎", "👩‍👩‍👧 family", "a@b.example", "=?utf-8?q?x?="),
    *("x" * 200, "é" * 500, "J. R. Doe (editor)", "<script>alert(1)</script>", "Jane; group:"),
    *("a b", "von der Leyen"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_comes_out_as_it_went_in(name: str):
    """E01-E04: quoted or encoded as the name needs, in words of whole characters, in short lines."""
    message = press().message(JANE._replace(name=name))
    check_octets(message)
    assert mailbox_of(message, "To") == (name, "jane@reader.example")
    for word in re.findall(r"=\?\S+", raw_header(message, "To")):
        assert len(word) <= 75


@settings(deadline=None)
@given(st.text(max_size=300))
def test_encoded_words_never_split_a_character(text: str):
    """E01, E02: each word decodes alone, is at most 75 characters, and stands in a line of at most 76."""
    octets = unstructured("Subject", text)
    assert all(len(line) <= 76 for line in octets.split(b"\r\n"))
    for word in re.findall(rb"=\?utf-8\?b\?([^?]*)\?=", octets):
        base64.b64decode(word, validate=True).decode()


@pytest.mark.parametrize(
    "evil",
    ["a\r\nBcc: x@y.example", "a\nBcc: x", "a\rBcc: x", "\0", "x\r\n\r\n<html>", "\u2028Bcc: x", "\x85Bcc"],
)
def test_no_value_can_add_a_field(evil: str):
    """S16: names, merge fields in the subject, and settings of the sender stay in their field."""
    of = edition(subject=("News for ", slot("subscriber.city", Context.HEADER), evil))
    sender = replace(SENDER, from_name=evil, list_name=evil)
    message = press(of, sender).message(Recipient(1, 1, "a@b.example", evil, attributes={"city": evil}))
    check_octets(message)
    assert "Bcc" not in parsed(message)
    assert len(parsed(message).keys()) == len(parsed(press().message(JANE)).keys())


BAD_ADDRESSES = [
    *("", "@", "a", "a@", "@b.example"),
    *("a@b.example\r\nBcc: c@d.example", "a b@c.example", "a<b>@c.example", "a,b@c.example", "a@b c"),
    *("a@b\0.example", "x" * 250 + "@b.example", "a@" + "b" * 300, "\ud800@b.example", 'a"b@c.example'),
    *("a@-", "a@b.example>", "a\u2028@b.example"),
]


@pytest.mark.parametrize("email", BAD_ADDRESSES)
def test_an_address_that_could_break_a_header_is_refused(email: str):
    """S05, S16: it is an error for that one reader; no octet of it reaches a message."""
    with pytest.raises(UserError, match="no address"):
        press().message(JANE._replace(email=email))


@pytest.mark.parametrize(
    ("email", "wanted"),
    [
        ("jane@bücher.example", Address("jane@xn--bcher-kva.example", smtputf8=False)),
        ("jürgen@bücher.example", Address("jürgen@xn--bcher-kva.example", smtputf8=True)),
        ("o'neil+tag=x@b.example", Address("o'neil+tag=x@b.example", smtputf8=False)),
        ('"a b"@c.example', Address('"a b"@c.example', smtputf8=False)),
        ("a@[192.0.2.1]", Address("a@[192.0.2.1]", smtputf8=False)),
    ],
)
def test_domains_become_a_labels(email: str, wanted: Address):
    """I01, I03, I05: only a local part that is not ASCII needs SMTPUTF8."""
    assert address(email) == wanted
    message = press().message(JANE._replace(email=email))
    assert (message.recipient, message.smtputf8) == wanted
    check_octets(message)


def test_a_long_address_stands_on_a_line_of_its_own():
    """S01: folded before the address, never within."""
    spec = f"{'x' * 64}@{'y' * 60}.example"
    field = mailbox("To", "Jane Doe", address(spec))
    assert field == f"To: Jane Doe\r\n <{spec}>\r\n".encode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"return_path": "x" * 40 + "@kiln.example"}, "25 letters"),
        ({"unsubscribe_mailto": "l eave@kiln.example"}, "no address"),
        ({"unsubscribe_mailto": "l&?eave@kiln.example"}, "25 letters"),
        ({"from_address": "news"}, "no address"),
        ({"list_id": "kiln"}, "no List-Id"),
        ({"message_domain": "kiln example"}, "no domain name"),
        ({"public_url": "javascript:alert(1)"}, "no address of pages"),
        ({"public_url": "https://kiln.example/?x=1"}, "no address of pages"),
        ({"public_url": "https://kiln.example/<b>"}, "no address of pages"),
    ],
)
def test_a_sender_that_cannot_send_is_refused_at_once(change: dict[str, Any], says: str):
    """Before the first reader, with the key that a person has to mend."""
    with pytest.raises(UserError, match=says) as caught:
        press(sender=replace(SENDER, **change))
    assert caught.value.problems[0].key


def test_an_edition_that_cannot_be_sent_is_refused_at_once():
    """S22: an empty part; a merge field that nobody knows; a Date without a zone (S15)."""
    for of in (edition(text=(" \n",)), edition(html=()), edition(html=("x", slot("issue.number")))):
        with pytest.raises(UserError):
            press(of)
    with pytest.raises(ValueError, match="time zone"):
        Press(edition(), SENDER, 72, KEYS, (), datetime(2026, 7, 14))  # noqa: DTZ001 - that is the point


def test_the_table_of_links_holds_for_every_slot():
    """The pages serve what the mails carry: one table for both."""
    for name, purpose in SLOTS.items():
        of = edition(html=("<a href='", slot(name, Context.LINK), "'>"))
        other = 72 if purpose is Purpose.BROWSER else JANE.list_id
        url = link(SENDER.public_url, purpose, KEYS.link_token(purpose, JANE.subscriber_id, other))
        assert url.encode() in press(of).message(JANE).content.replace(b"=\r\n", b"").replace(b"=3D", b"=")
    assert set(PATHS) >= set(SLOTS.values())
    assert link(NOWHERE + "/", Purpose.CONFIRM, "t") == f"{NOWHERE}/confirm/t"
