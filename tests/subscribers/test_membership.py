"""What happens to people, one step at a time."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import func, select

import subscribers
from subscribers import tables
from subscribers.status import AddressState, PersonState, SubscriptionState


def kinds(connection, subscriber_id):
    return [consent.kind.value for consent in subscribers.consents_of(connection, subscriber_id)]


def test_add_is_recorded(connection, add):
    """Whoever is added reads at once, by a basis that is recorded."""
    ann = add("ann@example.org", basis="asked on the phone", name="Ann\r\nBcc: x", tags=["a", "a", " "])
    assert (ann.name, ann.tags) == ("Ann Bcc: x", ("a",))
    assert ann.subscription("main").state is SubscriptionState.ACTIVE
    (consent,) = subscribers.consents_of(connection, ann.id)
    assert (consent.kind, consent.list_key, consent.basis) == ("added", "main", "asked on the phone")


def test_add_again(connection, add):
    """Adding a reader again brings the profile up to date and leaves pause and consent alone."""
    ann = add("ann@example.org", name="Ann", attributes={"city": "Graz", "n": 1})
    subscribers.pause(connection, ann.id, None, add.clock(), "page")
    again = add("ANN@example.org", attributes={"city": "Wien"}, tags=["x"])
    assert again.id == ann.id
    assert (again.name, again.attributes, again.tags) == ("Ann", {"city": "Wien", "n": 1}, ("x",))
    assert again.subscription("main").state is SubscriptionState.PAUSED
    assert kinds(connection, ann.id) == ["added", "paused"]


@pytest.mark.parametrize("end", ["unsubscribe", "complain", "lose", "erase"])
def test_nobody_is_revived_by_chance(connection, clock, add, end):
    """Whoever left, complained, is dead or erased stays so, unless that is asked for; then it is recorded."""
    ann = add("ann@example.org")
    {
        "unsubscribe": lambda: subscribers.unsubscribe(connection, ann.id, None, clock(), "page"),
        "complain": lambda: subscribers.complain(connection, ann.id, "main", clock(), "fbl"),
        "lose": lambda: subscribers.lose(connection, ann.id, clock(), "5.1.1"),
        "erase": lambda: subscribers.erase(connection, ann.id, clock()),
    }[end]()
    with pytest.raises(subscribers.WillNotRevive):
        add("ann@example.org")
    back = add("ann@example.org", revive=True, basis="wrote to us")
    assert back.address_state is AddressState.REACHABLE
    assert back.subscription("main").state is SubscriptionState.ACTIVE
    list_id = subscribers.list_ids(connection)["main"]
    assert len(connection.execute(subscribers.audience(list_id, clock())).all()) == 1
    if end != "lose":
        last = subscribers.consents_of(connection, back.id)[-1]
        assert (last.kind, last.basis) == ("added", "wrote to us")
        assert last.evidence["revived"]
    assert (back.id == ann.id) is (end != "erase")


def test_revived_from_a_dead_address_is_recorded(connection, clock, add):
    """Whoever was dead and is still subscribed is revived with a line that says so."""
    ann = add("ann@example.org")
    subscribers.lose(connection, ann.id, clock(), "5.1.1")
    add("ann@example.org", revive=True, basis="wrote to us")
    assert kinds(connection, ann.id) == ["added", "added"]


def test_manual_block_stays(connection, clock, add, hash_key):
    """A block by hand is not undone by a revival."""
    subscribers.block(connection, "ann@example.org", hash_key=hash_key, now=clock())
    with pytest.raises(subscribers.WillNotRevive):
        add("ann@example.org", revive=True)


def test_unsubscribe_twice(connection, clock, add):
    """Leaving twice is leaving once."""
    ann = add("ann@example.org")
    add("ann@example.org", "beta")
    assert subscribers.unsubscribe(connection, ann.id, "main", clock(), "one-click") == ("main",)
    assert subscribers.unsubscribe(connection, ann.id, "main", clock(), "one-click") == ()
    assert subscribers.unsubscribe(connection, ann.id, None, clock(), "page") == ("beta",)
    assert kinds(connection, ann.id) == ["added", "added", "withdrawn", "withdrawn"]
    with pytest.raises(subscribers.UnknownList, match="beta, main"):
        subscribers.unsubscribe(connection, ann.id, "gone", clock(), "page")


def test_resume_brings_back_nobody_who_left(connection, clock, add):
    """Resuming ends a pause and nothing else."""
    ann = add("ann@example.org")
    subscribers.unsubscribe(connection, ann.id, None, clock(), "page")
    assert subscribers.resume(connection, ann.id, None, clock(), "page") == ()
    assert subscribers.pause(connection, ann.id, None, clock(), "page") == ()
    assert subscribers.get(connection, ann.id).subscription("main").state is SubscriptionState.UNSUBSCRIBED


def test_pause_again_moves_the_end(connection, clock, add):
    """Pausing a paused subscription moves its end, and gives its list."""
    ann = add("ann@example.org")
    first, second = clock.now + timedelta(days=3), clock.now + timedelta(days=9)
    subscribers.pause(connection, ann.id, None, clock(), "page", until=first)
    assert subscribers.pause(connection, ann.id, None, clock(), "page", until=second) == ("main",)
    assert subscribers.get(connection, ann.id).subscription("main").paused_until == second


def test_move(connection, clock, add, hash_key):
    """A move takes what was chosen along; a dead address is left behind, a complaint is not."""
    ann, bob = add("ann@example.org", tags=["x"]), add("bob@example.org")
    subscribers.lose(connection, ann.id, clock(), "5.1.1")
    moved = subscribers.move(
        connection, ann.id, "ann@example.com", now=clock(), hash_key=hash_key, how="page"
    )
    assert (moved.email, moved.tags, moved.address_state) == (
        "ann@example.com",
        ("x",),
        AddressState.REACHABLE,
    )
    assert subscribers.find(connection, "ann@example.org") is None
    with pytest.raises(subscribers.AddressTaken):
        subscribers.move(connection, ann.id, "BOB@example.org", now=clock(), hash_key=hash_key, how="page")
    with pytest.raises(subscribers.WillNotRevive):
        subscribers.move(connection, bob.id, "ann@example.org", now=clock(), hash_key=hash_key, how="page")
    subscribers.complain(connection, bob.id, "main", clock(), "fbl")
    moved = subscribers.move(
        connection, bob.id, "bob@example.com", now=clock(), hash_key=hash_key, how="page"
    )
    assert moved.address_state is AddressState.COMPLAINED
    with pytest.raises(subscribers.WillNotRevive):
        add("bob@example.com")


def test_move_of_case(connection, clock, add, hash_key):
    """Writing the same address in another case changes only how it is written."""
    ann = add("ann@example.org")
    moved = subscribers.move(
        connection, ann.id, "Ann@example.org", now=clock(), hash_key=hash_key, how="page"
    )
    assert moved.email == "Ann@example.org"
    assert kinds(connection, ann.id) == ["added"]


def test_complaint(connection, clock, add, hash_key):
    """A complaint ends every list, and the brand may not mail that address again."""
    ann = add("ann@example.org")
    add("ann@example.org", "beta")
    assert subscribers.complain(connection, ann.id, "beta", clock(), "fbl") == ("beta", "main")
    (suppression,) = subscribers.suppressions_of(connection, ann.id)
    assert (suppression.scope, suppression.scope_key, suppression.reason) == ("brand", "acme", "complaint")
    assert subscribers.complain(connection, ann.id, "beta", clock(), "fbl") == ()


def test_erased(connection, clock, add):
    """Of an erased person nothing is left but the id, that they left, and a hash."""
    ann = add(
        "very.special@example.org",
        name="Verona Special",
        attributes={"very": "special"},
        tags=["special-tag"],
        basis="special basis",
    )
    subscribers.complain(connection, ann.id, "main", clock(), "special complaint of very.special@example.org")
    assert subscribers.erase(connection, ann.id, clock())
    assert not subscribers.erase(connection, ann.id, clock())
    held = {
        table.name: [list(map(str, row)) for row in connection.execute(select(table))]
        for table in subscribers.metadata.sorted_tables
    }
    assert "pecial" not in json.dumps(held)
    gone = subscribers.get(connection, ann.id)
    assert (gone.state, gone.email, gone.subscription("main").state) == (
        PersonState.ERASED,
        None,
        SubscriptionState.UNSUBSCRIBED,
    )
    assert subscribers.people(connection) == []
    assert connection.scalar(select(func.count()).select_from(tables.suppressions)) == 3


def test_tags(connection, clock, add):
    """Tags are put on and taken off; the same change twice changes nothing."""
    ann = add("ann@example.org", tags=["a", "b"])
    for _ in range(2):
        changed = subscribers.tag(connection, ann.id, clock(), add=["c"], remove=["a", "z"])
        assert changed.tags == ("b", "c")
    with pytest.raises(subscribers.UnknownSubscriber):
        subscribers.tag(connection, 999, clock(), add=["x"])


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"x": "y" * 20_000}, "16,384"),
        ({"x": float("nan")}, "cannot be stored"),
        ({"x": object()}, "cannot be stored"),
    ],
)
def test_attributes_are_bounded(connection, add, attributes, why):
    """Attributes that are too many, or no JSON, are refused."""
    with pytest.raises(subscribers.SubscribersError, match=why):
        add("ann@example.org", attributes=attributes)


def test_people_in_pages(connection, add):
    """People come in pages in the order of their ids, by list, state and tag."""
    everyone = [
        add(f"p{n}@example.org", "beta" if n % 2 else "main", tags=["odd"] if n % 2 else []) for n in range(6)
    ]
    first = subscribers.people(connection, limit=4)
    assert [each.id for each in first] == [each.id for each in everyone[:4]]
    assert [each.id for each in subscribers.people(connection, after=first[-1].id)] == [
        each.id for each in everyone[4:]
    ]
    assert len(subscribers.people(connection, list_key="beta")) == 3
    assert len(subscribers.people(connection, tag="odd", state="active")) == 3
    assert subscribers.people(connection, state="paused") == []


def test_brand_of_a_list_changes(connection, clock):
    """A list takes over the brand that the settings name, and its id stays."""
    before = subscribers.ensure_lists(connection, ["main", "beta"], clock())
    after = subscribers.ensure_lists(connection, ["beta"], clock(), brands={"beta": "other"})
    assert after["beta"] == before["beta"]


def test_who_was_dead_and_then_erased_counts_as_erased(add, connection, clock, hash_key):
    """The stronger reason stays: a file may bring back who was dead, never who was erased; a block wins over all."""
    person = add("ann@example.org")
    hash_ = subscribers.address_hash("ann@example.org", hash_key)
    subscribers.lose(connection, person.id, clock(), "5.1.1")

    def reasons() -> set[str]:
        found = subscribers.list_suppressions(connection, hash_=hash_)
        return {each.reason for each in found if each.scope == "everything"}

    assert reasons() == {"dead"}
    subscribers.erase(connection, person.id, clock())
    assert reasons() == {"erasure"}
    subscribers.block(connection, "ann@example.org", hash_key=hash_key, now=clock())
    subscribers.erase_address(connection, "ann@example.org", now=clock(), hash_key=hash_key)
    assert reasons() == {"manual"}


def test_a_complaint_outlives_the_name_of_its_brand(add, connection, clock, hash_key):
    """A list that goes to another brand is still forbidden to whoever complained about the one before."""
    other = add("bob@example.org")
    subscribers.complain(connection, other.id, "main", clock(), "fbl")
    subscribers.ensure_lists(connection, ["main"], clock(), brands={"main": "acme"})
    hash_ = subscribers.address_hash("bob@example.org", hash_key)
    held = subscribers.list_suppressions(connection, hash_=hash_)
    assert {(each.scope, each.scope_key, each.reason) for each in held} == {
        ("brand", "", "complaint"),
        ("list", "main", "complaint"),
    }
