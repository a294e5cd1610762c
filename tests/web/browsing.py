"""The pages for a real browser: served by uvicorn in a thread, with letters that go out to a real SMTP server."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import threading
import time
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import TYPE_CHECKING, Any

from mailer.database import open_engine, register, writing
from mailer.delivery.ground import Ground
from mailer.delivery.post import Post
from mailer.settings import load_settings
from mailer.smtp.relay import parse_relay
from mailer.web.serving import serve
from tests.loopback.server import LoopbackServer, running
from tests.web.conftest import KEYS, NOW, TOML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)
PATIENCE = 60.0


@dataclass
class Served:
    """A newsletter whose pages answer at `url`, and the mailboxes that its letters reach."""

    url: str
    ground: Ground
    smtp: LoopbackServer

    def letter_to(self, address: str, number: int = 1) -> str:
        """Wait for the n-th letter to an address; give its text."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = [each for each in list(self.smtp.accepted) if each.recipient == address]
            if len(found) >= number:
                body = message_from_bytes(found[number - 1].content, policy=default).get_body(("plain",))  # type: ignore[attr-defined]
                return str(body.get_content())
            time.sleep(0.05)
        raise AssertionError(f"no letter number {number} came to {address}")

    def link(self, text: str, path: str) -> str:
        """Give the link of a letter."""
        match = re.search(rf"{re.escape(self.url)}/{path}/[\w-]+", text)
        assert match is not None, text
        return match[0]


@contextlib.contextmanager
def served(folder: Path, database: Path, toml: str = "") -> Iterator[Served]:
    """Serve a newsletter on a free port of this machine, and send its letters."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    folder.mkdir(exist_ok=True)
    text = TOML.replace("https://letters.example.org", url) + toml
    (folder / "mailer.toml").write_text(text, encoding="utf-8")
    settings = load_settings(folder, {})
    engine = open_engine(f"sqlite:///{database}")
    with writing(engine) as connection:
        register(connection, settings.id, NOW)
    with running() as smtp:
        relay = parse_relay(smtp.url(), "loopback", {})
        ground = Ground(settings, KEYS, engine, (relay,))
        with _in_a_thread(ground, port):
            yield Served(url, ground, smtp)
    engine.dispose()


@contextlib.contextmanager
def _in_a_thread(ground: Ground, port: int) -> Iterator[None]:
    """Run the pages and the post on an event loop of their own."""
    loop = asyncio.new_event_loop()
    stopped = asyncio.Event()
    up = threading.Event()

    async def both() -> None:
        post = Post(ground.database, ground.relays, 1, "localhost", ground.clock)
        started: asyncio.Future[int] = loop.create_future()
        started.add_done_callback(lambda _: up.set())
        posting = asyncio.create_task(post.run())
        await serve(ground, stopped, port=port, started=started)
        post.stop()
        await posting

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(both())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert up.wait(PATIENCE), "the pages did not come up"
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join(PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def follow(page: Any, control: Any) -> None:
    """Click a link or a button, and wait until the page it leads to is loaded: a click ends when its answer begins."""
    with page.expect_navigation():
        control.click()


def sideways(page: Any) -> int:
    """Give by how many pixels a page can be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def complaints(page: Any) -> list[str]:
    """Give what axe-core finds serious about a page (WCAG 2.2, A and AA)."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in {"serious", "critical"} or "wcag2aa" in one["tags"]
        for node in one["nodes"]
    ]


__all__ = ["ARGUMENTS", "Served", "complaints", "served", "sideways"]
