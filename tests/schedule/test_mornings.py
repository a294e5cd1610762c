"""Each reader's own morning: one mailing, a wave for each zone, everybody once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select

from mailer.database import reading, writing
from mailer.delivery import ledger
from mailer.delivery.audience import Planner
from mailer.delivery.model import Settlement
from mailer.delivery.segments import plain
from mailer.delivery.states import DeliveryState
from mailer.delivery.tables import deliveries, mailings
from mailer.schedule.beginning import begins_at, waves_of
from mailer.schedule.due import Due
from mailer.schedule.plan import Plan, rule_of
from subscribers import find, set_profile
from tests.schedule.conftest import TUESDAY, World

if TYPE_CHECKING:
    from sqlalchemy import Connection

# One zone for each of 24 hours of the day, and what some lack of it.
ZONES = (
    "Pacific/Kiritimati", "Pacific/Auckland", "Pacific/Noumea", "Australia/Sydney", "Asia/Tokyo", "Asia/Shanghai",
    "Asia/Bangkok", "Asia/Dhaka", "Asia/Kolkata", "Asia/Dubai", "Europe/Moscow", "Africa/Cairo", "Europe/Berlin",
    "Europe/London", "Atlantic/Azores", "Atlantic/South_Georgia", "America/Sao_Paulo", "America/Caracas",
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles", "America/Anchorage",
    "Pacific/Pago_Pago",
)  # fmt: skip
LOCAL = datetime(2026, 11, 24, 8, 0)  # noqa: DTZ001 - what every wall shows
PLAN = Plan("weekly", "main", "Europe/Berlin", rule_of("Tue 08:00", None), local_time=True)
DUE = Due(LOCAL, TUESDAY)


def test_every_zone_has_its_own_morning():
    """Eight on every wall; whoever has no zone has the list's."""
    waves = waves_of(PLAN, DUE)
    assert waves is not None
    for zone in ZONES:
        assert waves.by_zone[zone] == LOCAL.replace(tzinfo=ZoneInfo(zone)), zone
    assert waves.default == TUESDAY
    assert begins_at(PLAN, DUE) < waves.first == waves.by_zone["Pacific/Kiritimati"]


def plan_all(world: World) -> int:
    """Plan the mailing, as the delivery part does; give its id."""
    with reading(world.engine) as connection:
        mailing_id: int = connection.execute(
            select(mailings.c.id).where(mailings.c.name == "2.main")
        ).scalar_one()
    planner = Planner(mailing_id, plain)
    while True:
        with writing(world.engine) as connection:
            if not planner.step(connection, world.now):
                return mailing_id


def send_due(world: World, mailing_id: int) -> list[int]:
    """Send what is due now, as an engine does: claim, fence, settle; give who got it."""
    got: list[int] = []
    while True:
        with writing(world.engine) as connection:
            claims = ledger.claim(connection, mailing_id, 1, world.now, 2_000)
            granted = ledger.fence(connection, 1, claims, world.now)
            ledger.turn_back(connection, 1, [one for one in claims if one not in granted], world.now)
            done = [Settlement(one, DeliveryState.ACCEPTED, world.now, reply="250 ok") for one in granted]
            ledger.settle(connection, 1, done)
        if not claims:
            return got
        got += [one.subscriber_id for one in granted]


def begun(world: World) -> int:
    """Begin the mailing before the first of the world's mornings, and plan it."""
    world.schedule("local_time = true")
    world.issue(2)
    world.tick(at=begins_at(PLAN, DUE))
    assert world.mailings() == ["2.main"]
    return plan_all(world)


def test_it_begins_before_the_first_morning_and_not_earlier(world: World):
    """In time to plan, and once: when the list's own hour comes, nothing is due."""
    world.schedule("local_time = true")
    world.issue(2)
    world.tick(at=begins_at(PLAN, DUE) - timedelta(minutes=1))
    assert world.mailings() == []
    for moment in (begins_at(PLAN, DUE), TUESDAY, TUESDAY + timedelta(hours=2)):
        world.tick(at=moment)
    assert (world.mailings(), world.heard()) == (["2.main"], ["schedule.started"])


def test_a_reader_who_changes_zone_midway_gets_it_once(world: World):
    """Eastwards or westwards: they were planned, and stay so."""
    world.join("kiri@example.com", zone="Pacific/Kiritimati")
    world.join("pago@example.com", zone="Pacific/Pago_Pago")
    mailing_id = begun(world)
    world.now = waves_of(PLAN, DUE).by_zone["Pacific/Kiritimati"]
    first = send_due(world, mailing_id)
    with writing(world.engine) as connection:
        _move(connection, world, "kiri@example.com", "Pacific/Pago_Pago")
        _move(connection, world, "pago@example.com", "Pacific/Kiritimati")
    rest: list[int] = []
    for hour in range(30):
        world.tick(at=world.now + timedelta(hours=hour > 0))
        plan_all(world)
        rest += send_due(world, mailing_id)
    assert len(first) == 1
    assert Counter(first + rest) == dict.fromkeys(range(1, 5), 1)


def _move(connection: Connection, world: World, email: str, zone: str) -> None:
    person = find(connection, email)
    assert person is not None
    set_profile(connection, person.id, world.now, time_zone=zone)


@pytest.mark.parametrize(
    "count", [pytest.param(2_400, id="2,400"), pytest.param(100_000, id="100,000", marks=pytest.mark.slow)]
)
def test_each_reader_is_in_the_right_wave_once(world: World, count: int):
    """Readers over 24 zones: everybody gets it in the hour in which their own clock shows eight, and once."""
    zones = crowd(world, count)
    mailing_id = begun(world)
    waves = waves_of(PLAN, DUE)
    got: Counter[int] = Counter()
    for moment in sorted({*waves.by_zone.values(), waves.default}):
        world.now = moment
        for reader in send_due(world, mailing_id):
            got[reader] += 1
            zone = zones.get(reader)
            expected = LOCAL.replace(tzinfo=ZoneInfo(zone)) if zone else TUESDAY
            assert moment == expected, (reader, zone)
    assert set(got) == {*zones, 1, 2}
    assert set(got.values()) == {1}
    with reading(world.engine) as connection:
        states = set(connection.execute(select(deliveries.c.state)).scalars())
    assert states == {"accepted"}


def crowd(world: World, count: int) -> dict[int, str | None]:
    """Have many readers, every tenth without a zone; give {id: zone}. Made in bulk, as a test may."""
    from subscribers.tables import addresses, subscribers, subscriptions

    zones: dict[int, str | None] = {
        number: None if number % 10 == 0 else ZONES[number % 24] for number in range(100, count + 100)
    }
    stamp = {"created_at": world.now, "updated_at": world.now}
    with writing(world.engine) as connection:
        connection.execute(
            insert(subscribers), [{"id": one, "time_zone": zone, **stamp} for one, zone in zones.items()]
        )
        connection.execute(
            insert(addresses),
            [
                {
                    "subscriber_id": one, "email": f"r{one}@d.example.net", "normalized": f"r{one}@d.example.net",
                    "domain": "d.example.net", "hash": one.to_bytes(16, "big"), "state": "reachable",
                    "changed_at": world.now,
                }
                for one in zones
            ],
        )  # fmt: skip
        joined = {"list_id": 1, "state": "active", "joined_at": world.now, "changed_at": world.now}
        connection.execute(insert(subscriptions), [{"subscriber_id": one, **joined} for one in zones])
    return zones
