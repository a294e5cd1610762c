"""Signing up, confirming, the way back, and what goes by itself."""

from __future__ import annotations

import pytest

import subscribers
from subscribers import ConfirmOutcome, SignUpOutcome
from subscribers.requests import forms, signups
from subscribers.status import AddressState, ConsentKind, Reason, SubscriptionState
from tests.subscribers.conftest import FORM
from tests.subscribers.standing import count


def test_nobody_is_a_reader_before_their_mailbox_answers(connection, sign_up, confirm, reads):
    """A sign-up is pending; the confirmation makes a reader of them."""
    asked = sign_up()
    assert asked.outcome is SignUpOutcome.CONFIRM
    assert asked.lists == ("main",)
    assert reads() == set()
    done = confirm(asked)
    assert (done.outcome, done.confirmed) == (ConfirmOutcome.CONFIRMED, ("main",))
    assert reads() == {"ann@example.org"}


def test_the_proof_stands_on_its_own(connection, sign_up, confirm):
    """The line of consent says what was shown, when and from where it was asked, and which letter was answered."""
    asked = sign_up(agent="Browser/1")
    subscribers.note_letter(connection, asked.id, "<1@example.org>")
    confirm(asked)
    requested, confirmed = subscribers.consents_of(connection, asked.subscriber_id)
    assert requested.kind is ConsentKind.REQUESTED
    assert (requested.network, requested.agent) == ("192.0.2.0/24", "Browser/1")
    assert confirmed.kind is ConsentKind.CONFIRMED
    assert (confirmed.network, confirmed.agent) == ("198.51.100.0/24", "Browser/2")
    assert confirmed.evidence == {
        "sign-up": asked.id,
        "form": "2026-07",
        "form hash": FORM.hash,
        "asked at": requested.at.isoformat(),
        "asked from": "192.0.2.0/24",
        "asked with": "Browser/1",
        "letter": "<1@example.org>",
    }
    assert subscribers.form_of(connection, FORM.hash) == FORM


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:23ff::1", "2001:db8:1:2300::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("unix:", None),
        ("", None),
        (None, None),
        ("9" * 5000, None),
    ],
)
def test_of_where_it_came_from_the_network_is_kept(address, prefix):
    """Never a whole address."""
    assert subscribers.network_prefix(address) == prefix


def test_a_reader_is_left_as_they_are(connection, add, sign_up):
    """Whoever types a reader's address changes nothing; only what they do not read yet waits."""
    ann = add("ann@example.org", name="Ann")
    again = sign_up("Ann@Example.org", name="Buy now", language="de")
    assert (again.outcome, again.id, again.already) == (SignUpOutcome.ALREADY, None, ("main",))
    assert subscribers.get(connection, ann.id) == ann
    assert count(connection, signups) == 0


def test_what_a_stranger_types_waits_for_the_mailbox(connection, sign_up, confirm):
    """Name and language are the person's own once they have confirmed, and never overwrite what is known."""
    asked = sign_up(name="Ann\r\nBcc: x", language="de")
    assert subscribers.get(connection, asked.subscriber_id).name == ""
    confirm(asked)
    person = subscribers.get(connection, asked.subscriber_id)
    assert (person.name, person.language) == ("Ann Bcc: x", "de")
    subscribers.unsubscribe(connection, person.id, None, person.created_at, "page")
    confirm(sign_up(name="Mallory", language="fr"))
    person = subscribers.get(connection, asked.subscriber_id)
    assert (person.name, person.language) == ("Ann Bcc: x", "de")


def test_the_same_again_at_once_is_the_same_request(connection, clock, sign_up):
    """Two clicks are one request; an hour later it is another."""
    first = sign_up()
    assert sign_up().id == first.id
    assert sign_up(lists=("main",), now=clock(hours=1)).id != first.id
    assert len(subscribers.consents_of(connection, first.subscriber_id)) == 2
    assert count(connection, forms) == 1


def test_several_lists_are_of_one_brand(connection, clock, sign_up):
    """A sign-up names lists, and never those of two senders."""
    subscribers.ensure_lists(connection, ["gamma"], clock(), brands={"gamma": "acme"})
    assert sign_up(lists=("gamma", "beta")).lists == ("gamma", "beta")
    for lists in ((), ("main", "beta")):
        with pytest.raises(subscribers.SubscribersError):
            sign_up(lists=lists)
    with pytest.raises(subscribers.UnknownList):
        sign_up(lists=("nope",))
    with pytest.raises(subscribers.InvalidAddress):
        sign_up("no address")


@pytest.mark.parametrize("reason", ["left", "complained", "dead", "erased", "imported as left"])
def test_a_new_confirmation_lifts_whatever_lay_on_the_address(
    connection, clock, add, sign_up, confirm, reads, hash_key, reason
):
    """Who comes back by themselves is a reader again, of these lists alone, by a new consent."""
    ann = add("ann@example.org")
    add("ann@example.org", "beta")
    match reason:
        case "left":
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
        case "complained":
            subscribers.complain(connection, ann.id, "main", clock(), "fbl")
        case "dead":
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
            subscribers.lose(connection, ann.id, clock(), "5.1.1")
        case "erased":
            subscribers.erase(connection, ann.id, clock())
        case _:
            subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
            from subscribers.suppression import suppress

            hash_ = subscribers.address_hash("ann@example.org", hash_key)
            suppress(
                connection,
                [hash_],
                scope=subscribers.status.Scope.LIST,
                scope_key="main",
                reason=Reason.UNSUBSCRIBED,
                now=clock(),
            )
    asked = sign_up()
    assert asked.outcome is SignUpOutcome.CONFIRM
    assert reads() == set()
    assert confirm(asked).confirmed == ("main",)
    assert reads() == {"ann@example.org"}
    assert reads("beta") == set()
    assert subscribers.consents_of(connection, asked.subscriber_id)[-1].kind is ConsentKind.CONFIRMED
    assert (asked.subscriber_id == ann.id) == (reason != "erased")


