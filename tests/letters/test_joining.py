"""Signing up and confirming by mail: what the letters say, to whom, and how often."""

from __future__ import annotations

import re

import pytest

import subscribers
from mailer.database import writing
from mailer.errors import UserError
from mailer.keys import Purpose
from mailer.letters import joining, moving, notices
from mailer.letters.service import masked
from subscribers import ConfirmOutcome, Evidence, MoveOutcome, SignUpOutcome
from tests.letters.conftest import KEYS, text_of

FROM = Evidence("198.51.100.7", "Browser/2")
CAMPAIGN = "BUY-GOLD http://spam.example"


def confirmed(post, asked):
    """Press the button in the newest letter."""
    subscriber_id, signup_id = KEYS.read_link_token(Purpose.CONFIRM, post.link("confirm"))
    assert (subscriber_id, signup_id) == (asked.subscriber_id, asked.id)
    return post.do(joining.accept, subscriber_id, signup_id, evidence=FROM)


def test_a_sign_up_is_answered_by_mail(post):
    """The mailbox gets one letter with one link; its button makes a reader, and all is on record."""
    asked = post.request("Bob@Reader.example", "main", "daily")
    (letter,) = post.letters()
    assert letter["To"] == "Bob@reader.example"
    assert letter["From"] == "Ann Editor <news@pier.example>"
    assert letter["Reply-To"] == "ann@pier.example"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["List-Unsubscribe"] is None
    text = text_of(letter)
    assert "The Pier Weekly" in text
    assert "The Pier Daily" in text
    assert len(re.findall(r"https?://", text)) == 1
    done = confirmed(post, asked)
    assert done.outcome is ConfirmOutcome.CONFIRMED
    assert post.events() == ["reader.signed-up", "reader.confirmed"]
    with writing(post.ground.database) as connection:
        last = subscribers.consents_of(connection, asked.subscriber_id)[-1]
    assert last.evidence["letter"] == letter["Message-ID"]


def test_no_word_of_a_visitor_stands_in_a_mail(post):
    """Name, agent and language are what spammers would make use of."""
    post.request(name=CAMPAIGN, agent=CAMPAIGN, language=CAMPAIGN)
    (letter,) = post.letters()
    assert "BUY-GOLD" not in letter.as_string()
    assert "BUY-GOLD" not in text_of(letter) + text_of(letter, "html")


def test_the_same_request_is_one_letter(post):
    """Tried again at once it writes nothing; an hour later it is a request of its own."""
    post.request(), post.request()
    assert post.purposes() == ["confirmation"]
    post.later(hours=1)
    post.request()
    assert post.purposes() == ["confirmation", "confirmation"]
    first, second = post.letters()
    assert first["Message-ID"] != second["Message-ID"]


def test_a_reader_hears_that_they_read_already(post):
    """The letter has their link; on the page nothing tells it from any other sign-up."""
    confirmed(post, post.request())
    again = post.request("BOB@reader.example")
    assert again.outcome is SignUpOutcome.ALREADY
    post.request("bob@reader.example")
    assert post.purposes() == ["confirmation", "already"]
    person, list_id = KEYS.read_link_token(Purpose.PREFERENCES, post.link("preferences"))
    assert person == again.subscriber_id
    assert list_id > 0
    assert post.letters()[-1]["Subject"] == "You are already subscribed: The Pier Weekly"


def test_who_is_blocked_by_hand_gets_nothing(post):
    """No letter, no event, no person."""
    with writing(post.ground.database) as connection:
        subscribers.block(connection, "eve@x.example", hash_key=KEYS.suppression, now=post.now)
    assert post.request("eve@x.example").outcome is SignUpOutcome.BLOCKED
    assert post.letters() == []
    assert post.events() == []


def test_a_late_link_gets_a_new_letter(post):
    """With the old token and nothing else; what is unknown gets none."""
    asked = post.request()
    post.later(days=8)
    again = post.do(joining.renew, asked.subscriber_id, asked.id)
    assert again.id != asked.id
    assert confirmed(post, again).outcome is ConfirmOutcome.CONFIRMED
    assert post.do(joining.renew, asked.subscriber_id, 999) is None
    assert post.do(joining.renew, asked.subscriber_id, again.id) is None


@pytest.mark.parametrize(
    ("lists", "language", "subject"),
    [
        (("main",), None, "Please confirm your subscription: The Pier Weekly"),
        (("main",), "de-AT", "Bitte bestätigen Sie Ihr Abonnement: The Pier Weekly"),
        (("daily",), None, "Bitte bestätigen Sie Ihr Abonnement: The Pier Daily"),
        (("daily",), "en", "Please confirm your subscription: The Pier Daily"),
        (("daily",), "fi", "Bitte bestätigen Sie Ihr Abonnement: The Pier Daily"),
        (("main",), "fi", "Please confirm your subscription: The Pier Weekly"),
    ],
)
def test_a_letter_speaks_the_readers_language(post, lists, language, subject):
    """Else the list's; where we have no words in it, English."""
    post.request("bob@reader.example", *lists, language=language)
    (letter,) = post.letters()
    assert letter["Subject"] == subject
    assert ("Bitte" in text_of(letter)) == subject.startswith("Bitte")
    assert f'lang="{"de" if subject.startswith("Bitte") else "en"}' in text_of(letter, "html")


def test_a_newsletter_has_words_of_its_own(post, tmp_path):
    """Its catalogue adds a language, and wins over our words."""
    folder = tmp_path / "templates" / "web" / "locale"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    (folder / "fi.po").write_text(f'{head}msgid "Please confirm"\nmsgstr "Vahvista, ole hyvä"\n')
    post.request(language="fi")
    (letter,) = post.letters()
    assert text_of(letter).startswith("Vahvista, ole hyvä")
    assert 'lang="fi"' in text_of(letter, "html")


