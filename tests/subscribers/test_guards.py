"""Guards that a second one stands behind: each is seen alone, since chance sees but both gone."""

from __future__ import annotations

import pytest

import subscribers
from subscribers.status import Reason

ANN, BOB = "ann@example.org", "bob@example.org"


def test_no_lifting_takes_a_block_along(connection, clock, hash_key):
    """`lift` leaves a manual block where it is not asked for by its name."""
    subscribers.block(connection, ANN, hash_key=hash_key, now=clock())
    hash_ = subscribers.address_hash(ANN, hash_key)
    assert subscribers.lift(connection, hash_, now=clock(), why="asked") == 0
    assert subscribers.lift(connection, hash_, now=clock(), why="asked", manual=True) == 1


@pytest.mark.parametrize("why", ["block", "erase_address"])
def test_the_operator_moves_nobody_to_a_mailbox_that_must_not_be_mailed(
    add, connection, clock, hash_key, why
):
    """Nor does it ask that mailbox by a letter, where it was blocked by hand."""
    person = add(ANN)
    getattr(subscribers, why)(connection, BOB, hash_key=hash_key, now=clock())
    words = {"now": clock(), "hash_key": hash_key}
    with pytest.raises(subscribers.WillNotRevive):
        subscribers.move(connection, person.id, BOB, how="cli", **words)
    asked = subscribers.request_move(connection, person.id, BOB, **words)
    assert (asked.outcome == "blocked") == (why == "block")


def test_the_link_of_a_mailbox_that_was_given_up_moves_nobody(add, connection, clock, hash_key):
    """Asked from one address, answered after they moved to another by the operator's word: nothing happens."""
    person = add(ANN)
    asked = subscribers.request_move(connection, person.id, BOB, now=clock(), hash_key=hash_key)
    subscribers.move(connection, person.id, "c@example.org", now=clock(), hash_key=hash_key, how="cli")
    done = subscribers.confirm_move(connection, person.id, asked.id, now=clock(), hash_key=hash_key)
    assert done.outcome == "expired"
    assert subscribers.find(connection, BOB) is None


def test_a_complaint_and_an_erasure_leave_hashes_behind(add, connection, clock, hash_key):
    """Each by itself: the brand of the complaint; every list of the erased, so that one return is not all."""
    person = add(ANN, "beta")
    add(ANN, "main")
    subscribers.complain(connection, person.id, "beta", clock(), "fbl")
    subscribers.erase(connection, person.id, clock())
    held = subscribers.list_suppressions(connection, hash_=subscribers.address_hash(ANN, hash_key))
    assert {(each.scope, each.scope_key, each.reason) for each in held} == {
        ("brand", "acme", Reason.COMPLAINT),
        ("everything", "", Reason.ERASURE),
        ("list", "beta", Reason.ERASURE),
        ("list", "main", Reason.ERASURE),
    }


def test_who_pauses_can_leave(add, connection, clock):
    """A pause holds nobody back."""
    person = add(ANN)
    subscribers.pause(connection, person.id, "main", clock(), "page")
    assert subscribers.unsubscribe(connection, person.id, None, clock(), "page") == ("main",)
