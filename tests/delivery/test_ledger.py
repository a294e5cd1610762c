"""The ledger's promises, move by move, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.database import writing
from mailer.delivery import ledger, mailing
from mailer.delivery.journal import Proof
from mailer.delivery.model import Settlement
from mailer.delivery.states import MOVES, DeliveryState, MailingState
from subscribers import move as move_address
from tests.delivery.conftest import NOON

if TYPE_CHECKING:
    from tests.delivery.conftest import World

S = DeliveryState


PEOPLE = ["ann@one.example", "bob@two.example", "cia@one.example"]


def test_each_reader_is_planned_once(world: World) -> None:
    """Planning twice, or for an overlapping audience, adds nobody a second time."""
    world.join(*PEOPLE)
    world.extend()
    world.extend()
    assert world.counts().planned == 3


def test_who_joins_later_is_a_new_reader(world: World) -> None:
    """A reader who joined after the audience was fixed is not in it until it is extended."""
    world.join(*PEOPLE)
    world.extend()
    world.join("new@one.example")
    world.plan()
    assert world.counts().planned == 3
    world.extend()
    assert world.counts().planned == 4


def test_the_first_few_are_drawn_and_the_rest_is_held(world: World) -> None:
    """--first 2 --hold 1h plans two at once, and the others when the hour has come."""
    world.join(*PEOPLE)
    world.extend(first=2)
    world.extend(not_before=world.now.replace(hour=13))
    assert world.counts().planned == 2
    world.later(hours=1)
    world.plan()
    assert world.counts().planned == 3


def test_a_claim_belongs_to_one_worker(world: World) -> None:
    """Two workers never hold the same row."""
    world.join(*PEOPLE)
    world.extend()
    first, second = world.claim(epoch=1, limit=2), world.claim(epoch=2)
    assert len(first) == 2
    assert len(second) == 1
    assert not {c.subscriber_id for c in first} & {c.subscriber_id for c in second}


def test_domains_that_are_slow_are_not_claimed(world: World) -> None:
    """Rows of a domain in `without` stay for later."""
    world.join(*PEOPLE)
    world.extend()
    assert [claim.address for claim in world.claim(without=("one.example",))] == ["bob@two.example"]


def test_the_fence_is_granted_once(world: World) -> None:
    """A fenced row cannot be fenced again, nor by another worker."""
    world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    assert world.fence(claims, epoch=2) == set()
    assert world.fence(claims) == set(claims)
    assert world.fence(claims) == set()


def test_who_left_is_not_sent_to(world: World) -> None:
    """U15: leaving takes effect on everyone who is not yet `sending`, even when already claimed."""
    ann, _bob = world.join("ann@one.example", "bob@two.example")
    world.extend()
    claims = world.claim()
    world.leave(ann)
    granted = world.fence(claims)
    assert {claim.address for claim in granted} == {"bob@two.example"}
    assert world.counts().skipped == {"left": 1}


def test_who_moved_gets_it_at_the_new_address(world: World) -> None:
    """An address that changed between plan and fence is not used; the row waits with the new one."""
    (ann,) = world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    with writing(world.engine) as c:
        move_address(c, ann, "ann@new.example", now=world.now, hash_key=b"h" * 32, how="test")
    assert world.fence(claims) == set()
    (again,) = world.claim()
    assert again.address == "ann@new.example"
    assert world.fence([again]) == {again}


@pytest.mark.parametrize("state", [MailingState.PAUSED, MailingState.CANCELLED])
def test_a_mailing_that_does_not_run_gets_no_fence(world: World, state: MailingState) -> None:
    """Pause and cancel are in force at the next fence; nothing more is claimed either."""
    world.join(*PEOPLE)
    world.extend()
    claims = world.claim(limit=2)
    with writing(world.engine) as c:
        mailing.move(c, world.mailing_id, state, world.now, "a test")
    assert world.fence(claims) == set()
    assert world.claim() == []
    sums = world.counts()
    assert (sums.waiting, sums.skipped.get("cancelled", 0)) == ((3, 0) if state == "paused" else (1, 2))


def test_an_outcome_counts_once(world: World) -> None:
    """A settlement that comes twice, or from a worker that no longer has the row, changes nothing."""
    world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    world.fence(claims)
    world.settle(claims)
    world.settle(claims, S.REFUSED)
    world.settle(claims, S.REFUSED, epoch=9)
    assert world.states() == {"ann@one.example": "accepted"}


def test_the_deferred_fall_due(world: World) -> None:
    """A deferred row is claimed again when its time has come, not before, and keeps its count of tries."""
    world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    world.fence(claims)
    world.settle(claims, S.DEFERRED, due_at=world.now.replace(minute=15))
    assert world.claim() == []
    world.later(minutes=15)
    (again,) = world.claim()
    assert again.attempts == 1


def test_the_dead_give_back_what_they_held(world: World) -> None:
    """A dead worker's claimed rows go back; its fenced row is proven by its journal, or uncertain without."""
    world.join(*PEOPLE)
    world.extend()
    claims = world.claim()
    world.fence(claims[:2])
    proven = claims[0]
    proofs = {
        (world.mailing_id, proven.subscriber_id): Proof(
            world.mailing_id, proven.subscriber_id, S.ACCEPTED, "Q1"
        )
    }
    with writing(world.engine) as c:
        recovered = ledger.take_back(c, 1, lambda _: proofs, world.now)
    assert recovered == (1, 1, 1)
    assert sorted(world.states().values()) == ["accepted", "planned", "uncertain"]


