from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING

import httpx
import pytest

from mailer.errors import TryLater, UserError
from mailer.web import app, serve
from mailer.web.writer import Writer
from tests.web.conftest import visit

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.web.conftest import House


def test_served_until_told_to_stop(house: House):
    """Uvicorn answers on the port, ends when it is told to, and the port is free again."""
    from mailer.web.serving import serve as serving

    async def story() -> None:
        stopped = asyncio.Event()
        started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        running = asyncio.create_task(serving(house.ground, stopped, port=0, started=started))
        port = await asyncio.wait_for(started, 60)
        async with httpx.AsyncClient() as client:
            said = await client.get(f"http://127.0.0.1:{port}/healthz")
        assert said.json() == {"status": "ok", "newsletter": str(house.ground.settings.id)}
        assert "server" not in said.headers
        stopped.set()
        await asyncio.wait_for(running, 60)
        socket.create_server(("127.0.0.1", port)).close()

    asyncio.run(story())


def test_a_port_that_is_taken(house: House):
    """Whoever starts it a second time is told so in a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port}.*--port takes another"):
            asyncio.run(serve(house.ground, asyncio.Event(), port=port))


def test_another_server_gets_the_same_application(newsletter: Path, monkeypatch: pytest.MonkeyPatch):
    """`mailer.web:app` makes it for the newsletter around the working folder."""
    monkeypatch.chdir(newsletter)
    made = app()

    async def story() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url="http://x") as client:
            assert (await client.get("/healthz")).status_code == 200

    asyncio.run(story())
    made.state.ground.database.dispose()


def test_below_a_path(house: House):
    """A proxy may take the path of public_url away or leave it; the pages' links work in both cases."""
    from mailer.web.guards import Guards

    guards = Guards(house.app, ["/letters"])

    async def story() -> None:
        async with visit(house) as browser:
            transport = httpx.ASGITransport(guards)
            async with httpx.AsyncClient(transport=transport, base_url="https://example.org") as client:
                for path in ("/letters/manage", "/manage", "/letters/subscribe/main"):
                    said = await client.get(path)
                    assert said.status_code == 200
                assert 'action="../subscribe"' in said.text
            assert (await browser.get("/lettersx/manage")).status_code == 404

    asyncio.run(story())


def test_one_writers_error_is_its_own(house: House):
    """What waits together shares a transaction; what fails is undone alone, and the others are committed."""
    from sqlalchemy import func, insert, select

    from mailer.web.tables import requests
    from tests.web.conftest import NOW

    def good(connection: Connection) -> int:
        connection.execute(insert(requests).values(kind="x", document="{}", created_at=NOW))
        return 7

    def bad(connection: Connection) -> int:
        good(connection)
        raise ZeroDivisionError

    async def story() -> None:
        writer = Writer(house.ground.database)
        works = [writer.do(bad if each % 3 == 0 else good) for each in range(30)]
        outcomes = await asyncio.gather(*works, return_exceptions=True)
        assert [outcome for outcome in outcomes if outcome == 7] == [7] * 20
        assert sum(isinstance(outcome, ZeroDivisionError) for outcome in outcomes) == 10
        await asyncio.to_thread(writer.stop)

    asyncio.run(story())
    ((count,),) = house.rows(select(func.count()).select_from(requests))
    assert count == 20


def test_a_database_that_is_away_is_a_matter_of_time(house: House, monkeypatch: pytest.MonkeyPatch):
    """503 with Retry-After, to people as a page and to programs as a problem; nothing is lost or half done."""

    async def story() -> None:
        async with visit(house) as browser:

            async def away(*_: object) -> None:
                raise TryLater("the database does not answer")

            monkeypatch.setattr(house.site.writer, "do", away)
            said = await browser.post("/subscribe", {"email": "ada@example.org", "list": "main"})
            assert (said.status_code, said.headers["retry-after"]) == (503, "5")
            assert "come back" in said.text
            body = {"email": "ada@example.org", "lists": ["main"]}
            said = await browser.client.post("/api/v1/subscribe", json=body)
            assert said.status_code == 503
            assert said.headers["content-type"] == "application/problem+json"
            monkeypatch.undo()

    asyncio.run(story())
