"""What is asked for is worked off whatever becomes of the request beside it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from mailer.database import writing
from mailer.web.tables import requests
from tests.web import conftest
from tests.web.conftest import NOW, PUBLIC, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import House


@pytest.fixture
def half(make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> House:
    """Give a newsletter of which only the list `main` has a public_url."""
    line = f'public_url = "{PUBLIC}"\n'
    toml = conftest.TOML.replace(line, "").replace("[lists.main]\n", f"[lists.main]\n{line}")
    monkeypatch.setattr(conftest, "TOML", toml)
    return make_house()


def ask(house: House, key: str, email: str) -> None:
    """Lay a sign-up down as the form does."""
    document = (
        f'{{"email": "{email}", "lists": ["{key}"], "form": ["x", "x"], "network": "203.0.113.0/24", '
        '"agent": "", "language": "en"}'
    )
    with writing(house.ground.database) as connection:
        connection.execute(insert(requests).values(kind="subscribe", document=document, created_at=NOW))


def test_a_request_that_cannot_be_worked_off_holds_up_no_other(half: House, caplog: pytest.LogCaptureFixture):
    """A letter that cannot be written is tried three times and told to the operator; the next one is written."""
    for number in range(5):
        ask(half, "wochenblatt", f"x{number}@example.org")
    ask(half, "main", "ada@example.org")

    async def story() -> None:
        async with visit(half) as browser:
            await browser.worked_off()

    with caplog.at_level(logging.ERROR, "mailer.web"):
        asyncio.run(story())
    assert [letter["to"] for letter in half.letters()] == ["ada@example.org"]
    said = [each.getMessage() for each in caplog.records]
    assert len(said) == 15
    assert all("write public_url" in each and "@" not in each for each in said)


def test_nobody_is_asked_to_join_a_list_whose_letters_could_hold_no_link(half: House):
    """Forms and programs show and take the lists that have a public_url, and say no to the others at once."""

    async def story() -> None:
        async with visit(half) as browser:
            shown = (await browser.get("/subscribe")).text
            assert "The Kiosk Weekly" in shown
            assert "The Kiosk Extra" not in shown
            assert (await browser.get("/subscribe/extra")).status_code == 404
            assert (
                await browser.post("/subscribe", {"email": "a@example.org", "list": "extra"})
            ).status_code == 404
            body = {"email": "ada@example.org", "lists": ["main", "extra"]}
            said = await browser.client.post("/api/v1/subscribe", json=body)
            assert (said.status_code, said.json()["title"]) == (422, "There is no such list")
            del body["lists"]
            assert (await browser.client.post("/api/v1/subscribe", json=body)).status_code == 202
            await browser.worked_off()

    asyncio.run(story())
    assert [letter["to"] for letter in half.letters()] == ["ada@example.org"]


def test_a_newsletter_without_any_pages_has_no_form(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
):
    """Where no list has a public_url there is nothing to sign up for."""
    monkeypatch.setattr(conftest, "TOML", conftest.TOML.replace(f'public_url = "{PUBLIC}"\n', ""))
    house = make_house()

    async def story() -> None:
        async with visit(house) as browser:
            for path in ("/", "/subscribe", "/subscribe/main"):
                assert (await browser.get(path)).status_code == 404
            said = await browser.client.post("/api/v1/subscribe", json={"email": "a@example.org"})
            assert said.status_code == 422

    asyncio.run(story())
