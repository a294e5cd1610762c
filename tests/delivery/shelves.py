"""Mailings that went out and ended, for the tests of what becomes of them on the shelf."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from mailer.database import reading, writing
from mailer.delivery import mailing, retention
from mailer.delivery.states import DeliveryState, MailingState
from mailer.delivery.tables import deliveries, mailings, packed_deliveries
from tests.delivery.conftest import NOON, World

if TYPE_CHECKING:
    from sqlalchemy import Connection


S = DeliveryState


DAY = timedelta(days=1)


LATER = NOON + 91 * DAY


def end(world: World, state: MailingState = MailingState.FINISHED) -> None:
    """End the mailing."""
    with writing(world.engine) as c:
        assert mailing.move(c, world.mailing_id, state, world.now)


def shelve(world: World, before: Any = None, most: int = 10**9) -> int:
    """Pack what ended long ago."""
    return retention.pack_old(world.engine, before or world.now + DAY, most, rest=lambda _seconds: None)


def sent(world: World, people: int, state: S = S.ACCEPTED) -> list[int]:
    """Let people join, send them the mailing, and end it."""
    ids = world.join(*(f"p{number}@one.example" for number in range(people)))
    world.extend()
    claims = world.claim(limit=people)
    world.fence(claims)
    world.settle(claims, state, relay_id="Q1")
    end(world)
    return ids


def live(world: World) -> int:
    """Count the rows that are not packed."""
    with reading(world.engine) as c:
        return c.execute(select(func.count()).select_from(deliveries)).scalar_one()


def blocks(world: World) -> int:
    """Count the packed blocks."""
    with reading(world.engine) as c:
        return c.execute(select(func.count()).select_from(packed_deliveries)).scalar_one()


def fill(c: Connection, rows: dict[tuple[int, int], tuple[S, str, str, int]]) -> None:
    """Make three mailings that ended, and these deliveries in them."""
    for table in (deliveries, packed_deliveries, mailings):
        c.execute(delete(table))
    for number in (1, 2, 3):
        made = {
            "id": number,
            "name": f"{number}.main",
            "list_key": "main",
            "number": number,
            "slug": f"i{number}",
        }
        made |= {"subject": "x", "state": "finished", "edition_id": 1, "created_at": NOON, "changed_at": NOON}
        c.execute(insert(mailings).values(**made))
    for (mailing_id, person), (state, reason, relay_id, minutes) in rows.items():
        at = NOON - timedelta(minutes=minutes)
        row = {
            "mailing_id": mailing_id,
            "subscriber_id": person,
            "edition_id": 5,
            "list_id": 1,
            "address_id": 9,
        }
        row |= {"address": f"p{person}@one.example", "domain": "one.example", "due_at": at, "at": at}
        row |= {
            "state": state.value,
            "reason": reason if state is S.SKIPPED else "",
            "epoch": 3,
            "attempts": 1,
        }
        c.execute(insert(deliveries).values(**row, reply=f"250 ok {relay_id}", relay_id=relay_id))
