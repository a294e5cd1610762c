from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from mailer.events import events
from mailer.keys import Key, Keys, Purpose
from tests.web.conftest import KEYS, visit

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.web.conftest import House, Visit

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def left(house: House) -> int:
    """Give how many leavings stand in the events."""
    ((count,),) = house.rows(
        select(func.count()).select_from(events).where(events.c.kind == "reader.unsubscribed")
    )
    return int(count)


def told(house: House, story: Callable[..., object]) -> None:
    """Play a story with a reader of two lists and the path of their link."""

    async def play() -> None:
        person = house.reader("ada@example.org", "main", "extra")
        async with visit(house) as browser:
            await story(browser, person.id, f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, person.id)}")  # type: ignore[misc]

    asyncio.run(play())


@pytest.mark.parametrize(
    "sent",
    [
        {"data": ONE_CLICK},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b"", "headers": {"Content-Type": "application/octet-stream"}},
        {"content": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=y"}},
    ],
    ids=["urlencoded", "multipart", "empty", "broken"],
)
def test_one_post_leaves(house: House, sent: dict[str, object]):
    """A POST leaves at once: no cookie, no redirect, no question, in any encoding (U04, U05, U06, U07)."""

    async def story(browser: Visit, reader: int, path: str) -> None:
        said = await browser.client.post(path, **sent)  # type: ignore[arg-type]
        assert said.status_code == 200
        assert "set-cookie" not in said.headers
        assert house.state(reader) == "unsubscribed"
        assert house.state(reader, "extra") == "active"

    told(house, story)


def test_a_hundred_posts_leave_once(house: House):
    """Twice or a hundred times is 200 and one leaving (U10), written down with what it did, in one transaction."""

    async def story(browser: Visit, reader: int, path: str) -> None:
        answers = await asyncio.gather(*(browser.post(path, ONE_CLICK) for _ in range(100)))
        assert {answer.status_code for answer in answers} == {200}
        assert left(house) == 1
        ((row,),) = house.rows(select(events.c.data).where(events.c.kind == "reader.unsubscribed"))
        assert '"one-click"' in row
        assert "ada" not in row

    told(house, story)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
def test_nothing_but_a_post_leaves(house: House, method: str):
    """GET shows the button, HEAD its header alone, and no other method does anything (U09)."""

    async def story(browser: Visit, reader: int, path: str) -> None:
        said = await browser.client.request(method, path)
        assert said.status_code == (200 if method in {"GET", "HEAD"} else 405)
        assert house.state(reader) == "active"
        if method == "GET":
            assert "<button" in said.text
            assert "The Kiosk Weekly" in said.text
            assert "a***@e***.org" in said.text
            assert "ada@example.org" not in said.text
        if method == "HEAD":
            assert said.content == b""

    told(house, story)


def test_a_link_outlives_its_key(house: House):
    """A token does not expire and survives the rotation of keys (U11); it holds no address (U08)."""

    async def story(browser: Visit, reader: int, path: str) -> None:
        old = Keys((Key(0, bytes(range(1, 33))),))  # the older key of the ring
        list_id = KEYS.read_link_token(Purpose.UNSUBSCRIBE, path.rpartition("/")[2])
        assert list_id is not None
        house.clock.pass_(days=2000)
        said = await browser.post(
            f"/unsubscribe/{old.link_token(Purpose.UNSUBSCRIBE, reader, list_id[1])}", ONE_CLICK
        )
        assert said.status_code == 200
        assert house.state(reader) == "unsubscribed"

    told(house, story)


def test_the_page_leads_on_and_back(house: House):
    """After it is done: other lists, a reason, a pause, and for a day the way back."""

    async def story(browser: Visit, reader: int, path: str) -> None:
        page = (await browser.post(path, {**ONE_CLICK, "page": "1"})).text
        assert "You are unsubscribed" in page
        assert "The Kiosk Extra" in page
        assert "Would you tell us why?" in page
        assert "Thank you" in (await browser.post(f"{path}/reason", {"reason": "too-many"})).text
        await browser.post(f"{path}/others", {"list": "extra"})
        assert house.state(reader, "extra") == "unsubscribed"
        assert "Welcome back" in (await browser.post(f"{path}/back")).text
        assert house.state(reader) == "active"
        assert house.state(reader, "extra") == "unsubscribed"
        assert "Welcome back" in (await browser.post(f"{path}/back")).text  # pressed twice
        await browser.post(path, ONE_CLICK)
        assert "Paused" in (await browser.post(f"{path}/pause", {"months": "3"})).text
        assert house.state(reader) == "paused"

    told(house, story)


def test_the_way_back_closes_after_a_day(house: House):
    """After 24 hours only a new sign-up brings somebody back."""

    async def story(browser: Visit, reader: int, path: str) -> None:
        await browser.post(path, ONE_CLICK)
        house.clock.pass_(hours=25)
        assert "mistake" not in (await browser.get(path)).text
        assert "24 hours are over" in (await browser.post(f"{path}/back")).text
        assert house.state(reader) == "unsubscribed"

    told(house, story)


def test_reasons_are_ours(house: House):
    """What a reason may be is a list of ours: nobody writes a neighbour's name into the events."""

    async def story(browser: Visit, _reader: int, path: str) -> None:
        await browser.post(path, ONE_CLICK)
        for reason in ("bob@example.org told me", "too-many", "other"):
            await browser.post(f"{path}/reason", {"reason": reason})
        rows = house.rows(select(events.c.data).where(events.c.kind == "reader.told-why"))
        assert len(rows) == 1
        assert "too-many" in rows[0][0]

    told(house, story)


def test_a_test_mail_unsubscribes_nobody(house: House):
    """Subscriber 0 is nobody: the links of samples answer and act on no one."""

    async def story(browser: Visit, reader: int, _path: str) -> None:
        path = f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, 0)}"
        assert "sample link" in (await browser.get(path)).text
        assert (await browser.post(path, ONE_CLICK)).status_code == 200
        assert left(house) == 0
        assert house.state(reader) == "active"

    told(house, story)


def test_a_list_that_is_gone_can_still_be_left(make_house: Callable[..., House]):
    """A list that mailer.toml names no more has readers who hold its links."""
    house = make_house('\n[lists.old]\nname = "Old"\n')
    person = house.reader("ada@example.org", "old")
    path = f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, person.id, 'old')}"
    lists = {key: one for key, one in house.ground.settings.lists.items() if key != "old"}
    object.__setattr__(house.ground.settings, "lists", lists)

    async def play() -> None:
        async with visit(house) as browser:
            house.site._keys.clear()
            assert (await browser.get(path)).status_code == 200
            assert (await browser.post(path, ONE_CLICK)).status_code == 200
            assert (await browser.post(path, {"page": "1"})).status_code == 200

    asyncio.run(play())
    assert house.state(person.id, "old") == "unsubscribed"
