"""The preview's page in a real browser."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from mailer.edition import Masthead
from mailer.edition.guard import Compiler
from mailer.errors import Problem
from mailer.keys import Key, Keys
from mailer.message import Sender
from mailer.message.eml import NOBODY
from mailer.preview.desk import Desk
from mailer.preview.server import PreviewServer
from mailer.preview.shown import Setting, Shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.chromium

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
ISSUE = (
    "---\ntitle: Kiosk 72\ndescription: In short\n---\n\nFirst words, {{ subscriber.name }}.\n\n"
    + "A paragraph.\n\n" * 60
)
SENDER = Sender(
    from_name="The Kiosk",
    from_address="news@example.org",
    list_key="main",
    list_name="The Kiosk",
    list_id="main.example.org",
    public_url="https://newsletter.invalid",
    feedback_id="kiosk",
    message_domain="example.org",
)


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
def desk(tmp_path: Path) -> Iterator[Desk]:
    file = tmp_path / "72.md"
    file.write_text(ISSUE, encoding="utf-8")
    setting = Setting(Masthead(list_name="The Kiosk"), SENDER, Keys((Key(0, bytes(32)),)), NOBODY)
    stop = threading.Event()
    with Compiler(seconds=30) as compiler:
        made = Desk(file, lambda: setting, compiler)
        watching = threading.Thread(target=made.watch, args=(stop, 0.05))
        watching.start()
        yield made
        stop.set()
        watching.join(30)


@pytest.fixture
def url(desk: Desk) -> Iterator[str]:
    with PreviewServer(desk) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.url
        server.shutdown()


def opened(browser: Any, url: str, width: int) -> tuple[Any, list[str]]:
    """Give the page once it shows the mail, and the errors it complains about."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    page.goto(url)
    page.wait_for_selector("body[data-version='1']")
    page.frame_locator(".phone iframe").get_by_text("First words").wait_for()
    return page, errors


@pytest.mark.parametrize("width", [375, 1400])
def test_page_fits_and_works(browser: Any, url: str, width: int):
    """Both frames show the mail, nothing scrolls sideways, and no policy of ours stops our own page."""
    page, errors = opened(browser, url, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    phone = page.locator(".phone iframe").bounding_box()
    assert phone is not None
    assert phone["width"] == 375
    assert page.inner_text("#subject") == "Kiosk 72"
    assert not errors
    page.close()


def test_tabs_show_text_message_and_findings(browser: Any, url: str):
    """One click shows each of the four."""
    page, _ = opened(browser, url, 1400)
    page.click("[data-tab=text]")
    assert page.inner_text("#text").startswith("Kiosk 72\n========")
    assert not page.is_visible("#frames")
    page.click("[data-tab=message]")
    assert page.inner_text("#message").startswith("From: The Kiosk <news@example.org>")
    page.click("[data-tab=found]")
    assert page.is_visible("[data-panel=found]")
    page.close()


def until(page: Any, true: str) -> None:
    """Wait until an expression is true. The browser's own waiting needs eval, which the page forbids."""
    end = time.monotonic() + 30  # against hanging alone
    while not page.evaluate(true):
        assert time.monotonic() < end, true
        page.wait_for_timeout(20)


def test_dark_is_a_click_away(browser: Any, url: str):
    """The frames turn dark and light without the browser's own preference."""
    page, _ = opened(browser, url, 1400)
    mail = "document.querySelector('.phone iframe').contentDocument"  # of which nothing may be there while it loads
    scheme = f"{mail}?.querySelector('meta[name=color-scheme]')?.content"
    ground = f"{mail}?.body && getComputedStyle({mail}.body).colorScheme"
    until(page, f"{scheme} === 'light'")
    page.click("#dark")
    until(page, f"{scheme} === 'dark'")
    until(page, f"({ground}) === 'dark'")
    page.close()


def test_page_follows_the_file(browser: Any, url: str, desk: Desk):
    """A change shows by itself, at the place where the author was; an error shows over the last mail."""
    page, _ = opened(browser, url, 1400)
    place = "document.querySelector('.phone iframe').contentWindow.scrollY"
    page.evaluate("document.querySelector('.phone iframe').contentWindow.scrollTo(0, 600)")
    desk.path.write_text(ISSUE.replace("First words", "Other words"), encoding="utf-8")
    page.frame_locator(".phone iframe").get_by_text("Other words").wait_for(state="attached")
    until(page, f"{place} === 600")
    desk.path.write_text("---\ntitle: [\n---\n", encoding="utf-8")
    page.wait_for_selector("#problems:not([hidden])")
    assert "72.md" in page.inner_text("#problems")
    page.frame_locator(".phone iframe").get_by_text("Other words").wait_for(state="attached")
    page.close()


def test_file_that_never_compiled_shows_why(browser: Any, url: str, desk: Desk):
    """Without any mail there are no empty frames, only the reason."""
    page, _ = opened(browser, url, 1400)
    desk._shown = replace(
        Shown(problems=(Problem("nothing compiles", "72.md", 3),)), version=desk.shown.version
    )
    page.reload()
    page.wait_for_selector("#problems:not([hidden])")
    assert page.inner_text("#problems").split("\n") == [
        "There is no mail to show:",
        "nothing compiles",
        "72.md:3",
    ]
    assert not page.is_visible("#frames")
    page.close()


def test_mail_runs_no_script(browser: Any, url: str, desk: Desk):
    """Even a script that got past every sanitiser stays still."""
    page, _ = opened(browser, url, 1400)
    desk._shown = replace(
        desk.shown,
        html="<html><head></head><body><p id=p>still</p><img src=x onerror=\"p.textContent='ran'\">"
        "<script>p.textContent='ran'; parent.document.title='ran'</script></body></html>",
    )
    page.click("#dark")
    page.frame_locator(".phone iframe").get_by_text("still").wait_for()
    assert page.frame_locator(".phone iframe").get_by_text("ran").count() == 0
    assert page.title() != "ran"
    page.close()
