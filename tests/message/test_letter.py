"""Service mails, samples, and the sender that the settings describe."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from mailer.edition import Context
from mailer.errors import UserError
from mailer.keys import Purpose
from mailer.message.eml import sample, to_eml
from mailer.message.letter import Letter, service_message
from mailer.message.links import NOWHERE
from mailer.message.sender import sender_for
from mailer.settings import load_settings
from tests.message.samples import JANE, KEYS, NOW, SENDER, check_octets, content, edition, parsed, press, slot

if TYPE_CHECKING:
    from pathlib import Path

LETTER = Letter(
    "confirm:7:jane",
    "jane@reader.example",
    "Please confirm · ünïcode",
    ".\nPress the link:\nhttps://x.example/\n",
)


def test_a_letter_is_automatic_and_no_list_mail():
    """A01: Auto-Submitted is auto-generated; there is nothing to unsubscribe from."""
    message = service_message(SENDER, LETTER, NOW)
    check_octets(message)
    mail = parsed(message)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert not [name for name in mail if name.startswith("List-")]
    assert mail["Subject"] == LETTER.subject
    assert content(message, "plain").rstrip("\n") == LETTER.text.rstrip("\n")
    assert (message.mail_from, message.recipient) == ("bounces@kiln.example", "jane@reader.example")
    assert mail["Message-ID"] == message.message_id == f"<{message.envid}@kiln.example>"


def test_a_letter_may_have_html():
    """The text comes first, the HTML last (S22)."""
    message = service_message(SENDER, replace(LETTER, html="<p>Press\n.the link</p>", name="Jäne, Doe"), NOW)
    check_octets(message)
    assert [part.get_content_type() for part in parsed(message).iter_parts()] == ["text/plain", "text/html"]
    assert content(message, "html") == "<p>Press\n.the link</p>\n"


def test_the_same_letter_has_the_same_id():
    """A letter that is sent again is known as the same; another is another; the key does not show."""
    one, two = service_message(SENDER, LETTER, NOW), service_message(SENDER, LETTER, NOW.replace(hour=11))
    assert one.message_id == two.message_id
    assert one.message_id != service_message(SENDER, replace(LETTER, key="other"), NOW).message_id
    assert b"confirm:7" not in one.content


@pytest.mark.parametrize(
    "change", [{"text": " \n"}, {"to": "nobody"}, {"to": "a@b.example\r\nBcc: c@d.example"}]
)
def test_a_letter_that_cannot_go_is_refused(change: dict[str, str]):
    """An empty text, an address that is none."""
    with pytest.raises(UserError):
        service_message(SENDER, replace(LETTER, **change), NOW)


def test_a_letter_cannot_be_given_more_fields():
    """S16: a subject or name that an attacker chose stays what it is."""
    message = service_message(
        SENDER, replace(LETTER, subject="x\r\nBcc: c@d.example", name="y\nCc: c@d.example"), NOW
    )
    check_octets(message)
    assert not {"Bcc", "Cc"} & set(parsed(message))


def test_a_sample_is_for_nobody():
    """The invented reader is subscriber 0: its links are genuine and act on no one; the file is the wire's."""
    html = ("Hello ", slot("subscriber.first_name"), " ", slot("link.unsubscribe", Context.HTML))
    message = sample(press(edition(html)))
    check_octets(message)
    assert to_eml(message) == message.content
    shown = content(message, "html")
    assert shown.startswith("Hello Jane ")
    assert KEYS.read_link_token(Purpose.UNSUBSCRIBE, shown.strip().rpartition("/")[2]) == (0, 0)


def test_the_sender_is_what_the_settings_say(tmp_path: Path):
    """mailer.toml's list becomes the sender of its mail; without a public_url the links lead nowhere."""
    (tmp_path / "mailer.toml").write_text(
        'id = "6f1d0c0e-7d0c-4a4e-9a52-0c9a1a0f3c11"\nname = "Kiln"\n'
        'from = "The Weekly Kiln <news@kiln.example>"\nreply_to = "ed@kiln.example"\n'
        'postal_address = "1 Clay Street, Höhr"\nreturn_path = "bounces@kiln.example"\n[lists.main]\nname = "Weekly"\n'
    )
    sender = sender_for(load_settings(tmp_path, {}).for_list("main"))
    assert (sender.from_name, sender.from_address) == ("The Weekly Kiln", "news@kiln.example")
    assert (sender.reply_to, sender.return_path, sender.list_name) == (
        "ed@kiln.example",
        "bounces@kiln.example",
        "Weekly",
    )
    assert sender.public_url == NOWHERE
    check_octets(press(sender=sender).message(JANE))
