from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from mailer.keys import Purpose
from mailer.web.pages import question as page
from tests.web.conftest import KEYS, NOW, visit

if TYPE_CHECKING:
    import pytest

    from tests.web.conftest import House


def test_the_operators_question(house: House, monkeypatch: pytest.MonkeyPatch):
    """GET shows two buttons, POST answers with one of two words, anything else is shown again; no token, no page."""
    from mailer.schedule.questions import Question

    said: list[str] = []

    def asked(*, open_: bool, outcome: str = "") -> Question:
        text = ("The program was <not> running.", "Sending reaches 40 readers.")
        times: dict[str, Any] = {"due_utc": NOW, "expires_at": NOW + timedelta(days=1)}
        return Question(
            id=5, open=open_, schedule="weekly", due_local="Tue 08:00", zone="Europe/Berlin", text=text,
            send_label="Send 72 now", skip_label="Skip it", outcome=outcome, **times,
        )  # fmt: skip

    def answer(_connection: object, _id: int, word: str, _now: object, _actor: str) -> Question:
        said.append(word)
        return asked(open_=False, outcome="The answer was: send.")

    monkeypatch.setattr(page.questions, "look", lambda *_: asked(open_=True))
    monkeypatch.setattr(page.questions, "answer", answer)
    path = f"/schedule/{KEYS.link_token(Purpose.ANSWER, 5, 0)}"

    async def story() -> None:
        async with visit(house) as browser:
            shown = (await browser.get(path)).text
            assert "Send 72 now" in shown
            assert "&lt;not&gt;" in shown
            await browser.post(path, {"answer": "delete everything"})
            await browser.post(path)
            assert said == []
            assert "The answer was: send." in (await browser.post(path, {"answer": "send"})).text
            assert said == ["send"]

    asyncio.run(story())


def test_a_question_that_nobody_asked(house: House):
    """A genuine link to a question that is gone is a link that does not work."""

    async def story() -> None:
        async with visit(house) as browser:
            path = f"/schedule/{KEYS.link_token(Purpose.ANSWER, 77, 0)}"
            assert (await browser.get(path)).status_code == 404
            assert (await browser.post(path, {"answer": "send"})).status_code == 404

    asyncio.run(story())