def test_a_worker_whose_batches_are_known_is_accounted_for_in_these_alone(world: World) -> None:
    """What it held in them is settled, wherever it is in them; what is elsewhere or another worker's stays."""
    people = world.join(*PEOPLE, "dan@four.example", "eve@five.example")
    world.extend()
    mine, others = world.claim(1, limit=3), world.claim(2)
    world.fence(mine[:1])
    spans = [(world.mailing_id, people[0], people[1]), (world.mailing_id, people[2], people[-1])]
    with writing(world.engine) as c:
        assert ledger.take_back(c, 1, lambda _: {}, world.now, spans[:1]) == (0, 1, 1)
        assert ledger.take_back(c, 1, lambda _: {}, world.now, spans[1:]) == (0, 0, 1)
    states = world.states()
    assert sorted(states[one.address] for one in mine) == ["planned", "planned", "uncertain"]
    assert {states[one.address] for one in others} == {"claimed"}


def test_what_a_worker_held_of_a_cancelled_mailing_is_skipped_in_the_end(world: World) -> None:
    """What it laid back, what was deferred and what it held when it ended: nobody waits for good."""
    world.join(*PEOPLE)
    world.extend()
    claims = world.claim()
    world.fence(claims[:1])
    with writing(world.engine) as c:
        mailing.move(c, world.mailing_id, MailingState.CANCELLED, world.now)
        ledger.cancel(c, world.mailing_id, world.now, max(claim.subscriber_id for claim in claims))
        ledger.give_back(c, 1, claims[1:2])
    world.settle(claims[:1], S.DEFERRED)
    with writing(world.engine) as c:
        ledger.take_back(c, 1, lambda _: {}, world.now)
    assert world.counts().skipped == {"cancelled": 3}
    assert set(world.states().values()) == {"skipped"}


def test_late_proof_ends_doubt(world: World) -> None:
    """A bounce of an uncertain delivery proves that the server had taken it; of any other it changes nothing."""
    (ann,) = world.join("ann@one.example")
    world.extend()
    world.fence(world.claim())
    with writing(world.engine) as c:
        ledger.take_back(c, 1, lambda _: {}, world.now)
        assert ledger.late_proof(c, world.mailing_id, ann, "bounced", world.now)
        assert not ledger.late_proof(c, world.mailing_id, ann, "bounced", world.now)
    assert world.states() == {"ann@one.example": "accepted"}


def test_the_sums_balance_at_every_step(world: World) -> None:
    """Planned = waiting + claimed + sending + accepted + deferred + refused + skipped + uncertain, always."""
    people = world.join(*(f"p{n}@d{n % 3}.example" for n in range(12)))
    world.extend()
    world.leave(people[5])
    claims = world.claim(limit=8)
    granted = sorted(world.fence(claims[:6]))
    for state, claim in zip((S.ACCEPTED, S.REFUSED, S.DEFERRED, S.UNCERTAIN), granted, strict=False):
        world.settle([claim], state)
        sums = world.counts()
        assert sums.planned == 12 == sum(sums.states.values())


def test_every_state_can_be_reached_and_left_as_drawn() -> None:
    """Accepted, refused and skipped are final; from every other state there is a way to a final one."""
    assert {state for state in S if not MOVES[state]} == {S.ACCEPTED, S.REFUSED, S.SKIPPED}
    reached = {S.PLANNED}
    for _ in S:
        reached |= {target for state in reached for target in MOVES[state]}
    assert reached == set(S)


def test_the_first_identity_is_kept(world: World) -> None:
    """A file that names the same number with another slug is refused with both names."""
    from mailer.errors import UserError

    with writing(world.engine) as c, pytest.raises(UserError, match="number 72, slug 'the-issue'"):
        mailing.of_issue(c, "main", 72, "another-slug")


def test_a_group_settles_some_and_fences_others_at_once(world: World) -> None:
    """Outcomes of every kind and the next fences are one call, and each counts only where the row was as it must be."""
    world.join(*(f"p{n}@one.example" for n in range(6)))
    world.extend()
    claims = sorted(world.claim(), key=lambda one: one.subscriber_id)
    world.fence(claims[:3])
    told = [
        Settlement(claims[0], S.ACCEPTED, world.now, reply="250 ok", relay_id="Q1"),
        Settlement(claims[1], S.DEFERRED, world.now, reply="451 later", due_at=NOON.replace(hour=15)),
        Settlement(claims[3], S.REFUSED, world.now, sent=False, reply="550 no"),
        Settlement(claims[4], S.ACCEPTED, world.now, reply="never fenced"),
    ]
    with writing(world.engine) as c:
        granted = ledger.advance(c, 1, told, [claims[4], claims[5]], world.now)
        rows = {row.subscriber_id: row for row in ledger.recipients(c, world.mailing_id)}
    assert granted == {claims[4], claims[5]}
    found = [rows[one.subscriber_id] for one in claims]
    assert [row.state for row in found] == [
        S.ACCEPTED,
        S.DEFERRED,
        S.SENDING,
        S.REFUSED,
        S.SENDING,
        S.SENDING,
    ]
    assert (found[0].relay_id, found[1].due_at.hour, found[3].reply) == ("Q1", 15, "550 no")
    assert [row.attempts for row in found] == [1, 1, 0, 1, 0, 0]


def test_a_fence_whose_answer_was_lost_is_granted_again(world: World) -> None:
    """The body has not left: asked again, the row is granted, unless the mailing was paused in between."""
    world.join("ann@one.example")
    world.extend()
    claims = world.claim()
    assert world.fence(claims) == set(claims)
    with writing(world.engine) as c:
        assert ledger.advance(c, 1, [], claims, world.now, again=True) == set(claims)
        assert ledger.advance(c, 2, [], claims, world.now, again=True) == set()
        mailing.move(c, world.mailing_id, MailingState.PAUSED, world.now, "a test")
        assert ledger.advance(c, 1, [], claims, world.now, again=True) == set()
