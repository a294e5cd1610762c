"""A person's own move to another address: asked, confirmed by the new mailbox, taken back by the old one."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

import subscribers
from subscribers import Evidence, MoveOutcome
from subscribers.requests import address_moves
from subscribers.status import ConsentKind

OLD, NEW, THIRD = "old@example.org", "new@example.org", "third@example.org"


@pytest.fixture
def verbs(connection, clock, hash_key):
    """The verbs of a move, one moment later each."""

    class Verbs:
        def ask(self, person, email=NEW) -> subscribers.AddressMove:
            return subscribers.request_move(connection, person.id, email, now=clock(), hash_key=hash_key)

        def confirm(self, move) -> subscribers.MoveResult:
            return subscribers.confirm_move(
                connection, move.subscriber_id, move.id, now=clock(), hash_key=hash_key,
                evidence=Evidence("192.0.2.4", "Browser/1"),
            )  # fmt: skip

        def undo(self, move) -> subscribers.MoveResult:
            return subscribers.undo_move(
                connection, move.subscriber_id, move.id, now=clock(), hash_key=hash_key
            )

        def look(self, move) -> subscribers.MoveResult:
            return subscribers.look_at_move(connection, move.subscriber_id, move.id, clock())

        def reads(self) -> list[str]:
            list_id = subscribers.list_ids(connection)["main"]
            return [row.email for row in connection.execute(subscribers.audience(list_id, clock()))]

    return Verbs()


def test_the_new_mailbox_must_answer(connection, add, verbs):
    """Until it does, mail goes where it went; then it goes there, with a line of where the answer came from."""
    person = add(OLD)
    move = verbs.ask(person)
    assert (move.outcome, move.old_email, move.email) == (MoveOutcome.ASKED, OLD, NEW)
    assert verbs.look(move).outcome is MoveOutcome.ASKED
    assert verbs.reads() == [OLD]
    done = verbs.confirm(move)
    assert (done.outcome, done.person.email, done.old_email) == (MoveOutcome.MOVED, NEW, OLD)
    assert verbs.reads() == [NEW]
    last = subscribers.consents_of(connection, person.id)[-1]
    assert (last.kind, last.network) == (ConsentKind.MOVED, "192.0.2.0/24")
    assert verbs.confirm(move).outcome is MoveOutcome.ALREADY


def test_the_old_mailbox_takes_it_back(add, verbs):
    """Within two weeks, once; then neither link does anything more."""
    move = verbs.ask(add(OLD))
    assert verbs.undo(move).outcome is MoveOutcome.EXPIRED
    verbs.confirm(move)
    assert verbs.look(move).outcome is MoveOutcome.MOVED
    assert verbs.undo(move).outcome is MoveOutcome.UNDONE
    assert verbs.reads() == [OLD]
    assert verbs.undo(move).outcome is MoveOutcome.ALREADY
    assert verbs.confirm(move).outcome is MoveOutcome.EXPIRED
    assert verbs.reads() == [OLD]


def test_the_oldest_mailbox_wins_over_every_later_move(add, verbs):
    """A thief who moves on, and has the link of the second move, keeps nothing."""
    first = verbs.ask(add(OLD))
    verbs.confirm(first)
    second = verbs.ask(verbs.look(first).person, THIRD)
    verbs.confirm(second)
    waiting = verbs.ask(verbs.look(first).person, "fourth@example.org")
    assert verbs.reads() == [THIRD]
    assert verbs.undo(first).outcome is MoveOutcome.UNDONE
    assert verbs.undo(second).outcome is MoveOutcome.EXPIRED
    assert verbs.confirm(waiting).outcome is MoveOutcome.EXPIRED
    assert verbs.reads() == [OLD]


def test_the_oldest_mailbox_that_may_take_it_back_is_the_sure_one(connection, clock, add, verbs):
    """What cannot be undone is asked there, until it has no say any more or has taken the move back."""
    person = add(OLD)

    def sure() -> str | None:
        return subscribers.sure_email(connection, person.id, clock())

    first = verbs.ask(person)
    assert sure() == OLD
    verbs.confirm(first)
    second = verbs.ask(verbs.look(first).person, THIRD)
    verbs.confirm(second)
    assert (verbs.reads(), sure()) == ([THIRD], OLD)
    verbs.undo(first)
    assert (verbs.reads(), sure()) == ([OLD], OLD)
    verbs.confirm(verbs.ask(person))
    clock(days=14)
    assert (verbs.reads(), sure()) == ([NEW], NEW)


def test_the_links_end(connection, clock, add, verbs):
    """Two days to answer, fourteen to take back; then the old address is no longer kept."""
    person = add(OLD)
    late = verbs.ask(person)
    clock(days=2)
    assert verbs.confirm(late).outcome is MoveOutcome.EXPIRED
    move = verbs.ask(person)
    assert move.id != late.id
    verbs.confirm(move)
    clock(days=14)
    assert verbs.undo(move).outcome is MoveOutcome.EXPIRED
    assert subscribers.expire_moves(connection, clock()) == 2
    assert connection.scalar(select(func.count()).select_from(address_moves)) == 0
    assert verbs.undo(move).outcome is MoveOutcome.UNKNOWN


def test_nobody_reads_at_another_readers_address(connection, add, verbs):
    """It is taken, when asked and when confirmed; their own address is no move."""
    person, other = add(OLD), add(NEW)
    assert verbs.ask(person).outcome is MoveOutcome.TAKEN
    assert verbs.ask(person, OLD.upper()).outcome is MoveOutcome.SAME
    move = verbs.ask(person, THIRD)
    add(THIRD)
    assert verbs.confirm(move).outcome is MoveOutcome.TAKEN
    assert subscribers.get(connection, other.id).email == NEW
    back = verbs.ask(person, "free@example.org")
    verbs.confirm(back)
    connection.execute(subscribers.suppression.suppressions.delete())
    add(OLD)
    assert verbs.undo(back).outcome is MoveOutcome.TAKEN


def test_a_stranger_who_never_confirmed_keeps_nobody_away(connection, clock, hash_key, add, verbs):
    """Signing somebody's new address up beforehand does not hinder its owner."""
    person = add(OLD)
    asked = subscribers.sign_up(
        connection, email=NEW, list_keys=["main"], now=clock(), hash_key=hash_key,
        form=subscribers.Form("1", "x"),
    )  # fmt: skip
    move = verbs.ask(person)
    assert move.outcome is MoveOutcome.ASKED
    assert verbs.confirm(move).outcome is MoveOutcome.MOVED
    assert verbs.reads() == [NEW]
    gone = subscribers.confirm(connection, asked.subscriber_id, asked.id, clock(), Evidence())
    assert gone.outcome is subscribers.ConfirmOutcome.UNKNOWN


