"""The welcome letter: to whoever confirms, once, as list mail; one that is wrong hinders nobody."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from mailer.database import writing
from mailer.feedback import taking
from mailer.feedback.model import Evidence as Proof
from mailer.feedback.model import Kind, Notice, Permanence
from mailer.keys import Purpose
from mailer.letters import joining, welcome
from mailer.message.identity import read_message_id
from subscribers import Evidence, add, get, list_ids, unsubscribe
from tests.letters.conftest import KEYS, text_of

WELCOME = """---
subject: Welcome to {{ list.name }}
---

Good to have you, {{ subscriber.name | default: 'friend' }}.
"""


def confirm(post, **more: Any):
    """Sign up and confirm."""
    asked = post.request(**more)
    post.do(joining.accept, asked.subscriber_id, asked.id, evidence=Evidence())
    return asked


def test_whoever_confirms_is_welcomed_once(with_welcome):
    """With the reader's own links, as list mail; coming back is no second welcome."""
    post = with_welcome(WELCOME)
    joining.prepare(post.ground)
    asked = confirm(post, name="Bob")
    assert post.purposes() == ["confirmation", "welcome"]
    letter = post.letters()[-1]
    assert letter["Subject"] == "Welcome to The Pier Weekly"
    assert "Good to have you, Bob." in text_of(letter)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    with writing(post.ground.database) as connection:
        list_id = list_ids(connection)["main"]
        unsubscribe(connection, asked.subscriber_id, None, post.later(), "page")
    assert KEYS.read_link_token(Purpose.UNSUBSCRIBE, post.link("unsubscribe")) == (
        asked.subscriber_id,
        list_id,
    )
    assert read_message_id(KEYS, letter["Message-ID"]) == (asked.subscriber_id, welcome.FIRST + list_id)
    confirm(post)
    assert post.purposes().count("welcome") == 1


def test_who_was_added_is_not_welcomed(with_welcome):
    """The letter answers a confirmation; the operator's word is none."""
    post = with_welcome(WELCOME)
    with writing(post.ground.database) as connection:
        joining.know_lists(connection, post.ground, post.now)
        add(
            connection,
            email="a@b.example",
            list_key="main",
            now=post.now,
            hash_key=KEYS.suppression,
            basis="x",
        )
    assert post.purposes() == []


@pytest.mark.parametrize(
    "text",
    [
        "no subject, no title",
        "---\nsubject: Draft\ndraft: true\n---\n\nNot yet.\n",
        "---\nsubject: Broken\n---\n\n![x](https://127.0.0.1/{{ nothing.known }})\n\n{{ subscriber. }}\n",
        "---\nsubject: [\n",
        None,
    ],
)
def test_a_letter_that_is_wrong_hinders_nobody(with_welcome, caplog, tmp_path, text):
    """Who confirms is a reader; the log says what is wrong with the letter."""
    post = with_welcome(text or WELCOME)
    if text is None:
        (tmp_path / "welcome.md").unlink()
    with caplog.at_level(logging.WARNING):
        confirm(post)
    if "welcome" in post.purposes():
        pytest.fail(post.letters()[-1].as_string())
    assert "the welcome letter of main" in caplog.text


def test_a_letter_that_fails_as_it_is_written_loses_no_confirmation(with_welcome, caplog, monkeypatch):
    """Whatever breaks, the reader reads; the log says which letter, and quotes nobody."""
    post = with_welcome(WELCOME)

    def broken(*_words: object) -> None:
        raise ValueError("bob@reader.example cannot be written")

    monkeypatch.setattr(welcome, "sender_for", broken)
    asked = confirm(post)
    with writing(post.ground.database) as connection:
        assert get(connection, asked.subscriber_id).subscription("main").state == "active"
    assert (post.purposes(), post.events()[-1]) == (["confirmation"], "reader.confirmed")
    assert "the welcome letter of main" in caplog.text
    assert "bob@" not in caplog.text


def test_it_is_compiled_once_and_again_when_it_changes(with_welcome, monkeypatch, tmp_path):
    """Nothing is compiled once a reader."""
    from mailer.edition import guard

    compiled = []
    original = guard.compile_guarded

    def counted(*words: Any, **more: Any) -> Any:
        compiled.append(words)
        return original(*words, **more)

    monkeypatch.setattr(guard, "compile_guarded", counted)
    post = with_welcome(WELCOME + "Once.\n")
    for number in range(3):
        confirm(post, address=f"r{number}@reader.example")
    assert len(compiled) == 1
    (tmp_path / "welcome.md").write_text(WELCOME + "Twice.\n")
    confirm(post, address="r9@reader.example")
    assert len(compiled) == 2
    assert "Twice." in text_of(post.letters()[-1])


def test_it_can_be_seen_in_a_browser(with_welcome):
    """The number in its link stands for the letter."""
    post = with_welcome(WELCOME)
    confirm(post)
    with writing(post.ground.database) as connection:
        list_id = list_ids(connection)["main"]
        assert welcome.shown(post.ground, connection, welcome.FIRST + list_id).slug
        assert welcome.shown(post.ground, connection, welcome.FIRST + 999) is None
        assert welcome.shown(post.ground, connection, 1) is None


@pytest.mark.parametrize("kind", ["bounce", "complaint"])
def test_what_comes_back_of_a_welcome_is_heard(with_welcome, kind):
    """Its tokens prove who it went to, as those of a mailing do: a dead address is given up, a complaint counts."""
    post = with_welcome(WELCOME)
    asked = confirm(post)
    message_id = post.letters()[-1]["Message-ID"]
    notice = Notice(
        Kind(kind),
        "bob@reader.example",
        "userunknown" if kind == "bounce" else "",
        Permanence.PERMANENT,
        hardbounce=kind == "bounce",
        key="1",
        evidence=Proof(message_id=message_id),
    )
    with writing(post.ground.database) as connection:
        taken = taking.take(connection, KEYS, [notice], post.later(), channel="file")
        person = get(connection, asked.subscriber_id)
    assert taken.proven == 1
    assert person.address_state == ("unreachable" if kind == "bounce" else "complained")
