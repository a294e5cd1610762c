"""What servers say at once is heard by the policy, in the transaction that settles the delivery."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from mailer.database import reading, writing
from mailer.delivery import ledger
from mailer.delivery.blamed import Blamed
from mailer.delivery.model import Claim, Settlement
from mailer.delivery.states import DeliveryState
from mailer.events import events
from mailer.feedback.refusals import ear
from tests.feedback.conftest import KEYS, World

ANN = "ann@reader.example"


def refused(world: World, reply: str, attempts: int = 0) -> None:
    """Let a server refuse Ann while an issue goes out."""
    sent = world.send()
    with reading(world.engine) as connection:
        place = ledger.find(connection, sent, world.person(ANN).id)
    assert place is not None
    claim = Claim(sent, place.subscriber_id, place.edition_id, world.list_id, ANN, "reader.example", attempts)
    settled = Settlement(claim, DeliveryState.REFUSED, world.now, reply=reply)
    with writing(world.engine) as connection:
        ear(KEYS)(connection, [settled])
        ear(KEYS)(connection, [settled])


@pytest.mark.parametrize(
    ("reply", "state", "effect"),
    [
        (f"550 5.1.1 <{ANN}>: Recipient address rejected: User unknown", "unreachable", "lost"),
        ("552 5.2.2 mailbox full", "reachable", "counted"),
        ("550 5.7.1 your address is on our block list", "reachable", "ours"),
        ("451 4.3.0 try again later", "reachable", "counted"),
        ("the line was lost", "reachable", "counted"),
    ],
)
def test_a_refusal_is_a_notice(world: World, reply: str, state: str, effect: str):
    """R01, R03: a dead address is lost at once, our fault is ours; told twice it is one notice."""
    world.join(ANN)
    refused(world, reply)
    assert world.person(ANN).address_state == state
    assert [row["effect"] for row in world.rows()] == [effect]
    assert [row["channel"] for row in world.rows()] == ["smtp"]


def test_a_domain_that_blocks_us_is_rested_by_whoever_sends(world: World):
    """R03: the sending process looks from its beginning on, and sees each blame once."""
    world.join(ANN)
    blamed = Blamed()
    with reading(world.engine) as connection:
        assert blamed.fresh(connection) == []
    refused(world, "550 5.7.1 your address is on our block list")
    refused(world, "550 5.7.1 your address is on our block list")
    with reading(world.engine) as connection:
        assert blamed.fresh(connection) == ["reader.example"]
        assert blamed.fresh(connection) == []


def test_what_cannot_be_heard_undoes_nothing(world: World, monkeypatch: pytest.MonkeyPatch):
    """The settlement stands, whatever the policy stumbles over."""

    def stumbles(*_words: object) -> None:
        raise ValueError("a bug")

    world.join(ANN)
    monkeypatch.setattr("mailer.feedback.refusals._hear", stumbles)
    refused(world, "550 5.1.1 unknown")
    with reading(world.engine) as connection:
        assert connection.execute(select(events.c.id).where(events.c.kind == "reader.bounced")).all() == []
    assert world.rows() == []