def test_what_lay_on_the_new_address_is_lifted_by_its_owner(connection, clock, hash_key, add, verbs):
    """For the lists that they read, and as a consent of its own; never a block by hand."""
    person, before = add(OLD), add(NEW)
    subscribers.erase(connection, before.id, clock())
    move = verbs.ask(person)
    assert verbs.confirm(move).outcome is MoveOutcome.MOVED
    assert verbs.reads() == [NEW]
    kinds = [each.kind for each in subscribers.consents_of(connection, person.id)]
    assert kinds == [ConsentKind.ADDED, ConsentKind.MOVED, ConsentKind.CONFIRMED]
    subscribers.block(connection, THIRD, hash_key=hash_key, now=clock())
    assert verbs.ask(person, THIRD).outcome is MoveOutcome.BLOCKED


def test_who_left_has_left_at_the_new_address_too(connection, clock, hash_key, add, verbs):
    """A move is no way back: neither for who left, nor for who complained or is blocked."""
    left, angry, blocked = add("a@example.org"), add("b@example.org"), add("c@example.org")
    subscribers.unsubscribe(connection, left.id, None, clock(), "page")
    subscribers.complain(connection, angry.id, "main", clock(), "fbl")
    subscribers.block(connection, "c@example.org", hash_key=hash_key, now=clock())
    for number, person in enumerate((left, angry, blocked)):
        move = verbs.ask(person, f"new{number}@example.org")
        assert verbs.confirm(move).outcome is MoveOutcome.MOVED
    assert verbs.reads() == []


def test_what_a_mailbox_left_it_has_left_when_its_owner_is_gone(connection, clock, hash_key, add, verbs):
    """They left a list there, and moved on; whoever gets the mailbox next, for another list, is not put on this one."""
    person = add(OLD)
    move = verbs.ask(person)
    verbs.confirm(move)
    subscribers.unsubscribe(connection, person.id, "main", clock(), "one-click")
    assert verbs.undo(move).outcome is MoveOutcome.UNDONE
    add(NEW, list_key="beta", revive=True)
    with pytest.raises(subscribers.WillNotRevive):
        add(NEW, list_key="main")
    assert verbs.reads() == []


def test_the_operator_moves_somebody_back_who_left_a_list_there(connection, clock, hash_key, add, verbs):
    """What they left themselves stands in nobody's way: they read it neither here nor there."""
    person = add(OLD)
    subscribers.unsubscribe(connection, person.id, "main", clock(), "one-click")
    words = {"hash_key": hash_key, "how": "cli"}
    subscribers.move(connection, person.id, NEW, now=clock(), **words)
    assert subscribers.move(connection, person.id, OLD, now=clock(), **words).email == OLD
    assert verbs.reads() == []


def test_who_is_unreachable_reads_on_at_the_new_address(connection, clock, add, verbs):
    """That mail came back is about the old address alone, and taking the move back revives nothing."""
    person = add(OLD)
    subscribers.lose(connection, person.id, clock(), "5.1.1")
    move = verbs.ask(person)
    verbs.confirm(move)
    assert verbs.reads() == [NEW]


def test_requests_are_few(add, verbs):
    """Five wait at most, and the same one again is the same."""
    person = add(OLD)
    asked = [verbs.ask(person, f"n{number}@example.org") for number in range(7)]
    assert [each.outcome for each in asked] == [MoveOutcome.ASKED] * 5 + [MoveOutcome.BLOCKED] * 2
    assert verbs.ask(person, "n0@example.org").id == asked[0].id


def test_a_link_is_of_one_person(connection, clock, add, verbs, hash_key):
    """Another's id, an erased person, an id that never was: unknown, and nothing happens."""
    person, other = add(OLD), add(THIRD)
    move = verbs.ask(person)
    for who, number in ((other.id, move.id), (person.id, 999)):
        found = subscribers.confirm_move(connection, who, number, now=clock(), hash_key=hash_key)
        assert found.outcome is MoveOutcome.UNKNOWN
    subscribers.erase(connection, person.id, clock())
    assert verbs.confirm(move).outcome is MoveOutcome.UNKNOWN
    with pytest.raises(subscribers.UnknownSubscriber):
        verbs.ask(person)
