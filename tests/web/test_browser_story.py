"""A reader's whole way, in a real browser, with the letters that a real SMTP server received."""

from __future__ import annotations

import os
import shutil
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mailer.database import reading
from subscribers import find
from tests.web.browsing import ARGUMENTS, Served, complaints, follow, served, sideways

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.chromium, pytest.mark.slow]

ARABIC = """msgid ""
msgstr ""
"Language: ar\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

msgid "Unsubscribe from %(list)s?"
msgstr "إلغاء الاشتراك في %(list)s؟"

msgid "Unsubscribe"
msgstr "إلغاء الاشتراك"

msgid "Nothing more of it will be sent to %(address)s."
msgstr "لن يُرسل المزيد إلى %(address)s."

msgid "It takes effect at once."
msgstr "يسري ذلك فورًا."

msgid "Or change what you get, or take a break"
msgstr "أو غيّر ما تتلقاه، أو خذ استراحة"

msgid "Your settings"
msgstr "إعداداتك"
"""
LISTS = """
[lists.nashra]
name = "نشرة الميناء"
brand = "mina"
language = "ar"
templates = "mina"

[brands.mina]
name = "الميناء"
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright."""
    from playwright.sync_api import sync_playwright

    from tests.conftest import found

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found("chromium"), args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def news(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Served]:
    database = tmp_path / "news.db"
    shutil.copy(migrated_sqlite, database)
    locale = tmp_path / "news" / "mina" / "web" / "locale"
    locale.mkdir(parents=True)
    (locale / "ar.po").write_text(ARABIC, encoding="utf-8")
    with served(tmp_path / "news", database, LISTS) as running:
        yield running


class Walk:
    """One page of the browser; every step is looked at: its width, its errors, and by axe-core."""

    def __init__(self, browser: Any, width: int, scheme: str = "light", **more: Any) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 850}, color_scheme=scheme, java_script_enabled=True, **more
        )
        self.page = self.context.new_page()
        self.name = f"{width}-{scheme}"
        self.errors: list[str] = []
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    def look(self, step: str) -> None:
        """Look at the page as it is; MAILER_TEST_PICTURES names a folder for its picture."""
        if folder := os.environ.get("MAILER_TEST_PICTURES"):
            self.page.screenshot(path=str(Path(folder) / f"{step}-{self.name}.png"), full_page=True)
        assert sideways(self.page) == 0, step
        assert complaints(self.page) == [], step

    def go(self, url: str, step: str) -> None:
        self.page.goto(url)
        self.look(step)

    def press(self, button: str, step: str) -> None:
        self.follow(self.page.get_by_role("button", name=button, exact=True), step)

    def follow(self, control: Any, step: str) -> None:
        follow(self.page, control)
        self.look(step)

    def says(self, text: str) -> None:
        assert text in self.page.inner_text("body"), self.page.inner_text("body")

    def close(self) -> None:
        assert [each for each in self.errors if "favicon" not in each] == []
        assert self.context.cookies() == []
        self.context.close()


def signs_up(walk: Walk, news: Served) -> None:
    """Ask for one of two lists, and confirm by the letter."""
    walk.go(f"{news.url}/subscribe?list=main&list=extra", "subscribe")
    walk.page.fill("#email", "ada@example.org")
    walk.page.uncheck("input[value=extra]")
    walk.press("Subscribe", "asked")
    walk.says("Check your mailbox")

    confirm = news.link(news.letter_to("ada@example.org"), "confirm")
    walk.go(confirm, "confirm")
    walk.press("Yes, subscribe me", "confirmed")
    walk.says("You are subscribed")


def changes_settings(walk: Walk) -> str:
    """Give a name and a language, pause and end the pause; give where the settings are."""
    walk.follow(walk.page.get_by_role("link", name="Your settings"), "settings")
    settings = str(walk.page.url)
    walk.page.fill("#name", "Ada Lovelace")
    walk.page.select_option("#language", "en")
    walk.press("Save", "saved")
    walk.says("Saved.")
    walk.follow(walk.page.locator("form[action$='/pause'] button"), "paused")
    walk.says("paused until")
    walk.press("End the pause", "resumed")
    return settings


def moves_and_takes_it_back(walk: Walk, news: Served) -> None:
    """Move to another address by a letter there, and undo it by the letter to the old one."""
    walk.page.fill("#email", "lovelace@example.net")
    walk.press("Send my mail there", "moving")
    walk.go(news.link(news.letter_to("lovelace@example.net"), "move"), "move")
    walk.press("Yes, this is my address", "moved")
    told = next(
        text for number in range(1, 5) if "/undo/" in (text := news.letter_to("ada@example.org", number))
    )
    walk.go(news.link(told, "undo"), "undo")
    walk.press("Yes, take it back", "undone")
    walk.says("Taken back")


