"""After a sign-up: links that come late, requests that nobody answered, and the way back for a day."""

from __future__ import annotations

from datetime import timedelta

import pytest

import subscribers
from subscribers import ConfirmOutcome
from subscribers.requests import signups
from subscribers.status import ConsentKind, SubscriptionState
from tests.subscribers.conftest import FROM
from tests.subscribers.standing import count, state


def test_looking_changes_nothing(connection, clock, sign_up, reads):
    """What a link scanner does is no confirmation."""
    asked = sign_up()
    looked = subscribers.look_at_sign_up(connection, asked.subscriber_id, asked.id, clock())
    assert looked.outcome is ConfirmOutcome.CONFIRMED
    assert reads() == set()
    assert state(connection, asked.subscriber_id) is SubscriptionState.PENDING


def test_a_late_link_offers_a_new_one(connection, clock, sign_up, confirm, hash_key):
    """Seven days later the link says that it is too late; a new letter can be had with it."""
    asked = sign_up(name="Ann")
    clock(days=8)
    assert confirm(asked).outcome is ConfirmOutcome.EXPIRED
    again = subscribers.sign_up_again(
        connection, asked.subscriber_id, asked.id, now=clock(), hash_key=hash_key, network="192.0.2.9"
    )
    assert again.id != asked.id
    assert confirm(again).outcome is ConfirmOutcome.CONFIRMED
    assert subscribers.get(connection, asked.subscriber_id).name == "Ann"


def test_a_link_is_of_one_mailbox(connection, clock, sign_up, confirm, hash_key):
    """Who moved since confirms nothing with the letter to the old address; nor does another's id."""
    asked, other = sign_up(), sign_up("bob@example.org")
    wrong = subscribers.confirm(connection, other.subscriber_id, asked.id, clock(), FROM)
    assert wrong.outcome is ConfirmOutcome.UNKNOWN
    subscribers.move(
        connection, asked.subscriber_id, "new@example.org", now=clock(), hash_key=hash_key, how="cli"
    )
    assert confirm(asked).outcome is ConfirmOutcome.UNKNOWN
    again = {"now": clock(), "hash_key": hash_key}
    assert subscribers.sign_up_again(connection, asked.subscriber_id, asked.id, **again) is None


def test_who_never_confirmed_goes_wholly(connection, clock, sign_up):
    """After its end and a week of grace, neither the request nor the person is there; the id never returns."""
    asked = sign_up()
    assert subscribers.expire_signups(connection, clock(days=8)) == (0, ())
    assert subscribers.expire_signups(connection, clock(days=7)) == (1, (asked.subscriber_id,))
    assert subscribers.find(connection, "ann@example.org") is None
    for table in subscribers.metadata.sorted_tables:
        if table.name not in {"lists", "forms"}:
            assert count(connection, table) == 0, table.name
    assert sign_up().subscriber_id > asked.subscriber_id


def test_who_is_known_otherwise_stays(connection, clock, add, sign_up, hash_key):
    """Of a reader only the request goes; who had left has left again."""
    reader, gone = add("ann@example.org", "beta"), add("bob@example.org")
    subscribers.unsubscribe(connection, gone.id, None, clock(), "page")
    sign_up("ann@example.org"), sign_up("bob@example.org")
    assert state(connection, gone.id) is SubscriptionState.PENDING
    assert subscribers.expire_signups(connection, clock(days=15)) == (2, ())
    assert state(connection, reader.id) is None
    assert state(connection, reader.id, "beta") is SubscriptionState.ACTIVE
    assert state(connection, gone.id) is SubscriptionState.UNSUBSCRIBED
    assert count(connection, signups) == 0


def test_a_newer_request_keeps_the_person(connection, clock, sign_up, confirm):
    """Cleaning an old request away leaves the one that still can be confirmed."""
    sign_up()
    newer = sign_up(now=clock(days=10))
    assert subscribers.expire_signups(connection, clock(days=5)) == (1, ())
    assert confirm(newer).outcome is ConfirmOutcome.CONFIRMED


def test_for_a_day_there_is_a_way_back(connection, clock, add, reads):
    """Who left takes it back with a new line of consent; a day later only a sign-up does."""
    ann = add("ann@example.org")
    add("ann@example.org", "beta")
    subscribers.unsubscribe(connection, ann.id, None, clock(), "one-click")
    assert subscribers.may_come_back(connection, ann.id, clock()) == ("beta", "main")
    assert subscribers.come_back(connection, ann.id, "main", clock(), FROM) == ("main",)
    assert reads() == {"ann@example.org"}
    assert reads("beta") == set()
    last = subscribers.consents_of(connection, ann.id)[-1]
    assert (last.kind, last.network) == (ConsentKind.RETURNED, "198.51.100.0/24")
    assert subscribers.come_back(connection, ann.id, "main", clock()) == ()
    assert subscribers.come_back(connection, ann.id, "beta", clock(hours=25)) == ()


@pytest.mark.parametrize("how", ["complaint", "block", "never confirmed", "lost", "erased", "import"])
def test_there_is_no_way_back_from(connection, clock, add, sign_up, hash_key, how):
    """Nothing but a leaving of their own, from what they read by right, can be taken back."""
    ann = add("ann@example.org")
    match how:
        case "complaint":
            subscribers.complain(connection, ann.id, "main", clock(), "fbl")
        case "block":
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
            subscribers.block(connection, "ann@example.org", hash_key=hash_key, now=clock())
        case "never confirmed":
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
            sign_up()
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
        case "lost":
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
            subscribers.lose(connection, ann.id, clock(), "5.1.1")
        case "erased":
            subscribers.erase(connection, ann.id, clock())
        case _:
            from subscribers import tables
            from subscribers.consent import record

            list_id = subscribers.list_ids(connection)["main"]
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
            record(connection, ann.id, [list_id], ConsentKind.UNDONE, "import", clock())
            assert count(connection, tables.consents) == 3
    assert subscribers.come_back(connection, ann.id, None, clock()) == ()


def test_those_who_left_everything_long_ago_are_found(connection, clock, add, sign_up):
    """Whoever still reads one list, or left lately, or only asks, is not among them."""
    long_gone, reader, lately = add("a@example.org"), add("b@example.org"), add("c@example.org")
    add("b@example.org", "beta")
    for each in (long_gone, reader):
        subscribers.unsubscribe(connection, each.id, "main", clock(), "page")
    sign_up("d@example.org")
    subscribers.unsubscribe(connection, lately.id, None, clock(days=700), "page")
    before = clock(days=40) - timedelta(days=730)
    assert subscribers.departed(connection, before) == (long_gone.id,)
