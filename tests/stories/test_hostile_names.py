"""A reader's name and attributes may be any text at all: they do no harm anywhere in the mail that the reader gets.

The walk is the real one: a Markdown file, the compile step, the press, and a mail program's reading of the bytes.
"""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailer.edition.compile import compile_issue
from mailer.edition.model import Masthead
from mailer.issue.read import read_issue
from mailer.keys import Key, Keys
from mailer.message.model import Recipient, Sender
from mailer.message.press import Press
from tests.corpus.active import active_content, parsed
from tests.corpus.vectors import vectors

if TYPE_CHECKING:
    from email.message import EmailMessage

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ISSUE = b"""---
issue: 72
title: A letter to you
subject: 'For {{ subscriber.name | default("you") }}: a letter'
---

Dear {{ subscriber.name | default("friend") }}, you live in **{{ subscriber.city | default("a town") }}**.

![The harbour of {{ subscriber.city | default("a town") }}](https://ok.example.org/harbour.png)

[Your page](https://ok.example.org/you?city={{ subscriber.city | default("none") }}&x=1) and
<a href="{{ subscriber.page | default("https://ok.example.org/") }}">your own page</a>.

Goodbye, {{ subscriber.city | default("town") }}.
"""
SENDER = Sender(
    from_name="Slack Water",
    from_address="wren@slackwater.example.org",
    list_key="main",
    list_name="Slack Water",
    list_id="main.slackwater.example.org",
    public_url="https://letters.slackwater.example.org",
    feedback_id="72:main:slackwater",
    message_domain="slackwater.example.org",
    return_path="bounces@slackwater.example.org",
    unsubscribe_mailto="leave@slackwater.example.org",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "Eve\r\nBcc: everyone@example.org",
    "Eve\nX-Evil: 1\n\n<html>",
    "Eve\rSubject: other",
    "Eve\r\n.\r\nMAIL FROM:<x@example.org>",
    "\r\n\r\n",
    "Eve\0\x07\x1b[31m",
    '"Eve" <other@example.org>,',
    'x" onmouseover="alert(1)',
    "x' onmouseover='alert(1)",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://evil.example.com/?" onclick="alert(1)',
    "{{ subscriber.email }}{{ 7*7 }}{% if %}${x}",
    "%0d%0aBcc: x",
    "=?utf-8?q?=0D=0ABcc:_x?=",
    "=?utf-8?b?PHNjcmlwdD4=?=",
    "</title></style></textarea><script>alert(1)</script>",
    "&lt;script&gt; &amp; &#60;",
    "--=_edge\r\nContent-Type: text/html\r\n\r\nx",
    "\u202etxet\u2066\u2028\u2029\u0085",
    "\ud800\udfff",
    "." * 50,
    "x" * 100_000,
    "字" * 30_000,
    "👩\u200d👩\u200d👧" * 400,
    "a\u0301" * 5_000,
    "-- \nsignature",
    "From here",
    "> quoted",
    "__UNSUB_URL__ \ue100BODY\ue100",
    "",
    " ",
)


@pytest.fixture(scope="module")
def press() -> Press:
    edition = compile_issue(
        read_issue(ISSUE, "072.md"), Masthead(base_url="https://ok.example.org/", postal_address="1 Quay")
    )
    assert edition.errors == ()
    return Press(edition, SENDER, 1, Keys((Key(1, b"k" * 32),)), (), NOW)


