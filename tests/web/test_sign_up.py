from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from mailer.keys import Purpose
from tests.web.conftest import link_in, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import House


def test_sign_up_confirm_and_be_a_reader(house: House):
    """The form, the letter, the button: then, and not before, somebody is a reader."""

    async def story() -> None:
        async with visit(house) as browser:
            assert (await browser.get("/subscribe")).status_code == 200
            said = await browser.post("/subscribe", {"email": "ada@example.org", "list": "main"})
            assert said.status_code == 200
            await browser.worked_off()
            (letter,) = house.letters()
            link = link_in(letter, "confirm")
            for _ in range(3):
                assert "Yes, subscribe me" in (await browser.get(link)).text
            assert house.state(1) == "pending"
            assert "You are subscribed" in (await browser.post(link)).text
            assert house.state(1) == "active"
            assert "You are subscribed" in (await browser.get(link)).text
            assert "You are subscribed" in (await browser.post(link)).text

    asyncio.run(story())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_same_on_both_databases(
    make_house: Callable[..., House], empty_database: Callable[[str], str], kind: str
):
    """Sign up, confirm, leave, come back and be refused for a flood: SQLite and PostgreSQL alike."""
    from mailer.database import open_engine, upgrade

    url = empty_database(kind)
    upgraded = open_engine(url)
    upgrade(upgraded)
    upgraded.dispose()
    house = make_house(url=url)

    async def story() -> None:
        async with visit(house) as browser:
            works = [
                browser.post("/subscribe", {"email": f"x{each}@example.org", "list": "main"})
                for each in range(40)
            ]
            codes = [said.status_code for said in await asyncio.gather(*works)]
            assert sorted(codes) == [200] * 30 + [429] * 10
            await browser.worked_off()
            assert len(house.letters()) == 30
            links = [link_in(letter, "confirm") for letter in house.letters()]
            assert {said.status_code for said in await asyncio.gather(*map(browser.post, links))} == {200}
            leave = [f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, each)}" for each in range(1, 31)]
            assert {said.status_code for said in await asyncio.gather(*map(browser.post, leave))} == {200}
            assert {house.state(each) for each in range(1, 31)} == {"unsubscribed"}
            assert "Welcome back" in (await browser.post(f"{leave[0]}/back")).text

    asyncio.run(story())


def test_nothing_of_the_visitor_stands_in_the_letter(house: House):
    """A name that is an advertisement, a language that is none: the letter holds neither."""

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post(
                "/subscribe",
                {
                    "email": "ada@example.org",
                    "list": "main",
                    "name": "Win at casino.example",
                    "form": "casino.example",
                },
                headers={"User-Agent": "casino.example", "Accept-Language": "casino"},
            )
            await browser.worked_off()

    asyncio.run(story())
    (letter,) = house.letters()
    assert "casino" not in letter.as_string()
    assert all(
        "casino" not in str(part.get_content())
        for part in letter.walk()
        if part.get_content_maintype() == "text"
    )
