"""The page behind the letter's link: two buttons, and what became of the answer."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from mailer.keys import Purpose
from mailer.web import create_app
from tests.schedule.conftest import TUESDAY, World

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def page(world: World) -> Callable[..., httpx.Response]:
    """The page of the one open question; called with an answer it presses a button."""
    world.issue(2)
    world.tick(at=TUESDAY + timedelta(days=3))
    ground = world.ground()
    token = ground.keys.link_token(Purpose.ANSWER, world.rows()[0].id, 0)

    async def ask(word: str | None, token: str) -> httpx.Response:
        app = create_app(ground)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="https://news.slackwater.test") as client,
        ):
            if word is None:
                return await client.get(f"/schedule/{token}")
            return await client.post(f"/schedule/{token}", data={"answer": word})

    return lambda word=None, other=token: asyncio.run(ask(word, other))


def test_opening_the_page_answers_nothing(world: World, page: Callable[..., httpx.Response]):
    """Mail scanners open every link; the buttons are forms."""
    for _ in range(2):
        shown = page()
    assert shown.status_code == 200
    assert "issues/002.md" in shown.text
    assert shown.text.count("<form") + shown.text.count("<button") >= 2
    assert world.states() == [("asked", "late")]


def test_the_button_send_sends(world: World, page: Callable[..., httpx.Response]):
    """At the scheduler's next look, once; a second press is told what came of the first."""
    assert page("send").status_code == 200
    world.tick()
    assert world.mailings() == ["2.main"]
    assert "It was sent." in page("skip").text


def test_the_button_skip_skips(world: World, page: Callable[..., httpx.Response]):
    """Nobody is mailed."""
    assert "skip" in page("skip").text
    world.tick()
    assert (world.mailings(), world.states()) == ([], [("skipped", "person")])


def test_what_is_no_answer_answers_nothing(world: World, page: Callable[..., httpx.Response]):
    """Another word, and another's token."""
    page("perhaps")
    forged = world.ground().keys.link_token(Purpose.CONFIRM, world.rows()[0].id, 0)
    assert page("send", forged).status_code in {404, 410}
    assert world.states() == [("asked", "late")]
