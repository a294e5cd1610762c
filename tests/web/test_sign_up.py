from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.web.conftest import link_in, visit

if TYPE_CHECKING:
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
