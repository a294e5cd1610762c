from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from mailer.keys import Purpose
from tests.web.conftest import link_in, visit

if TYPE_CHECKING:
    from tests.web.conftest import House


def settings_of(house: House, reader: int, key: str = "main") -> str:
    return f"/preferences/{house.token(Purpose.PREFERENCES, reader, key)}"


def test_lists_name_and_language(house: House):
    """What is ticked stays, what is not is left, what is new is asked for by mail."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            path = settings_of(house, reader)
            form = {"save": "1", "list": ["main", "extra"], "name": "Ada", "language": "de"}
            page = (await browser.post(path, form)).text
            assert "Gespeichert" in page
            person = house.person(reader)
            assert (person.name, person.language) == ("Ada", "de")
            assert house.state(reader, "extra") is None
            await browser.worked_off()
            await browser.post(link_in(house.letters()[0], "confirm"))
            assert house.state(reader, "extra") == "active"
            await browser.post(path, {"save": "1", "list": "extra"})
            assert (house.state(reader), house.state(reader, "extra")) == ("unsubscribed", "active")
            await browser.post(path, {"save": "1", "list": ["main", "extra"]})
            assert house.state(reader) == "active"  # within a day, without a letter

    asyncio.run(story())


def test_a_post_that_is_not_ours_changes_nothing(house: House):
    """A body without our own field leaves no list: an empty form is not "leave everything"."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            for form in ({}, {"list": ""}, {"save": "0"}):
                await browser.post(settings_of(house, reader), form)

    asyncio.run(story())
    assert house.state(reader) == "active"


def test_a_new_address(house: House):
    """The new address confirms, the old one hears of it and takes it back, within 14 days."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post(f"{settings_of(house, reader)}/address", {"email": "new@example.net"})
            await browser.worked_off()
            asked = house.letters()[-1]
            assert asked["To"] == "new@example.net"
            link = link_in(asked, "move")
            assert "Send your mail to this address?" in (await browser.get(link)).text
            assert house.person(reader).email == "ada@example.org"
            assert "has moved" in (await browser.post(link)).text
            assert "has moved" in (await browser.post(link)).text
            assert house.person(reader).email == "new@example.net"
            told = house.letters()[-1]
            assert told["To"] == "ada@example.org"
            undo = link_in(told, "undo")
            house.clock.pass_(days=13)
            assert "a***@e***.org" in (await browser.get(undo)).text
            assert "Taken back" in (await browser.post(undo)).text
            assert house.person(reader).email == "ada@example.org"

    asyncio.run(story())


def test_a_move_cannot_be_undone_for_ever(house: House):
    """After 14 days the old address has no say."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post(f"{settings_of(house, reader)}/address", {"email": "new@example.net"})
            await browser.worked_off()
            await browser.post(link_in(house.letters()[-1], "move"))
            undo = link_in(house.letters()[-1], "undo")
            house.clock.pass_(days=15)
            assert (await browser.post(undo)).status_code in {404, 410}

    asyncio.run(story())
    assert house.person(reader).email == "new@example.net"


@pytest.mark.parametrize("what", ["data", "erase"])
def test_the_old_mailbox_answers_for_what_cannot_be_taken_back(house: House, what: str):
    """Whoever moved by the link of a forwarded mail gets neither data nor erasure, while that can be undone."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post(f"{settings_of(house, reader)}/address", {"email": "mallory@example.net"})
            await browser.worked_off()
            await browser.post(link_in(house.letters("move")[-1], "move"))
            assert house.person(reader).email == "mallory@example.net"
            for whose in ("ada@example.org", "mallory@example.net"):
                await browser.post(f"{settings_of(house, reader)}/{what}")
                await browser.worked_off()
                assert house.letters(what)[-1]["To"] == whose
                house.clock.pass_(days=14)

    asyncio.run(story())


def test_send_me_my_data_and_erase_me(house: House):
    """Both come by a link that was just sent; the data is a file, and after the erasure nothing is left of them."""
    reader = house.reader(name="Ada").id

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post(f"{settings_of(house, reader)}/data")
            await browser.worked_off()
            link = link_in(house.letters()[-1], "data")
            assert "ada@" not in (await browser.get(link)).text
            said = await browser.post(link)
            assert said.headers["content-disposition"].startswith("attachment")
            assert "ada@example.org" in json.dumps(said.json())
            await browser.post(f"{settings_of(house, reader)}/erase")
            await browser.worked_off()
            link = link_in(house.letters()[-1], "erase")
            assert house.person(reader).email == "ada@example.org"
            assert "is erased" in (await browser.post(link)).text
            assert house.person(reader).email is None
            for path in (
                settings_of(house, reader),
                link,
                f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}",
            ):
                said = await browser.get(path)
                assert said.status_code == 200
                assert "Nothing is left" in said.text
            said = await browser.post(f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}")
            assert said.status_code == 200

    asyncio.run(story())


def test_an_old_confirmation_offers_a_new_one(house: House):
    """A link that is too old sends a new one on a click, within the budgets."""

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post("/subscribe", {"email": "ada@example.org", "list": "main"})
            await browser.worked_off()
            link = link_in(house.letters()[-1], "confirm")
            house.clock.pass_(days=8)
            assert "Send me a new link" in (await browser.get(link)).text
            assert "too old" in (await browser.post(link)).text
            await browser.post(f"{link}/again")
            await browser.worked_off()
            fresh = link_in(house.letters()[-1], "confirm")
            assert "You are subscribed" in (await browser.post(fresh)).text

    asyncio.run(story())


def test_what_was_asked_for_and_is_not_done_is_erased_too(house: House):
    """A request that still waits is shown to its person, and goes with them; a neighbour's stays."""
    import json

    from sqlalchemy import insert, select

    from mailer import privacy
    from mailer.database import reading, writing
    from mailer.web.tables import requests

    reader = house.reader("ada@bücher.example").id
    assert house.person(reader).email == "ada@xn--bcher-kva.example"
    asked = (
        {"email": "Ada@BÜCHER.example"},
        {"subscriber": reader, "list": "main"},
        {"email": "bob@example.org"},
        {"email": "nonsense"},
    )
    with writing(house.ground.database) as connection:
        for each in asked:
            row = {"kind": "manage", "document": json.dumps(each), "created_at": house.clock()}
            connection.execute(insert(requests).values(**row))
    with reading(house.ground.database) as connection:
        assert len(privacy.held(connection, reader)["asked"]) == 2
    with writing(house.ground.database) as connection:
        privacy.erase(connection, reader, now=house.clock(), actor="test")
    left = [json.loads(document)["email"] for (document,) in house.rows(select(requests.c.document))]
    assert left == ["bob@example.org", "nonsense"]