def delivered(press: Press, name: str, attributes: dict[str, object]) -> EmailMessage:
    """Make one reader's message, check the bytes that go to the wire, and read it as a mail program does."""
    message = press.message(Recipient(5, 1, "eve@reader.example.org", name, attributes=attributes))
    lines = message.content.split(b"\r\n")
    assert lines[-1] == b""
    assert not any(b"\n" in line or b"\r" in line or b"\0" in line for line in lines)
    assert max(map(len, lines)) <= 998
    assert not any(line.startswith(b".") for line in lines)
    assert message.recipient == "eve@reader.example.org"
    return email.message_from_bytes(message.content, policy=email.policy.SMTP)


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Give the text and the HTML, which are all that there is."""
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()


def harmless(press: Press, value: object) -> EmailMessage:
    """Check that a value, as name and as attributes, changes nothing but what it should."""
    name = value if isinstance(value, str) else "Eve"
    mail = delivered(press, name, {"city": value, "page": value})
    plain = delivered(press, "Eve", {"city": "Varna", "page": "https://ok.example.org/eve"})
    assert [field for field, _ in mail.items()] == [field for field, _ in plain.items()]
    assert [one.addr_spec for one in mail["To"].addresses] == ["eve@reader.example.org"]
    assert not any(re.search(r"[\r\n\0]", str(content)) for content in mail.values())
    # A very long name cuts the subject short, and that is all it does.
    assert len(name) > 200 or str(mail["Subject"]).endswith(": a letter")
    text, page = parts(mail)
    assert active_content(page) == []
    assert len(list(parsed(page).iter())) - len(list(parsed(parts(plain)[1]).iter())) in (0, -1)
    assert not re.search(
        r"[\0\x1b\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text + page + str(mail["Subject"])
    )
    return mail


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_does_no_harm(press, value):
    """A name of markup, line breaks or control characters adds no header, no part, no element and no recipient."""
    harmless(press, value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        10**5000,
        float("nan"),
        [],
        ["a", ["<b>"], None],
        {"<script>": "x"},
        {"a": {"b": "c"}},
        b"<b>",
    ],
    ids=range(11),
)
def test_an_attribute_of_any_type_does_no_harm(press, value):
    """Attributes come from imports and hooks: whatever their type, a message can be made."""
    harmless(press, value)


def test_a_name_of_markup_is_shown_as_it_is_written(press):
    """A reader who is called <script> sees that name, in the HTML and in the text, and nothing runs."""
    name = "Bobby <script>alert(1)</script> & Söhne"
    mail = harmless(press, name)
    text, page = parts(mail)
    assert f"Dear {name}," in re.sub(r"\s+", " ", text)
    assert f"Dear {name}," in re.sub(r"\s+", " ", parsed(page).text_content())
    assert mail["To"].addresses[0].display_name == name
    assert mail["Subject"] == f"For {name}: a letter"


def test_a_value_in_an_address_is_one_value(press):
    """A city of "&admin=1#" stays the value of one parameter of the link."""
    city = "a&admin=1#/../?x=y z%00"
    _, page = parts(harmless(press, city))
    (link,) = (a.get("href") for a in parsed(page).iter("a") if "/you?" in a.get("href", ""))
    assert parse_qs(urlsplit(link).query) == {"city": [city], "x": ["1"]}


@pytest.mark.parametrize(
    "page",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//evil.example.com",
        "https://bank.example.org@evil.example.com/",
        "x",
    ],
)
def test_a_whole_link_of_a_reader_is_a_web_address_or_nothing(press, page):
    """An attribute that is used as a link and is no plain web address leads nowhere."""
    assert own_page(delivered(press, "Eve", {"page": page})) in ("", "https://ok.example.org/")


def test_a_whole_link_of_a_reader_is_that_link(press):
    """An attribute that is a plain web address is the link, unchanged; without it the default is."""
    own = "https://eve.example.net/a?b=c&d=%20e#f"
    assert own_page(delivered(press, "Eve", {"page": own})) == own
    assert own_page(delivered(press, "Eve", {})) == "https://ok.example.org/"


def own_page(mail: EmailMessage) -> str:
    """Give the address behind "your own page"."""
    (link,) = (a for a in parsed(parts(mail)[1]).iter("a") if a.text_content() == "your own page")
    return str(link.get("href", ""))


@pytest.mark.slow
def test_every_vector_as_a_name_does_no_harm(press):
    """The whole collection of ways to smuggle something active, as names and as attributes."""
    for vector in vectors():
        harmless(press, vector)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=st.one_of(st.text(max_size=200), st.text("\r\n<>\"'&%=?.{}\0\u2028 ab", max_size=60)))
def test_any_text_as_a_name_does_no_harm(press, value):
    """Any text at all, as a name and as attributes."""
    harmless(press, value)
