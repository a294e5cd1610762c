"""Two who do something to one mailing at the same time, or one after the other has looked: neither undoes the other."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest

from mailer.database import reading, writing
from mailer.delivery import dispatch, ledger, mailing, steering, tripwire
from mailer.delivery.dispatch import Request, Step
from mailer.delivery.states import DeliveryState as S
from mailer.delivery.states import MailingState
from mailer.errors import PersonNeeded
from mailer.issue.provenance import Provenance
from tests.delivery.conftest import NOON, World, edition

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from mailer.delivery.dispatch import Prospect
    from mailer.delivery.mailing import Mailing
    from mailer.delivery.model import Counts

MAIN = Request("main", "main")
NEW_READERS = Request("main", "main", new_readers=True)
ORIGIN = Provenance(None, committed=False, repository=False)


def state(world: World) -> MailingState:
    """Give the mailing's state."""
    with reading(world.engine) as c:
        return mailing.get(c, world.mailing_id).state


def foreseen(world: World, request: Request) -> Prospect:
    """Look, as a send does before it asks."""
    with reading(world.engine) as c:
        return dispatch.foresee(c, edition(), request, world.list_id, NOON)


def begun(c: Connection, prospect: Prospect, request: Request) -> Mailing:
    """Do what was foreseen."""
    return dispatch.begin(c, prospect, edition(), request, ORIGIN, NOON)


def resent(c: Connection, prospect: Prospect) -> int:
    """Send to the uncertain again."""
    assert prospect.mailing is not None
    return dispatch.decide_uncertain(c, prospect.mailing, "resend", NOON)


def stopped(world: World, word: MailingState) -> None:
    """Let the tripwire pause it, or another person cancel it."""
    with writing(world.engine) as c:
        if word is MailingState.PAUSED:
            tripwire.pause(c, world.mailing_id, NOON, "tripwire: 300 of 400 were refused")
            return
        found = mailing.get(c, world.mailing_id)
    steering.cancel(world.engine, found, NOON, "ann")


@pytest.mark.parametrize("word", [MailingState.PAUSED, MailingState.CANCELLED])
@pytest.mark.parametrize("how", ["extend", "continue", "resend"])
def test_what_is_stopped_while_a_person_is_asked_stays_so(world: World, how: str, word: MailingState) -> None:
    """The person who said yes had not heard of it: they are told, and nobody is added or planned again."""
    world.join("ann@one.example", "bob@two.example", "cid@three.example")
    world.extend()
    claims = world.claim(limit=2)
    world.fence(claims)
    world.settle(claims[:1], S.UNCERTAIN)
    world.settle(claims[1:])
    world.join("new@four.example")
    request = NEW_READERS if how == "extend" else MAIN
    prospect = foreseen(world, request)
    stopped(world, word)
    before = world.counts()
    with pytest.raises(PersonNeeded), writing(world.engine) as c:
        resent(c, prospect) if how == "resend" else begun(c, prospect, request)
    world.plan()
    assert (state(world), world.counts()) == (word, before)


def in_parallel(work: Callable[[], object]) -> Thread:
    """Do it in another process, as it were; give it a moment to come as far as it can."""
    thread = Thread(target=work)
    thread.start()
    thread.join(0.5)
    return thread


def finished(world: World) -> None:
    """Close the mailing if it is over, as a process that ends does."""
    with writing(world.engine) as c:
        dispatch.finish(c, world.mailing_id, NOON)


def everybody_has_it(world: World) -> None:
    """Plan a reader and send to them."""
    world.join("ann@one.example")
    world.extend()
    world.settle(list(world.fence(world.claim())))


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_mailing_that_is_extended_while_another_closes_it_runs_on(world: World) -> None:
    """A process ends, and counts nobody who waits; at that moment another adds new readers: they get it."""
    everybody_has_it(world)
    world.join("new@two.example")
    prospect = foreseen(world, NEW_READERS)
    with writing(world.engine) as c:
        begun(c, prospect, NEW_READERS)
        other = in_parallel(lambda: finished(world))
    other.join()
    world.plan()
    assert state(world) is MailingState.RUNNING
    assert [one.address for one in world.claim()] == ["new@two.example"]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
def test_a_mailing_whose_last_readers_are_planned_while_another_closes_it_runs_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process counts nobody who waits, another plans the last chunk, the first finds nothing left to plan."""
    everybody_has_it(world)
    world.join("new@two.example")
    prospect = foreseen(world, NEW_READERS)
    with writing(world.engine) as c:
        begun(c, prospect, NEW_READERS)
    counts = ledger.counts

    def counted(c: Connection, mailing_id: int) -> Counts:
        monkeypatch.undo()  # the second count is made with the mailing held, and whoever plans would wait for it
        sums = counts(c, mailing_id)
        in_parallel(world.plan).join()
        return sums

    monkeypatch.setattr(ledger, "counts", counted)
    finished(world)
    assert state(world) is MailingState.RUNNING
    assert [one.address for one in world.claim()] == ["new@two.example"]


def test_a_mailing_that_was_closed_too_early_goes_on_when_it_is_sent_again(world: World) -> None:
    """Somebody waits in a mailing that is called finished: the same command takes it up again."""
    world.join("ann@one.example")
    world.extend()
    with writing(world.engine) as c:
        mailing.move(c, world.mailing_id, MailingState.FINISHED, NOON)
    prospect = foreseen(world, MAIN)
    assert prospect.step is Step.CONTINUE
    with writing(world.engine) as c:
        assert begun(c, prospect, MAIN).state is MailingState.RUNNING
    assert len(world.claim()) == 1


def test_of_two_first_sends_of_an_issue_one_opens_it_and_both_send(world: World) -> None:
    """Both looked before it was there: the second finds the mailing of the first, and goes on with it."""
    world.join("ann@one.example")
    other = edition(73, "another")
    with reading(world.engine) as c:
        prospect = dispatch.foresee(c, other, MAIN, world.list_id, NOON)
    assert prospect.step is Step.OPEN
    names: list[str] = []

    def send() -> None:
        with writing(world.engine) as c:
            names.append(dispatch.begin(c, prospect, other, MAIN, ORIGIN, NOON).name)

    with writing(world.engine) as c:
        names.append(dispatch.begin(c, prospect, other, MAIN, ORIGIN, NOON).name)
        second = in_parallel(send)
    second.join()
    assert names == ["73.main", "73.main"]
    with reading(world.engine) as c:
        assert len(mailing.every(c)) == 2
