"""Receivers of hooks: a real HTTP server that answers as it is told, and misbehaves as receivers do."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Receiver:
    """What it was told, and what it does: a status, or `hang`, `huge`, `garbage`, `redirect`, `drip`."""

    url: str = ""
    acts: list[object] = field(default_factory=list)
    always: object = 200
    always_get: object = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    visited: list[str] = field(default_factory=list)
    first: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    @property
    def told(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.got]


class Handler(BaseHTTPRequestHandler):
    """Does what its receiver was told to do: one small method an act."""

    receiver: ClassVar[Receiver]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_words: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.receiver.visited.append(self.path)
        self._act(self.receiver.always_get)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.receiver.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
        self.receiver.first.set()
        act = self.receiver.acts.pop(0) if self.receiver.acts else self.receiver.always
        self._act(act)

    def _act(self, act: object) -> None:
        if isinstance(act, int):
            self._say(act, *([("Location", f"{self.receiver.url}/elsewhere")] if 300 <= act < 400 else []))
        else:
            getattr(self, f"_{act}")()

    def _say(self, status: int, *more: tuple[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in more:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _hang(self) -> None:
        self.receiver.let_go.wait(30)
        self.close_connection = True

    def _garbage(self) -> None:
        self.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")
        self.close_connection = True

    def _redirect(self) -> None:
        self._say(307, ("Location", f"{self.receiver.url}/elsewhere"))

    def _later(self) -> None:
        self._say(503, ("Retry-After", "7200"))

    def _never(self) -> None:
        self._say(503, ("Retry-After", "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"))

    def _huge(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(1 << 40))
        self.end_headers()
        self._pour()

    def _pour(self) -> None:
        try:
            while not self.receiver.let_go.is_set():
                self.wfile.write(b"x" * 65_536)
        except OSError:
            self.close_connection = True


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver until the block ends."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handling", (Handler,), {"receiver": receiver}))
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join(5)
