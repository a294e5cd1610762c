"""Old mailings are packed, and nobody sees a difference: every question has its answer, and nobody is mailed again."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select

from mailer.database import reading, writing
from mailer.delivery import audience as planning
from mailer.delivery import ledger, mailing, retention
from mailer.delivery.journal import Proof
from mailer.delivery.ledger import shelving
from mailer.delivery.ledger.packing import BLOCK, FINAL
from mailer.delivery.ledger.sums import number_of_rows
from mailer.delivery.states import MailingState, Skip
from mailer.delivery.tables import deliveries, mailings
from subscribers import audience
from tests.delivery.conftest import NOON, World
from tests.delivery.shelves import DAY, LATER, S, blocks, end, fill, live, sent, shelve

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine


# --- every question has its answer

people = st.sampled_from([1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 7 * BLOCK + 3, 30 * BLOCK])
outcomes = st.tuples(
    st.sampled_from([*FINAL, *FINAL, S.UNCERTAIN]),
    st.sampled_from(["", *Skip]),
    st.sampled_from(["", "Q1", "Q2"]),
    st.integers(0, 50),
)
ledgers = st.dictionaries(st.tuples(st.integers(1, 3), people), outcomes, max_size=14)


def answers(c: Connection) -> dict[str, Any]:
    """Ask everything that anybody asks of the ledger."""
    told: dict[str, Any] = {"went out": c.execute(
        select(mailings.c.id).where(ledger.went_to_anybody(mailings.c.id)).order_by(mailings.c.id)
    ).all()}  # fmt: skip
    everybody = (1, 2, 3, BLOCK - 1, BLOCK, BLOCK + 1, 7 * BLOCK + 3, 30 * BLOCK)
    for number in (1, 2, 3):
        told[f"counts {number}"] = (ledger.counts(c, number), number_of_rows(c, number))
        for state in (None, *S):
            told[f"recipients {number} {state}"] = list(ledger.recipients(c, number, state))
            told[f"page {number} {state}"] = ledger.page(c, number, state, 2, 2)
    for person in everybody:
        told[f"person {person}"] = ledger.delivered(c, person)
        told[f"newest {person}"] = (ledger.newest(c, person), ledger.newest(c, person, S.REFUSED))
        told[f"relay {person}"] = [ledger.by_relay_id(c, relay_id, person) for relay_id in ("Q1", "Q2", "")]
        span = (NOON - timedelta(minutes=40), NOON - timedelta(minutes=3))
        told[f"arrival {person}"] = [ledger.last_arrival(c, person, *span, without) for without in ([], [2])]
        one = literal(person)
        for number in (1, 2, 3):
            told[f"find {number} {person}"] = ledger.find(c, number, person)
            had = ledger.received(select(mailings.c.id).where(mailings.c.number == number), one)
            told[f"had {number} {person}"] = c.execute(select(ledger.has_delivery(number, one), had)).one()
    return told


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(rows=ledgers, some=st.integers(0, 3))
def test_every_answer_is_the_same_before_during_and_after(engine: Engine, rows: Any, some: int) -> None:
    """Sums, rows, pages, a person's deliveries, what segments ask: packing changes no answer, half of it neither."""
    with writing(engine) as c:
        fill(c, rows)
        before, after = answers(c), 0
        for _ in range(some):
            if (step := ledger.shelve(c, 2, NOON + DAY, after)) is None:
                break
            after = step[1]
            assert answers(c) == before
        for number in (1, 2, 3):
            after = 0
            while (step := ledger.shelve(c, number, NOON + DAY, after)) is not None:
                after = step[1]
        left = c.execute(select(deliveries.c.state)).scalars().all()
        assert answers(c) == before
    assert set(left) <= {S.UNCERTAIN}


# --- nobody is mailed twice


