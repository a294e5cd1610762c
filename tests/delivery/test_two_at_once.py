"""Two who do something to one mailing at the same time, or one after the other has looked: neither undoes the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.database import reading, writing
from mailer.delivery import dispatch, mailing, steering, tripwire
from mailer.delivery.dispatch import Request
from mailer.delivery.states import DeliveryState as S
from mailer.delivery.states import MailingState
from mailer.errors import PersonNeeded
from mailer.issue.provenance import Provenance
from tests.delivery.conftest import NOON, World, edition

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from mailer.delivery.dispatch import Prospect
    from mailer.delivery.mailing import Mailing

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
