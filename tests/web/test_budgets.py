from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailer.database import writing
from mailer.keys import Purpose
from mailer.web import budgets
from mailer.web.budgets import Allowance
from tests.web.conftest import NOW, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Engine

    from tests.web.conftest import House

THREE_A_DAY = Allowance(3, 86_400)


def spent(engine: Engine, allowance: Allowance, *seconds: float, subject: bytes = b"x") -> list[bool]:
    """Spend at these moments, in order; give what could be spent."""
    with writing(engine) as connection:
        return [
            budgets.spend(connection, "address", subject, allowance, NOW + timedelta(seconds=each))
            for each in seconds
        ]


def test_a_budget_is_spent_and_comes_back(engine: Engine):
    """Three a day: three at once, then one every eight hours, however often one asks; midnight gives nothing."""
    assert spent(engine, THREE_A_DAY, 0, 0, 0, 0, 1, 28_799) == [True, True, True, False, False, False]
    assert spent(engine, THREE_A_DAY, 28_801, 28_802, 57_601) == [True, False, True]
    assert spent(engine, THREE_A_DAY, 0, subject=b"y") == [True]
    with writing(engine) as connection:
        assert budgets.full(connection, "address", THREE_A_DAY, NOW + timedelta(seconds=57_602)) == 1
        assert budgets.forget(connection, NOW + timedelta(days=3)) == 2


@settings(max_examples=30)
@given(st.integers(1, 20), st.lists(st.floats(0, 5000), min_size=1, max_size=60))
def test_no_window_holds_more_than_twice_the_budget(count: int, moments: list[float]):
    """Whenever somebody asks: over any window at most the whole budget, and what of it came back meanwhile."""
    from mailer.database import open_engine
    from mailer.web.tables import budgets as table

    engine = open_engine("sqlite:///:memory:")
    with engine.begin() as connection:
        table.create(connection)
        allowance = Allowance(count, 1000)
        taken = [
            moment
            for moment in sorted(moments)
            if budgets.spend(connection, "x", b"x", allowance, NOW + timedelta(seconds=moment))
        ]
    engine.dispose()
    for first in taken:
        within = [moment for moment in taken if first <= moment < first + 1000]
        assert len(within) <= 2 * count


@pytest.mark.slow
def test_a_thousand_sign_ups_of_one_address_make_three_letters(house: House):
    """From 500 networks, all answered alike; the mailbox gets what its budget says and no more."""

    async def story() -> None:
        async with visit(house) as browser:
            for number in range(1000):
                house.clock.pass_(
                    minutes=16 if number % 200 == 0 else 0
                )  # a new request, not the same one again
                headers = {"X-Forwarded-For": f"10.{number % 500 // 250}.{number % 250}.9"}
                browser.client._transport.client = ("127.0.0.1", 1)  # type: ignore[attr-defined]
                said = await browser.post(
                    "/subscribe", {"email": "ada@example.org", "list": "main"}, headers=headers
                )
                assert said.status_code == 200
                if number % 100 == 99:
                    await browser.worked_off()
            await browser.worked_off()

    asyncio.run(story())
    assert 1 <= len(house.letters()) <= 3


@pytest.mark.slow
def test_a_flood_from_one_network_is_refused_and_one_click_passes(house: House):
    """10,000 sign-ups of one network: 30 are taken, the others told to wait; leaving is never limited (U12)."""
    readers = [house.reader(f"reader{number}@example.org").id for number in range(20)]

    async def story() -> None:
        async with visit(house, "209.85.128.7") as browser:
            codes: dict[int, int] = {}
            for start in range(0, 10_000, 500):
                works = [
                    browser.post("/subscribe", {"email": f"x{start + each}@example.org", "list": "main"})
                    for each in range(500)
                ]
                for said in await asyncio.gather(*works):
                    codes[said.status_code] = codes.get(said.status_code, 0) + 1
                one = f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, readers[start // 500])}"
                assert (await browser.post(one, {"List-Unsubscribe": "One-Click"})).status_code == 200
            assert codes == {200: 30, 429: 9970}
            assert int(said.headers["retry-after"]) > 0
            assert "Too many at once" in said.text
            await browser.worked_off()

    asyncio.run(story())
    assert len(house.letters()) == 30
    assert {house.state(each) for each in readers} == {"unsubscribed"}


def test_neighbours_of_a_flood_are_served(house: House):
    """A network's budget is its own: another /24 signs up as ever."""

    async def story() -> None:
        async with visit(house, "192.0.2.1") as flood, visit(house, "198.51.100.1") as other:
            for each in range(40):
                await flood.post("/subscribe", {"email": f"x{each}@example.org", "list": "main"})
            said = await flood.post("/subscribe", {"email": "y@example.org", "list": "main"})
            assert said.status_code == 429
            said = await other.post("/subscribe", {"email": "y@example.org", "list": "main"})
            assert said.status_code == 200

    asyncio.run(story())


def test_the_whole_budget_lets_letters_wait(make_house: Callable[..., House]):
    """When all letters of the hour are spent, the visitor hears nothing of it, and the letter comes later."""
    house = make_house("\n[web]\nall_per_hour = 2\n")

    async def story() -> None:
        async with visit(house) as browser:
            for each in range(4):
                said = await browser.post("/subscribe", {"email": f"x{each}@example.org", "list": "main"})
                assert said.status_code == 200
            await asyncio.sleep(0.5)
            assert len(house.letters()) == 2
            house.clock.pass_(hours=1)
            await browser.worked_off()
            assert len(house.letters()) == 4

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["manage", "data", "erase"])
def test_no_form_can_flood_a_mailbox(house: House, kind: str):
    """Every form that ends in a letter shares the address's budget."""
    reader = house.reader()

    async def story() -> None:
        async with visit(house) as browser:
            settings = f"/preferences/{house.token(Purpose.PREFERENCES, reader.id)}"
            path = "/manage" if kind == "manage" else f"{settings}/{kind}"
            for _ in range(12):
                house.clock.pass_(minutes=61)
                assert (await browser.post(path, {"email": "ada@example.org"})).status_code == 200
            await browser.worked_off()

    asyncio.run(story())
    assert 1 <= len(house.letters()) <= 4  # three, and what came back within twelve hours
