"""How letters leave: nobody who left or was erased gets one, and what was said is not kept longer than needed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

import subscribers
from mailer import privacy
from mailer.database import writing
from mailer.delivery import letters as stream
from mailer.delivery.model import Claim, Settlement
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import letters
from mailer.letters import joining
from subscribers import Evidence

EPOCH = 7
WELCOME = "---\nsubject: Welcome\n---\n\nGood to have you.\n"


def rows(post):
    """Give every letter, oldest first."""
    with writing(post.ground.database) as connection:
        return connection.execute(select(letters).order_by(letters.c.id)).all()


def claimed(post):
    """Take what is due."""
    with writing(post.ground.database) as connection:
        return stream.claim(connection, EPOCH, post.later())


def settle(post, held, state, reply="250 ok"):
    """Say what came of a letter."""
    said = Claim(0, 0, 0, 0, held.address, "reader.example", held.attempts)
    due = post.now + timedelta(hours=1)
    with writing(post.ground.database) as connection:
        stream.settle(connection, held, EPOCH, Settlement(said, state, post.now, reply=reply, due_at=due))


def fence(post, held):
    with writing(post.ground.database) as connection:
        return stream.fence(connection, held, EPOCH, post.later())


def erase(post, subscriber_id):
    with writing(post.ground.database) as connection:
        return privacy.erase(connection, subscriber_id, now=post.later(), actor="ops")


@pytest.mark.parametrize("state", [DeliveryState.ACCEPTED, DeliveryState.REFUSED, DeliveryState.DEFERRED])
def test_a_letter_is_kept_while_it_may_be_sent_again(post, state):
    """Then its words go; that it was written, to whom, and what came of it stays."""
    post.request()
    (held,) = claimed(post)
    assert fence(post, held)
    settle(post, held, state)
    (row,) = rows(post)
    assert (row.state, row.address) == (state, "bob@reader.example")
    assert (row.content == b"") == (state is not DeliveryState.DEFERRED)


@pytest.mark.parametrize("how", ["unsubscribe", "complain", "lose", "pause", "move"])
def test_a_welcome_goes_to_readers_alone(with_welcome, how):
    """Who left while it waited (a relay was down) is not welcomed; a service letter goes all the same."""
    post = with_welcome(WELCOME)
    asked = post.request()
    post.do(joining.accept, asked.subscriber_id, asked.id, evidence=Evidence())
    with writing(post.ground.database) as connection:
        who, key = asked.subscriber_id, post.ground.keys.suppression
        match how:
            case "lose":
                subscribers.lose(connection, who, post.later(), "5.1.1")
            case "move":
                subscribers.move(connection, who, "n@x.example", now=post.later(), hash_key=key, how="cli")
            case _:
                getattr(subscribers, how)(connection, who, "main", post.later(), "page")
    confirmation, welcome = claimed(post)
    assert fence(post, confirmation)
    assert not fence(post, welcome)
    assert [row.state for row in rows(post)] == ["sending", "skipped"]
    assert rows(post)[1].content == b""


def test_a_welcome_reaches_who_still_reads(with_welcome):
    """Nothing holds it back else."""
    post = with_welcome(WELCOME)
    asked = post.request()
    post.do(joining.accept, asked.subscriber_id, asked.id, evidence=Evidence())
    assert all(fence(post, held) for held in claimed(post))


def test_a_letter_to_who_was_erased_is_not_sent(post):
    """Neither one that waits nor one in hand; it is skipped and never comes back."""
    asked, other = post.request(), post.request("ann@reader.example")
    first, second = claimed(post)
    erase(post, asked.subscriber_id)
    assert not fence(post, first)
    assert fence(post, second)
    erase(post, other.subscriber_id)
    settle(post, second, DeliveryState.DEFERRED, "450 4.2.1 <ann@reader.example> later")
    assert [row.state for row in rows(post)] == ["skipped", "skipped"]
    assert all((row.address, row.content, row.reply) == ("", b"", "") for row in rows(post))
    post.later(days=1)
    assert claimed(post) == []


def test_what_dies_with_a_letter_of_an_erased_person_lays_nothing_back(post):
    """The worker that held it is gone, and so is the letter."""
    asked = post.request()
    claimed(post)
    erase(post, asked.subscriber_id)
    with writing(post.ground.database) as connection:
        assert stream.lay_back(connection, EPOCH) == 1
    assert [row.state for row in rows(post)] == ["skipped"]
