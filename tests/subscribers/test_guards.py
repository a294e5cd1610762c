"""Guards that a second one stands behind: each is seen alone, since chance sees but both gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

import subscribers
from subscribers import confirming, tables
from subscribers.status import AddressState, ConsentKind, Reason

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


def mailed(connection, clock):
    """Give who would be mailed of `main`."""
    list_id = subscribers.list_ids(connection)["main"]
    return {row.email for row in connection.execute(subscribers.audience(list_id, clock()))}


def test_a_dead_mailbox_is_not_mailed_though_its_suppression_is_lifted(add, connection, clock, hash_key):
    """The audience asks the address itself, too: what is known of it outlives the line that was lifted."""
    person = add(ANN)
    subscribers.lose(connection, person.id, clock(), "5.1.1")
    assert subscribers.lift(connection, subscribers.address_hash(ANN, hash_key), now=clock(), why="x") == 1
    assert mailed(connection, clock) == set()


def test_a_mailbox_is_lost_once(add, connection, clock):
    """The first time is news and marks the address; the second is none, and neither is one that complained."""
    ann, bob = add(ANN), add(BOB)
    assert subscribers.lose(connection, ann.id, clock(), "5.1.1")
    assert subscribers.get(connection, ann.id).address_state is AddressState.UNREACHABLE
    assert not subscribers.lose(connection, ann.id, clock(), "5.1.1")
    subscribers.complain(connection, bob.id, "main", clock(), "fbl")
    assert not subscribers.lose(connection, bob.id, clock(), "5.1.1")
    assert subscribers.get(connection, bob.id).address_state is AddressState.COMPLAINED


def test_who_leaves_while_their_link_is_answered_has_left(connection, clock, hash_key, monkeypatch):
    """Another process may take them off between the look and the doing: the doing looks again."""
    words = {
        "list_keys": ["main"],
        "now": clock(),
        "hash_key": hash_key,
        "form": subscribers.Form("1", "Yes."),
    }
    asked = subscribers.sign_up(connection, email=ANN, **words)
    lift = confirming.lift

    def meanwhile(*given: Any, **named: Any) -> int:
        subscribers.unsubscribe(connection, asked.subscriber_id, None, clock(), "page")
        return lift(*given, **named)

    monkeypatch.setattr(confirming, "lift", meanwhile)
    subscribers.confirm(connection, asked.subscriber_id, asked.id, clock(), subscribers.Evidence())
    assert mailed(connection, clock) == set()


@pytest.mark.parametrize("trace", ["consent", "subscription", "list", "address", "profile"])
def test_whoever_bears_any_trace_outlives_the_undoing_of_their_import(
    with_lists, clock, hash_key, tmp_path, trace
):
    """One trace is enough, of whatever kind: an undoing removes those alone who are as the import left them."""
    file = tmp_path / "people.csv"
    file.write_text(f"email\n{ANN}\n{BOB}\n")
    words = {"list_key": "main", "basis": "x", "hash_key": hash_key, "rejects": tmp_path / "rejects"}
    result = subscribers.import_file(with_lists.begin, file, now=clock(), **words)
    with with_lists.begin() as connection:
        ids = subscribers.list_ids(connection)
        _touch(connection, trace, subscribers.find(connection, ANN).id, ids, clock() + timedelta(days=1))
    undone = subscribers.undo_import(with_lists.begin, result.id, clock(days=2))
    assert (undone.removed, undone.kept) == (1, 1)


def _touch(connection, trace, person, ids, now) -> None:
    """Leave one trace of somebody, and no other."""
    if trace == "consent":
        line = {"subscriber_id": person, "list_id": ids["main"], "kind": ConsentKind.RESUMED, "at": now}
        connection.execute(insert(tables.consents).values(**line, basis="page"))
    elif trace == "list":
        row = {"subscriber_id": person, "list_id": ids["beta"], "state": "active", "changed_at": now}
        connection.execute(insert(tables.subscriptions).values(**row, joined_at=now))
    else:
        names = {"subscription": "subscriptions", "address": "addresses", "profile": "subscribers"}
        table = getattr(tables, names[trace])
        mine = table.c.id if trace == "profile" else table.c.subscriber_id
        moment = {"updated_at" if trace == "profile" else "changed_at": now}
        connection.execute(update(table).where(mine == person).values(moment))


def test_a_renamed_list_is_a_new_one(with_lists, clock, hash_key, tmp_path):
    """Nobody reads it, and what was said of the old name alone does not reach it; an import of the export keeps it."""
    words = {"now": clock(), "hash_key": hash_key}
    with with_lists.begin() as connection:
        for email in (ANN, BOB):
            subscribers.add(connection, email=email, list_key="main", basis="x", **words)
        subscribers.unsubscribe(connection, subscribers.find(connection, BOB).id, "main", clock(), "page")
        new = subscribers.ensure_lists(connection, ["new"], clock())["new"]
        assert connection.execute(subscribers.audience(new, clock())).all() == []
        file = tmp_path / "main.csv"
        rows = subscribers.export_rows(connection, "main", now=clock())
        with file.open("w", encoding="utf-8", newline="") as stream:
            subscribers.write_csv(stream, subscribers.export_columns(connection, "main"), rows)
    common = {"list_key": "new", "basis": "renamed", "rejects": tmp_path / "rejects"}
    subscribers.import_file(with_lists.begin, file, **common, **words | {"now": clock()})
    with with_lists.begin() as connection:
        assert [row.email for row in connection.execute(subscribers.audience(new, clock()))] == [ANN]
        with pytest.raises(subscribers.WillNotRevive):
            subscribers.add(connection, email=BOB, list_key="new", basis="x", **words)