def test_an_unknown_list_is_nobodys_request(post):
    """What mailer.toml does not name cannot be asked for."""
    with pytest.raises(UserError, match="no list"):
        post.request("bob@reader.example", "nope")
    with pytest.raises(subscribers.SubscribersError, match="one brand"):
        post.request("bob@reader.example", "main", "other")


def test_a_letter_is_signed_by_nobody_else(post, tmp_path):
    """Two newsletters of one domain never share a Message-ID, for their keys begin with their UUIDs."""
    from tests.letters.conftest import SETTINGS, grounded

    post.request()
    other = SETTINGS.replace("6f1ff6f5", "7f1ff6f5")
    post.ground = grounded(tmp_path, post.ground.database, other)
    post.later(hours=1)
    post.request()
    first, second = (letter["Message-ID"] for letter in post.letters())
    assert first.endswith("@pier.example>")
    assert first != second


def test_a_move_is_asked_and_told(post):
    """The new mailbox is asked, the old one hears of it, and its link takes it back."""
    asked = post.request()
    confirmed(post, asked)
    move = post.do(moving.ask, asked.subscriber_id, "new@reader.example")
    question = post.letters()[-1]
    assert question["To"] == "new@reader.example"
    assert "bob@" not in question.as_string()
    assert KEYS.read_link_token(Purpose.MOVE, post.link("move")) == (asked.subscriber_id, move.id)
    done = post.do(moving.finish, asked.subscriber_id, move.id, evidence=FROM)
    assert done.outcome is MoveOutcome.MOVED
    notice = post.letters()[-1]
    assert notice["To"] == "bob@reader.example"
    assert "new@reader.example" not in text_of(notice)
    assert "n***@r***.example" in text_of(notice)
    assert "July 28, 2026" in text_of(notice)
    assert KEYS.read_link_token(Purpose.UNDO_MOVE, post.link("undo")) == (asked.subscriber_id, move.id)
    post.do(moving.finish, asked.subscriber_id, move.id, evidence=FROM)
    assert post.do(moving.undo, asked.subscriber_id, move.id, evidence=FROM).outcome is MoveOutcome.UNDONE
    assert post.purposes() == ["confirmation", "move", "moved"]
    assert post.events()[2:] == ["reader.moved", "reader.moved"]


def test_a_taken_address_hears_nothing_of_a_move(post):
    """Whoever reads there is not asked by others."""
    asked = post.request()
    confirmed(post, asked)
    other = post.request("taken@reader.example")
    confirmed(post, other)
    assert post.do(moving.ask, asked.subscriber_id, "taken@reader.example").outcome is MoveOutcome.TAKEN
    assert "move" not in post.purposes()


def test_the_link_comes_to_whoever_we_know(post):
    """And to nobody else; asked twice at once it is one letter."""
    asked = post.request()
    confirmed(post, asked)
    assert post.do(notices.manage_link, email="BOB@reader.example")
    assert not post.do(notices.manage_link, email="bob@reader.example")
    assert not post.do(notices.manage_link, email="who@reader.example")
    assert not post.do(notices.manage_link, email="no address")
    assert post.purposes() == ["confirmation", "manage"]
    post.later(minutes=20)
    assert post.do(notices.manage_link, email="bob@reader.example")


def test_the_operator_hears_once(post):
    """Each thing has a key; links come with their words; without an operator nobody is written to."""
    told = {"key": "tripwire:72.main", "subject": "72.main paused itself", "paragraphs": ["5% bounced."]}
    assert post.do(notices.operator, **told, links=[("How to go on", "https://news.pier.example/x")])
    assert not post.do(notices.operator, **told)
    (letter,) = post.letters()
    assert (letter["To"], letter["Subject"]) == ("ops@pier.example", "72.main paused itself")
    assert "5% bounced." in text_of(letter)
    assert "https://news.pier.example/x" in text_of(letter)


def test_a_masked_address_is_known_to_its_owner_alone():
    """One letter of each part."""
    assert masked("ann.example@example.org") == "a***@e***.org"


def test_html_and_text_say_the_same(post):
    """Every sentence and every link of one stands in the other, and nothing is loaded from anywhere."""
    post.request("bob@reader.example", "main", "daily")
    (letter,) = post.letters()
    html, text = text_of(letter, "html"), text_of(letter)
    plain = re.sub(r"<style.*?</style>|<!--.*?-->|<[^>]+>", " ", html, flags=re.DOTALL)
    said = " ".join(re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), plain).split())
    for paragraph in text.split("\n\n"):
        for line in (
            [" ".join(paragraph.split())] if "https:" not in paragraph and "--" not in paragraph else []
        ):
            assert line.removeprefix("* ").split(" * ")[0] in said
    links = re.findall(r'(?:href|src)="([^"]+)"', html)
    assert [re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), each) for each in links] == re.findall(
        r"https://\S+", text
    )


def test_a_newsletter_has_letters_of_its_own(post, tmp_path):
    """Its template wins over ours, and what its settings say cannot break out of the markup."""
    folder = tmp_path / "templates" / "email"
    folder.mkdir(parents=True)
    (folder / "letter.html.j2").write_text("<p>{{ letter.title }} {{ list_name }}</p>")
    post.ground.settings.lists["main"]
    object.__setattr__(post.ground.settings.lists["main"], "name", "<script>1</script>")
    post.request()
    html = text_of(post.letters()[0], "html")
    assert html.startswith("<p>Please confirm")
    assert "<script>" not in html
