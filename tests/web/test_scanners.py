from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from mailer.events import metadata
from mailer.keys import Purpose
from subscribers import metadata as people
from tests.web.conftest import KEYS, PUBLIC, visit

if TYPE_CHECKING:
    from tests.web.conftest import House

NOT_OURS = {"budgets"}
OF_A_READER = (
    (Purpose.UNSUBSCRIBE, "unsubscribe"),
    (Purpose.PREFERENCES, "preferences"),
    (Purpose.CONFIRM, "confirm"),
    (Purpose.MOVE, "move"),
    (Purpose.ERASE, "erase"),
)


def everything(house: House) -> dict[str, Any]:
    """Give every row of every table."""
    tables = {**metadata.tables, **people.tables}
    return {
        name: [tuple(row) for row in house.rows(select(table))]
        for name, table in tables.items()
        if name not in NOT_OURS
    }


async def links_of_letters(house: House, browser: Any, reader: int) -> list[str]:
    """Let every kind of letter be written, and give all the links of them, and those of an issue."""
    settings = f"/preferences/{house.token(Purpose.PREFERENCES, reader)}"
    await browser.post("/subscribe", {"email": "new@example.org", "list": "main"})
    await browser.post("/manage", {"email": "ada@example.org"})
    await browser.post(f"{settings}/address", {"email": "moved@example.org"})
    await browser.post(f"{settings}/data")
    await browser.post(f"{settings}/erase")
    await browser.worked_off()
    found = {settings, f"/unsubscribe/{house.token(Purpose.UNSUBSCRIBE, reader)}"}
    for letter in house.letters():
        for part in letter.walk():
            if part.get_content_maintype() == "text":
                found |= set(re.findall(rf"{re.escape(PUBLIC)}(/[^\s\"'<>&]+)", part.get_content()))
    return sorted(found)


def test_fetching_every_link_changes_nothing(house: House):
    """A scanner that GETs and HEADs every link of every mail, and every link of those pages, changes no row (U09)."""
    reader = house.reader("ada@example.org", "main", "extra").id

    async def story() -> None:
        async with visit(house) as browser:
            links = await links_of_letters(house, browser, reader)
            kinds = {link.split("/")[1] for link in links}
            assert kinds >= {"confirm", "preferences", "unsubscribe", "move", "data", "erase"}
            before = everything(house)
            seen: set[str] = set()
            todo = list(links)
            while todo:
                link = todo.pop()
                if link in seen or len(seen) > 200:
                    continue
                seen.add(link)
                for method in ("HEAD", "GET", "GET"):
                    said = await browser.client.request(method, link, follow_redirects=True)
                    assert said.status_code < 500
                base = re.sub("[^/]*$", "", link)
                for found in re.findall(r'(?:href|src|action)="([^"#]+)"', said.text):
                    target = str(said.url.join(found)) if "://" not in found else found
                    assert base or target
                    if target.startswith(PUBLIC):
                        todo.append(target.removeprefix(PUBLIC) or "/")
            assert len(seen) > len(links)
            assert everything(house) == before

    asyncio.run(story())


@pytest.mark.chromium
@pytest.mark.slow
def test_running_the_pages_scripts_changes_nothing(tmp_path: Any, migrated_sqlite: Any):
    """A scanner that opens every link in a real browser, scripts running, and waits, changes no row either."""
    import shutil

    from playwright.sync_api import sync_playwright

    from mailer.database import reading, writing
    from subscribers import add, list_ids
    from tests.conftest import found
    from tests.web.browsing import ARGUMENTS, served

    shutil.copy(migrated_sqlite, tmp_path / "scan.db")
    with served(tmp_path / "scan", tmp_path / "scan.db", "\n[web]\nproof_of_work = true\n") as news:
        with writing(news.ground.database) as connection:
            person = add(
                connection, email="ada@example.org", list_key="main", now=news.ground.clock(),
                hash_key=KEYS.suppression, basis="test",
            )  # fmt: skip
            number = list_ids(connection)["main"]
        tables = {**metadata.tables, **people.tables}

        def rows() -> Any:
            with reading(news.ground.database) as connection:
                return {name: connection.execute(select(table)).all() for name, table in tables.items()}

        paths = [f"{path}/{KEYS.link_token(purpose, person.id, number)}" for purpose, path in OF_A_READER]
        before = rows()
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=found("chromium"), args=ARGUMENTS)
            page = chromium.new_page()
            for path in (*paths, "subscribe", "manage", ""):
                page.goto(f"{news.url}/{path}")
                page.mouse.move(100, 100)
                page.wait_for_load_state("networkidle")
            chromium.close()
        assert rows() == before
