from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from mailer.events import events
from mailer.keys import Key, Keys, Purpose
from tests.web.conftest import KEYS, visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.conftest import House

PATHS = {
    Purpose.UNSUBSCRIBE: "unsubscribe",
    Purpose.CONFIRM: "confirm",
    Purpose.PREFERENCES: "preferences",
    Purpose.BROWSER: "view",
    Purpose.MOVE: "move",
    Purpose.UNDO_MOVE: "undo",
    Purpose.DATA: "data",
    Purpose.ERASE: "erase",
    Purpose.ANSWER: "schedule",
}
STRANGE = Keys((Key(1, bytes(32)),))


def forged(purpose: Purpose, good: str, reader: int, list_id: int) -> Iterator[str]:
    """Give what somebody might try who has a good token, or none."""
    yield good[:-1]
    yield good + "A"
    yield good[:4] + ("A" if good[4] != "A" else "B") + good[5:]
    yield good.upper() if good.upper() != good else good.lower()
    yield STRANGE.link_token(purpose, reader, list_id)
    yield KEYS.mail_token(purpose, reader, list_id)
    for other in PATHS:
        if other is not purpose:
            yield KEYS.link_token(other, reader, list_id)
    yield from ("0", "1", "%00", "%0d%0aSet-Cookie:x=1", "..%2f..%2fetc%2fpasswd", "'--", "{{7*7}}", "%ff%fe")
    yield "A" * 5000


@pytest.mark.parametrize("purpose", PATHS, ids=PATHS.get)
def test_no_forged_token_opens_a_page(house: House, purpose: Purpose):
    """Tampered, cut, lengthened, of another purpose or another secret: 404, the same page, and no change (U08)."""
    reader = house.reader().id

    async def story() -> None:
        async with visit(house) as browser:
            good = house.token(purpose, reader)
            ids = KEYS.read_link_token(purpose, good)
            assert ids is not None
            texts = set()
            for token in forged(purpose, good, *ids):
                for said in (
                    await browser.get(f"/{PATHS[purpose]}/{token}"),
                    await browser.post(f"/{PATHS[purpose]}/{token}", {"save": "1", "answer": "send"}),
                ):
                    if purpose is Purpose.BROWSER and said.request.method == "POST":
                        assert said.status_code in {404, 405}  # there is nothing to do
                        continue
                    assert said.status_code == 404, (token, said.status_code)
                    assert token not in said.text or len(token) < 3
                    assert "set-cookie" not in said.headers
                    texts.add(said.text.split("<main>")[1].replace("../", ""))
            assert len(texts) <= 2  # of a link that does not work, and of an address that is none
        ((count,),) = house.rows(select(func.count()).select_from(events))
        assert (count, house.state(reader)) == (0, "active")

    asyncio.run(story())


def test_a_token_of_one_list_leaves_that_list(house: House):
    """A token speaks of one reader and one list, and acts on no other."""
    ada, bob = house.reader("ada@example.org", "main", "extra"), house.reader("bob@example.org", "main")

    async def story() -> None:
        async with visit(house) as browser:
            await browser.post(f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, ada.id, 'extra')}")

    asyncio.run(story())
    assert [house.state(ada.id), house.state(ada.id, "extra"), house.state(bob.id)] == [
        "active",
        "unsubscribed",
        "active",
    ]


def test_other_brands_are_out_of_reach(house: House):
    """A link of one brand neither shows nor changes the lists of another."""
    reader = house.reader("ada@example.org", "main", "wochenblatt")

    async def story() -> None:
        async with visit(house) as browser:
            path = f"/preferences/{house.token(Purpose.PREFERENCES, reader.id)}"
            assert "Wochenblatt" not in (await browser.get(path)).text
            await browser.post(path, {"save": "1", "list": ["extra"]})
            path = f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader.id)}"
            await browser.post(f"{path}/others", {"list": ["wochenblatt"]})

    asyncio.run(story())
    assert house.state(reader.id, "wochenblatt") == "active"


@pytest.mark.parametrize("purpose", [Purpose.DATA, Purpose.ERASE], ids=str)
def test_the_dangerous_links_live_an_hour(house: House, purpose: Purpose):
    """A link to a person's data or erasure is too old after an hour, and says what to do."""
    from datetime import timedelta

    reader = house.reader()
    token = KEYS.timed_token(purpose, reader.id, house.clock() + timedelta(hours=1))

    async def story() -> None:
        async with visit(house) as browser:
            path = f"/{PATHS[purpose]}/{token}"
            assert (await browser.get(path)).status_code == 200
            assert house.person(reader.id).email == "ada@example.org"
            house.clock.pass_(hours=1)
            for said in (await browser.get(path), await browser.post(path)):
                assert said.status_code == 410
                assert "too old" in said.text
            assert house.person(reader.id).email == "ada@example.org"

    asyncio.run(story())
