"""Local-time waves: each reader is due by their own zone, once, whoever plans and whatever they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from mailer.database import reading, writing
from mailer.delivery import mailing
from mailer.delivery.audience import Planner
from mailer.delivery.segments import plain
from mailer.delivery.tables import deliveries
from mailer.delivery.waves import Waves
from subscribers import add, audience, metadata
from tests.delivery.conftest import HASH_KEY, NOON

if TYPE_CHECKING:
    from tests.delivery.conftest import World

ZONES = ["Pacific/Kiritimati", "Asia/Tokyo", "Europe/Berlin", "America/New_York", "Pacific/Pago_Pago"]
MORNING = datetime(2026, 7, 16, 8, 0)  # noqa: DTZ001 - on everybody's own clock
BY_ZONE = {zone: MORNING.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) for zone in ZONES}
WAVES = Waves(BY_ZONE, BY_ZONE["Europe/Berlin"])

instants = st.datetimes(
    NOON.replace(tzinfo=None),
    NOON.replace(tzinfo=None, year=2030),
    timezones=st.sampled_from(ZONES).map(ZoneInfo),
)


def join(world: World, zones: list[str | None]) -> list[int]:
    """Let people of these zones join."""
    with writing(world.engine) as c:
        return [
            add(
                c,
                email=f"p{number}@one.example",
                list_key="main",
                now=world.now,
                hash_key=HASH_KEY,
                basis="test",
                time_zone=zone,
            ).id
            for number, zone in enumerate(zones)
        ]


def due(world: World) -> dict[int, datetime]:
    """Give when each reader is due."""
    with reading(world.engine) as c:
        return {row[0]: row[1] for row in c.execute(select(deliveries.c.subscriber_id, deliveries.c.due_at))}


def test_each_reader_is_due_on_their_own_morning(world: World) -> None:
    """By their zone; who has none, or one that is not named, follows the list's."""
    people = join(world, [*ZONES, None, "Asia/Kolkata"])
    world.extend(waves=WAVES)
    wanted = [*(BY_ZONE[zone] for zone in ZONES), WAVES.default, WAVES.default]
    assert due(world) == dict(zip(people, wanted, strict=True))


def test_nobody_is_claimed_before_they_are_due(world: World) -> None:
    """Wave by wave, the first of them before the list's own hour; each reader once."""
    people = dict(zip(join(world, [*ZONES, None]), [*ZONES, "Europe/Berlin"], strict=True))
    world.extend(waves=WAVES)
    world.now = WAVES.first - timedelta(seconds=1)
    assert world.claim() == []
    seen: list[int] = []
    for at in sorted({*BY_ZONE.values()}):
        world.now = at
        wave = [one.subscriber_id for one in world.claim()]
        assert {people[one] for one in wave} == {zone for zone in ZONES if BY_ZONE[zone] == at}
        seen += wave
    assert sorted(seen) == sorted(people)
    assert WAVES.first == BY_ZONE["Pacific/Kiritimati"] < WAVES.default < WAVES.last == BY_ZONE[ZONES[-1]]


def test_who_changes_zone_midway_gets_it_once(world: World) -> None:
    """They keep the hour that they were planned for; planning again, or an extension, adds nothing."""
    [person] = join(world, ["Asia/Tokyo"])
    world.extend(waves=WAVES)
    with writing(world.engine) as c:
        subscribers = metadata.tables["subscribers"]
        c.execute(update(subscribers).values(time_zone="Pacific/Pago_Pago"))
    world.extend(waves=WAVES)
    assert due(world) == {person: BY_ZONE["Asia/Tokyo"]}


def test_an_hour_that_has_passed_is_now(world: World) -> None:
    """A mailing that begins late sends to the zones it has missed at once, and to the others in their time."""
    join(world, ["Asia/Tokyo", "America/New_York"])
    world.now = BY_ZONE["Asia/Tokyo"] + timedelta(hours=2)
    world.extend(waves=WAVES)
    assert sorted(due(world).values()) == [world.now, BY_ZONE["America/New_York"]]


def test_a_restart_plans_the_rest_in_the_same_waves(world: World) -> None:
    """What one process planned and what the next one plans follow the same instants."""
    people = join(world, ["Asia/Tokyo", "America/New_York"] * 20)
    with writing(world.engine) as c:
        readers = audience(world.list_id, world.now)
        mailing.extend(c, world.mailing_id, readers, list_id=world.list_id, now=world.now, waves=WAVES)
        Planner(world.mailing_id, plain, width=people[10]).step(c, world.now)
    assert 0 < len(due(world)) < 40
    world.plan()
    assert due(world) == {
        person: BY_ZONE["America/New_York" if number % 2 else "Asia/Tokyo"]
        for number, person in enumerate(people)
    }


def test_the_first_few_keep_their_waves_too(world: World) -> None:
    """A random few, drawn, are due by their zones as the rest are."""
    join(world, ["Asia/Tokyo"] * 5)
    world.extend(waves=WAVES, first=2)
    assert list(due(world).values()) == [BY_ZONE["Asia/Tokyo"]] * 2


def test_without_waves_all_are_due_at_once(world: World) -> None:
    """As ever."""
    join(world, ["Asia/Tokyo", None])
    world.extend()
    assert set(due(world).values()) == {NOON}


@given(st.dictionaries(st.sampled_from(ZONES), instants, max_size=5), instants)
def test_waves_are_kept_as_they_are(by_zone: dict[str, datetime], default: datetime) -> None:
    """What is written with the audience is read back: the same instants for the same zones."""
    assert Waves.from_json(Waves(by_zone, default).to_json()) == Waves(by_zone, default)
