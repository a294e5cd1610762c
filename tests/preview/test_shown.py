"""What is shown comes out of the message itself."""

from __future__ import annotations

from datetime import UTC, datetime

from mailer.edition import Context, Edition, Masthead, Slot
from mailer.issue.model import Finding, Level
from mailer.keys import Key, Keys
from mailer.message import Recipient, Sender
from mailer.preview.shown import Setting, shown

NOW = datetime(2026, 7, 6, 9, tzinfo=UTC)
NAME = Slot("subscriber.name", Context.TEXT, "friend")
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


def edition(**changes: object) -> Edition:
    values: dict[str, object] = {
        "file": "72.md",
        "number": 72,
        "slug": "72",
        "subject": ("Grüße, ", Slot("subscriber.name", Context.HEADER, "friend")),
        "preheader": "In short",
        "date": None,
        "language": "de",
        "direction": "ltr",
        "html": (
            "<html><head></head><body><p>Dear ",
            Slot("subscriber.name", Context.HTML),
            "</p></body></html>",
        ),
        "text": ("    code\n\nDear ", NAME, ",\n> quoted\n"),
    }
    return Edition(**{**values, **changes})  # type: ignore[arg-type]


def setting(name: str) -> Setting:
    reader = Recipient(0, 0, "ada@example.org", name)
    return Setting(Masthead(), SENDER, Keys((Key(0, bytes(32)),)), reader)


def test_reader_is_filled_in():
    """Subject, HTML and text greet the reader, decoded as a mail program decodes them."""
    made = shown(edition(), setting("Ada & Co"), NOW)
    assert made.subject == "Grüße, Ada & Co"
    assert "<p>Dear Ada &amp; Co</p>" in made.html
    assert made.text == "    code\n\nDear Ada & Co,\n> quoted\n"


def test_state_says_what_gmail_would_clip():
    """Past 102,400 octets Gmail hides the rest, the unsubscribe link with it."""
    long = ("<html><body>" + "<p>x</p>" * 13_000 + "</body></html>",)
    assert shown(edition(html=long), setting("Ada"), NOW).state["clipped"] is True
    assert shown(edition(), setting("Ada"), NOW).state["clipped"] is False


def test_edition_that_makes_no_message_is_a_problem():
    """An empty text part is told, and the findings stand beside it."""
    finding = Finding("text-part", Level.ERROR, "empty", "72.md", 1)
    made = shown(edition(text=("",), findings=(finding,)), setting("Ada"), NOW)
    assert "empty" in str(made.problems[0])
    assert made.findings == (finding,)
