"""The deploy gate: a send waits until the issue's page is there, and asks when it does not come."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from mailer.schedule import page
from mailer.schedule.page import carries, missing
from tests.schedule.conftest import TUESDAY, World

if TYPE_CHECKING:
    from collections.abc import Iterator

TITLE = "Water & wind: \u201cHigh\u201d tide\u2026"
GOOD = "<!doctype html><title>Water &amp; wind: &ldquo;High&rdquo; tide&hellip;</title><h1>x</h1>"


class Site(BaseHTTPRequestHandler):
    """A web site that answers what a test wants."""

    status, body, seen = 200, GOOD, 0

    def do_GET(self) -> None:
        """Answer, or lead in circles."""
        type(self).seen += 1
        if self.path.startswith("/round"):
            self.send_response(302)
            self.send_header("Location", f"/round{self.seen}")
            self.end_headers()
            return
        if self.path == "/moved":
            self.send_response(301)
            self.send_header("Location", "/here")
            self.end_headers()
            return
        self.send_response(self.status)
        self.end_headers()
        octets = self.body.encode()
        if self.path == "/endless":
            for _ in range(400):
                self.wfile.write(b"x" * 10_000)
        self.wfile.write(octets)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def served(status: int = 200, body: str = GOOD) -> Iterator[tuple[str, type[Site]]]:
    """Run the site until the block ends; give its address and its class, which may be changed meanwhile."""
    site = type("OneSite", (Site,), {"status": status, "body": body, "seen": 0})
    server = ThreadingHTTPServer(("127.0.0.1", 0), site)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.mark.parametrize("path", ["/here", "/moved"])
def test_a_page_that_carries_the_title_is_there(path: str):
    """Spaces, case, entities and the shape of quotes do not count; one redirect does not either."""
    with served() as (address, _):
        assert missing(address + path, TITLE) is None


@pytest.mark.parametrize(
    ("status", "body", "path", "said"),
    [
        (404, GOOD, "/here", "answers 404"),
        (503, GOOD, "/here", "answers 503"),
        (200, "<title>Last week's</title>", "/here", "does not carry"),
        (200, "", "/here", "does not carry"),
        (200, GOOD, "/round", "does not answer"),
    ],
)
def test_what_is_missing_is_said(status: int, body: str, path: str, said: str):
    """An error page, another page, an empty one, redirects without end."""
    with served(status, body) as (address, _):
        assert said in (missing(address + path, TITLE) or "")


def test_a_page_without_end_is_read_to_a_limit(monkeypatch):
    """And no further: what stands behind two megabytes does not count."""
    with served() as (address, _):
        assert "does not carry" in (missing(f"{address}/endless", TITLE) or "")


@pytest.mark.parametrize(
    "url", [None, "", "ftp://x.test/y", "http://127.0.0.1:1/", "http://[::1", "no address"]
)
def test_a_page_that_cannot_be_asked_is_missing(url: str | None):
    """No traceback, whatever stands in the issue."""
    assert missing(url, TITLE)


def test_a_title_in_pieces_is_found():
    """Sites put tags into headings."""
    assert carries("<h1>Water <em>no</em> 2</h1>", "Water no 2")
    assert not carries("<h1>anything</h1>", "  ")


def test_a_page_with_a_number_of_no_character_is_read():
    """Of thousands of digits no `int` is made, and the title is found behind it."""
    assert carries(f"<p>&#{'9' * 5_000};</p><h1>Water no 2</h1>", "Water no 2")


def gated(world: World, answer: list[str | None], monkeypatch) -> None:
    """Have a schedule that waits for its page; `answer[0]` is what the page says."""
    monkeypatch.setattr("mailer.schedule.dealing.missing", lambda _url, _title: answer[0])
    world.schedule('wait_for = "canonical"', "wait_hours = 2")
    world.issue(2)


def test_the_send_waits_for_the_page(world: World, monkeypatch):
    """And goes out when it is there, once."""
    answer: list[str | None] = ["it answers 404"]
    gated(world, answer, monkeypatch)
    for minute in range(3):
        world.tick(at=TUESDAY + timedelta(minutes=minute))
    assert (world.mailings(), world.states(), world.heard()) == ([], [("held", "")], ["schedule.held"])
    answer[0] = None
    world.tick(at=TUESDAY + timedelta(minutes=10))
    world.tick()
    assert (world.mailings(), world.states()) == (["2.main"], [("started", "")])


def test_a_page_that_does_not_come_is_a_question(world: World, monkeypatch):
    """After the hours that the schedule grants; "send" then sends without the page."""
    from mailer.database import writing
    from mailer.schedule import questions

    gated(world, ["it answers 404"], monkeypatch)
    world.tick(at=TUESDAY)
    world.tick(at=TUESDAY + timedelta(minutes=119))
    assert world.states() == [("held", "")]
    world.tick(at=TUESDAY + timedelta(hours=2))
    assert (world.mailings(), world.states()) == ([], [("asked", "page")])
    with writing(world.engine) as connection:
        questions.answer(connection, world.rows()[0].id, "send", world.now, "ann")
    world.tick()
    assert world.mailings() == ["2.main"]


def test_an_issue_with_a_date_of_its_own_waits_as_its_lists_schedule_does(world: World, monkeypatch):
    """What holds for the list holds for it."""
    gated(world, ["it answers 404"], monkeypatch)
    world.issue(2, send="2026-11-24 08:00")
    world.tick(at=TUESDAY)
    assert {row.schedule: row.state for row in world.rows()} == {"2.main": "held", "weekly": "empty"}


def test_a_page_that_drips_is_given_up(monkeypatch):
    """Headers that come an octet at a time keep no scheduler waiting: the limit is on the whole of it."""
    monkeypatch.setattr(page, "_SECONDS", 0.5)
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                while not stopped.wait(0.05):
                    connection.sendall(b"H")

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        said = missing(f"http://127.0.0.1:{listener.getsockname()[1]}/", TITLE)
        stopped.set()
        thread.join(10)
    assert "does not answer" in (said or "")
