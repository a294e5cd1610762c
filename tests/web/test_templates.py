from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from mailer.errors import UserError
from tests.web.conftest import visit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.web.conftest import House


def written(tmp_path: Path, name: str, text: str) -> None:
    """Write a file into the folder of templates that the next newsletter will have."""
    file = tmp_path / "letters0" / "own" / "web" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


OWN = '\n[lists.mine]\nname = "Mine"\ntemplates = "own"\n'


def test_a_newsletters_own_template_wins(make_house: Callable[..., House], tmp_path: Path):
    """File by file, for its own lists alone; what is shown in it is escaped."""
    written(
        tmp_path,
        "manage.html.j2",
        "{% extends 'base.html.j2' %}{% block content %}<h1>Ours</h1>{% endblock %}",
    )
    written(tmp_path, "base.html.j2", "<main>{{ site_name }} <b>{% block content %}{% endblock %}</b></main>")
    house = make_house(OWN.replace("Mine", "Mine & Yours"))

    async def story() -> None:
        async with visit(house) as browser:
            said = (await browser.get("/subscribe/mine")).text
            assert said.startswith("<main>Mine &amp; Yours <b>")
            assert "<html" in (await browser.get("/subscribe/main")).text

    asyncio.run(story())


@pytest.mark.parametrize(
    ("name", "text", "place"),
    [
        ("manage.html.j2", "<p>\n{% if %}", r"manage\.html\.j2:2"),
        ("locale/fr.po", "nonsense\n", r"fr\.po"),
    ],
)
def test_a_mistake_is_told_before_anything_is_served(
    make_house: Callable[..., House], tmp_path: Path, name: str, text: str, place: str
):
    """With file and line, when the pages are started: no reader is the first to see it."""
    written(tmp_path, name, text)
    with pytest.raises(UserError, match=place):
        make_house(OWN)


def test_a_template_that_falls_over_is_a_plain_500(make_house: Callable[..., House], tmp_path: Path):
    """Not even the page that says so can be made then: a line of text is."""
    written(tmp_path, "base.html.j2", "{{ 1 // 0 }}")
    written(tmp_path, "problem.html.j2", "{{ 1 // 0 }}")
    house = make_house('\n[lists.bad]\ntemplates = "own"\n')
    lists = {"bad": house.ground.settings.lists["bad"]}
    object.__setattr__(house.ground.settings, "lists", lists)

    async def story() -> None:
        async with visit(house) as browser:
            said = await browser.get("/manage")
            assert (said.status_code, said.text) == (500, "Internal Server Error")

    asyncio.run(story())