def test_nobody_of_a_packed_mailing_is_planned_again(world: World) -> None:
    """Extended to new readers, or to everybody again, a packed mailing goes to those who have no delivery of it."""
    old = sent(world, 3)
    assert shelve(world) == 3
    assert (live(world), blocks(world)) == (0, 1)
    [new] = world.join("new@one.example")
    with reading(world.engine) as c:
        readers = audience(world.list_id, world.now)
        assert planning.count_unplanned(c, readers, world.mailing_id) == 1
        assert planning.drawn(c, planning.unplanned(readers, world.mailing_id), 9, new) == [new]
    with writing(world.engine) as c:
        assert mailing.move(c, world.mailing_id, MailingState.RUNNING, world.now)
    world.extend(first=2)
    world.extend()
    assert [claim.subscriber_id for claim in world.claim()] == [new]
    assert world.counts().planned == len(old) + 1


def test_even_a_plan_that_looked_at_nothing_plans_nobody_twice(world: World) -> None:
    """The guard is in the one statement that makes deliveries, whoever calls it and with whatever readers."""
    sent(world, 3)
    shelve(world)
    with writing(world.engine) as c:
        readers = audience(world.list_id, world.now)
        told = ledger.plan(c, readers, mailing_id=world.mailing_id, edition_id=1, due_at=world.now)
    assert (told, live(world)) == (0, 0)


def test_who_plans_while_a_block_is_packed_waits_and_plans_nobody_twice(world: World) -> None:
    """On a server both happen at once: the plan comes after the packing, and sees it."""
    ids = sent(world, 3)
    planned: list[int] = []

    def plan() -> None:
        with writing(world.engine) as c:
            readers = audience(world.list_id, world.now)
            planned.append(
                ledger.plan(c, readers, mailing_id=world.mailing_id, edition_id=1, due_at=world.now)
            )

    other = threading.Thread(target=plan)
    with writing(world.engine) as c:
        assert ledger.shelve(c, world.mailing_id, LATER, 0) == (3, shelving.SPAN - 1)
        other.start()
        other.join(0.5)
        assert planned == []
    other.join(30)
    assert (planned, live(world)) == ([0], 0)
    with reading(world.engine) as c:
        assert number_of_rows(c, world.mailing_id) == len(ids)


def test_who_packs_while_somebody_plans_waits(world: World) -> None:
    """The other way about: what is packed is what stood there when the plan was committed."""
    sent(world, 2)
    packed: list[object] = []

    def pack() -> None:
        with writing(world.engine) as c:
            packed.append(ledger.shelve(c, world.mailing_id, LATER, 0))

    other = threading.Thread(target=pack)
    world.join("new@one.example")
    with writing(world.engine) as c:
        readers = audience(world.list_id, world.now)
        assert ledger.plan(c, readers, mailing_id=world.mailing_id, edition_id=1, due_at=world.now) == 1
        other.start()
        other.join(0.5)
        assert packed == []
    other.join(30)
    assert (packed, live(world), world.counts().planned) == ([(2, shelving.SPAN - 1)], 1, 3)


def test_a_journal_that_is_replayed_makes_nothing_anew(world: World) -> None:
    """A restored database hears of readers who are packed, and of one it never knew: only that one gets a row."""
    ids = sent(world, 3)
    shelve(world)
    with writing(world.engine) as c:
        before = ledger.counts(c, world.mailing_id)
        stranger = ids[-1] + 1
        told = [(one, state) for one in ids for state in (S.SENDING, S.DEFERRED, S.ACCEPTED)] + [
            (stranger, S.ACCEPTED)
        ]
        for one, state in told:
            proof = Proof(world.mailing_id, one, state, "Q1")
            ledger.replay(c, {(world.mailing_id, one): proof}, world.now)
        assert ledger.counts(c, world.mailing_id).planned == before.planned + 1
        assert ledger.find(c, world.mailing_id, stranger).accepted
    assert live(world) == 1