def test_a_reader_whose_mail_came_back_confirms_anew(connection, clock, add, sign_up, confirm, reads):
    """An address that was given up is reachable again once its mailbox has answered."""
    ann = add("ann@example.org")
    add("ann@example.org", "beta")
    subscribers.lose(connection, ann.id, clock(), "5.1.1")
    asked = sign_up()
    assert asked.outcome is SignUpOutcome.CONFIRM
    confirm(asked)
    assert reads() == reads("beta") == {"ann@example.org"}
    person = subscribers.get(connection, ann.id)
    assert person.address_state is AddressState.REACHABLE
    assert person.subscription("main").joined_at == ann.subscription("main").joined_at


def test_a_block_by_hand_stays(connection, clock, sign_up, confirm, reads, hash_key):
    """No sign-up lifts it, neither before nor after it was made, and nothing is written down."""
    subscribers.block(connection, "eve@example.org", hash_key=hash_key, now=clock())
    asked = sign_up("eve@example.org")
    assert (asked.outcome, asked.id, asked.subscriber_id) == (SignUpOutcome.BLOCKED, None, None)
    assert subscribers.find(connection, "eve@example.org") is None
    waiting = sign_up("bob@example.org")
    subscribers.block(connection, "bob@example.org", hash_key=hash_key, now=clock())
    assert confirm(waiting).outcome is ConfirmOutcome.BLOCKED
    assert reads() == set()


def test_a_used_link_says_so_and_brings_nobody_back(connection, clock, sign_up, confirm, reads):
    """The second press says "you are subscribed", or that they left since."""
    asked = sign_up()
    confirm(asked)
    lines = len(subscribers.consents_of(connection, asked.subscriber_id))
    assert confirm(asked).outcome is ConfirmOutcome.ALREADY
    subscribers.unsubscribe(connection, asked.subscriber_id, None, clock(), "one-click")
    assert confirm(asked).outcome is ConfirmOutcome.LEFT
    assert reads() == set()
    assert len(subscribers.consents_of(connection, asked.subscriber_id)) == lines + 1


@pytest.mark.parametrize("how", ["unsubscribe", "complain", "erase"])
def test_who_leaves_before_the_letter_is_answered_has_left(connection, clock, sign_up, confirm, reads, how):
    """The link of a request that was withdrawn confirms nothing."""
    asked = sign_up()
    if how == "erase":
        subscribers.erase(connection, asked.subscriber_id, clock())
    else:
        getattr(subscribers, how)(connection, asked.subscriber_id, "main", clock(), "page")
    gone = ConfirmOutcome.UNKNOWN if how == "erase" else ConfirmOutcome.LEFT
    assert confirm(asked).outcome is gone
    assert reads() == set()


def test_a_person_says_who_they_are(connection, clock, add):
    """Name, language and time zone are set, emptied or left alone; what is no language is none."""
    ann = add("ann@example.org", name="Ann", language="de")
    assert subscribers.set_profile(connection, ann.id, clock(), name=" Anna\n", time_zone="Europe/Vienna")
    person = subscribers.get(connection, ann.id)
    assert (person.name, person.language, person.time_zone) == ("Anna", "de", "Europe/Vienna")
    subscribers.set_profile(connection, ann.id, clock(), name="", language="nonsense!")
    person = subscribers.get(connection, ann.id)
    assert (person.name, person.language) == ("", None)
    assert not subscribers.set_profile(connection, ann.id, clock(), name="")
    subscribers.set_profile(connection, ann.id, clock(), attributes={"town": "Husum", "cat": {"name": "Bo"}})
    subscribers.set_profile(connection, ann.id, clock(), attributes={"town": None, "dog": 1})
    assert subscribers.get(connection, ann.id).attributes == {"cat": {"name": "Bo"}, "dog": 1}
    with pytest.raises(subscribers.SubscribersError):
        subscribers.set_profile(connection, ann.id, clock(), attributes={"x": "x" * 20_000})
    with pytest.raises(subscribers.UnknownSubscriber):
        subscribers.set_profile(connection, 999, clock(), name="x")


def test_a_strangers_request_opens_no_door_for_the_operator(sign_up, add, connection, clock):
    """Whoever left has left still while a sign-up in their name waits: `add` asks for `revive` as before."""
    person = add("ann@example.org")
    subscribers.unsubscribe(connection, person.id, None, clock(), "page")
    sign_up()
    with pytest.raises(subscribers.WillNotRevive, match="left main on"):
        add("ann@example.org")
    assert add("ann@example.org", revive=True).subscription("main").state is SubscriptionState.ACTIVE
    newcomer = sign_up("bob@example.org")
    assert add("bob@example.org").id == newcomer.subscriber_id