def leaves_and_comes_back(walk: Walk, news: Served, token: str) -> None:
    """Leave by the link of an issue, say why, and call it a mistake."""
    walk.go(f"{news.url}/unsubscribe/{token}", "unsubscribe")
    walk.says("a***@e***.org")
    walk.press("Unsubscribe", "unsubscribed")
    walk.says("You are unsubscribed")
    walk.page.check("input[value=other]")
    walk.press("Send", "reason")
    walk.press("That was a mistake: subscribe me again", "back")
    walk.says("Welcome back")


def link_to_leave(news: Served) -> str:
    """Give the token of the link to leave; name and language are what the settings said."""
    from mailer.keys import Purpose
    from subscribers import list_ids

    with reading(news.ground.database) as connection:
        person = find(connection, "ada@example.org")
        assert person is not None
        assert (person.name, person.language) == ("Ada Lovelace", "en")
        return news.ground.keys.link_token(Purpose.UNSUBSCRIBE, person.id, list_ids(connection)["main"])


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1280, "dark")])
def test_a_readers_whole_way(browser: Any, news: Served, width: int, scheme: str):
    """Sign up, confirm, change settings, move, undo it, pause, leave and come back, on a phone and on a desk."""
    walk = Walk(browser, width, scheme)
    signs_up(walk, news)
    settings = changes_settings(walk)
    moves_and_takes_it_back(walk, news)
    leaves_and_comes_back(walk, news, link_to_leave(news))
    walk.go(settings, "settings-again")
    walk.press("Send me my data", "data-asked")
    walk.close()


@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1280, "light")])
def test_the_pages_in_german_and_arabic(browser: Any, news: Served, width: int, scheme: str):
    """A list speaks its language: German from our catalogue, Arabic from the newsletter's own, right to left."""
    from mailer.database import writing
    from mailer.keys import Purpose
    from subscribers import add, list_ids

    with writing(news.ground.database) as connection:
        tokens = {}
        for key in ("wochenblatt", "nashra"):
            person = add(
                connection, email="ada@example.org", list_key=key, now=news.ground.clock(),
                hash_key=news.ground.keys.suppression, basis="test",
            )  # fmt: skip
            tokens[key] = person.id, list_ids(connection)[key]
    walk = Walk(browser, width, scheme, locale="en-GB")
    make = news.ground.keys.link_token
    walk.go(f"{news.url}/subscribe/wochenblatt", "de-subscribe")
    walk.go(f"{news.url}/preferences/{make(Purpose.PREFERENCES, *tokens['wochenblatt'])}", "de-settings")
    walk.says("Ihre Einstellungen")
    walk.go(f"{news.url}/unsubscribe/{make(Purpose.UNSUBSCRIBE, *tokens['nashra'])}", "ar-unsubscribe")
    assert walk.page.get_attribute("html", "dir") == "rtl"
    walk.go(f"{news.url}/preferences/{make(Purpose.PREFERENCES, *tokens['nashra'])}", "ar-settings")
    walk.go(f"{news.url}/unsubscribe/{make(Purpose.UNSUBSCRIBE, *tokens['wochenblatt'])}", "de-unsubscribe")
    walk.press("Abbestellen", "de-unsubscribed")
    walk.go(f"{news.url}/manage", "manage")
    walk.page.fill("#email", "ada@example.org")
    walk.press("Send me the link", "manage-asked")
    later = news.ground.clock() + timedelta(hours=1)
    for purpose in (Purpose.DATA, Purpose.ERASE):
        token = news.ground.keys.timed_token(purpose, tokens["wochenblatt"][0], later)
        walk.go(f"{news.url}/{purpose}/{token}", f"de-{purpose}")
    walk.page.goto(f"{news.url}/nothing")
    walk.look("problem")
    walk.errors.clear()  # the browser complains of the 404 itself
    walk.close()


def test_everything_works_without_scripts(browser: Any, news: Served):
    """With JavaScript switched off the same forms do the same."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{news.url}/subscribe/main")
    page.fill("#email", "bob@example.org")
    follow(page, page.get_by_role("button", name="Subscribe"))
    page.goto(news.link(news.letter_to("bob@example.org"), "confirm"))
    follow(page, page.get_by_role("button"))
    assert "You are subscribed" in page.inner_text("body")
    context.close()


def test_the_sum_is_done_by_the_browser(browser: Any, tmp_path: Path, migrated_sqlite: Path):
    """With proof of work a browser does the sum and has the whole budget; without scripts there is a tenth of it."""
    shutil.copy(migrated_sqlite, tmp_path / "proof.db")
    settings = "\n[web]\nproof_of_work = true\nnetwork_per_hour = 10\n"
    with served(tmp_path / "proof", tmp_path / "proof.db", settings) as news:
        for scripts, said in (
            (True, ["Check your mailbox"] * 3),
            (False, ["Check your mailbox", "Too many at once"]),
        ):
            context = browser.new_context(java_script_enabled=scripts)
            page = context.new_page()
            for number, heading in enumerate(said):
                page.goto(f"{news.url}/subscribe/main")
                page.fill("#email", f"reader{number}@example.org")
                page.get_by_role("button", name="Subscribe").click()
                page.get_by_role("heading", name=heading).wait_for()
            context.close()