def test_a_mailing_that_ran_again_is_packed_again(world: World) -> None:
    """New readers of an old issue come into the blocks that are there, and everybody is still in them once."""
    old = sent(world, 2)
    shelve(world)
    with writing(world.engine) as c:
        mailing.move(c, world.mailing_id, MailingState.RUNNING, world.now)
    [new] = world.join("new@one.example")
    world.extend()
    claims = world.claim()
    world.fence(claims)
    world.settle(claims, S.REFUSED)
    end(world)
    before = world.counts()
    assert (shelve(world), live(world), blocks(world)) == (1, 0, 1)
    assert world.counts() == before
    with reading(world.engine) as c:
        states = {row.subscriber_id: row.state for row in ledger.recipients(c, world.mailing_id)}
    assert states == {**dict.fromkeys(old, "accepted"), new: "refused"}


# --- what is packed, and when


@pytest.mark.parametrize("state", [MailingState.RUNNING, MailingState.PAUSED])
def test_what_has_not_ended_is_not_packed(world: World, state: MailingState) -> None:
    """However old it is."""
    sent(world, 2)
    with writing(world.engine) as c:
        mailing.move(c, world.mailing_id, MailingState.RUNNING, world.now)
        mailing.move(c, world.mailing_id, state, world.now)
    assert (shelve(world, world.now + 999 * DAY), live(world)) == (0, 2)
    with writing(world.engine) as c:
        assert ledger.shelve(c, world.mailing_id, LATER, 0) is None


def test_what_ended_lately_is_not_packed(world: World) -> None:
    """Only what ended before the moment; what was cancelled before it, too."""
    sent(world, 2)
    assert (shelve(world, world.now), live(world)) == (0, 2)
    assert (shelve(world, world.now + timedelta(seconds=1)), live(world)) == (2, 0)


def test_doubt_stays_until_a_person_or_a_proof_ends_it(world: World) -> None:
    """Uncertain deliveries are not packed: they can still be resent, skipped or proven; then they are."""
    one, two, three = sent(world, 3, S.UNCERTAIN)
    with writing(world.engine) as c:
        assert ledger.late_proof(c, world.mailing_id, one, "bounced", world.now)
    assert (shelve(world), live(world), world.counts()[S.UNCERTAIN]) == (1, 2, 2)
    with writing(world.engine) as c:
        assert not ledger.late_proof(c, world.mailing_id, one, "again", world.now)
        assert ledger.late_proof(c, world.mailing_id, two, "bounced", world.now)
        assert ledger.skip_uncertain(c, world.mailing_id, world.now) == 1
    assert (shelve(world), live(world), blocks(world)) == (2, 0, 1)
    with reading(world.engine) as c:
        assert [ledger.find(c, world.mailing_id, each).state for each in (one, two, three)] == [
            S.ACCEPTED, S.ACCEPTED, S.SKIPPED,
        ]  # fmt: skip


def broken_off(world: World) -> None:
    """Pack, and die before the commit."""
    with writing(world.engine) as c:
        ledger.shelve(c, world.mailing_id, LATER, 0)
        raise RuntimeError


def test_a_crash_leaves_each_delivery_in_one_place(world: World) -> None:
    """A transaction that breaks off has moved nothing; the next time goes on where the last one stopped."""
    sent(world, 3)
    before = world.counts()
    with pytest.raises(RuntimeError):
        broken_off(world)
    assert (live(world), blocks(world), world.counts()) == (3, 0, before)
    assert (shelve(world), shelve(world)) == (3, 0)


def test_no_more_is_packed_at_a_time_than_is_asked_for(engine: Engine) -> None:
    """A bounded amount, oldest mailing first, with a rest after each transaction; the next time packs the others."""
    with writing(engine) as c:
        fill(
            c, {(number, person): (S.ACCEPTED, "", "Q1", 0) for number in (1, 2) for person in (1, 9 * BLOCK)}
        )
    rests: list[float] = []
    assert retention.pack_old(engine, NOON + DAY, 1, rests.append) == 1
    assert (live(World(engine)), len(rests)) == (3, 1)
    assert retention.pack_old(engine, NOON + DAY, 2, rests.append) == 2
    with reading(engine) as c:
        assert c.execute(select(deliveries.c.mailing_id)).scalars().all() == [2]
    assert retention.pack_old(engine, NOON + DAY, 99, rests.append) == 1
