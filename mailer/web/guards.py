"""What stands before every page, as plain ASGI: how large and how slow a request may be, and what each answer carries.

Promises: a body is read whole before anything acts on it, in bounded size and time; HEAD is GET without the body; every
answer has the strictest headers that it did not set itself; one line of log a request, with the route's name in place
of its path, which may hold a token. What falls over is answered with 500 and logged by its place, not its words, which
may hold an address.
"""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from mailer.web.problems import MACHINES, answer_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("mailer.web")
SECONDS: Final = 10.0
LARGEST: Final = 65_536
LARGEST_BELOW: Final = (("/hooks/", 10_485_760), ("/api/", 1_048_576))

HEADERS: Final = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-robots-tag", b"noindex"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


class Guards:
    """The outermost layer. `prefixes` are paths of public URLs that a proxy may have left before ours."""

    def __init__(self, app: ASGIApp, prefixes: Sequence[str] = ()) -> None:
        self._app = app
        self._prefixes = sorted(prefixes, key=len, reverse=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; websockets and the like are none of ours."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = self._bare(scope["path"])
        # A slash more at the end, as people and programs add, is no other page; a redirect would repeat a token.
        scope["path"] = asked if asked.startswith(MACHINES) else asked.rstrip("/") or "/"
        scope["asked"] = asked  # what relative links on the page start from
        scope.pop("raw_path", None)
        started = time.perf_counter()
        head = scope["method"] == "HEAD"
        if head:
            scope["method"] = "GET"
        reply = Reply(send, head=head)
        await self._guarded(scope, receive, reply)
        milliseconds = (time.perf_counter() - started) * 1000
        route = getattr(scope.get("route"), "path", "-")
        log.info("%s %s %d %.1f ms", "HEAD" if head else scope["method"], route, reply.status, milliseconds)

    def _bare(self, path: str) -> str:
        found = (one for one in self._prefixes if path == one or path.startswith(f"{one}/"))
        return path.removeprefix(next(found, "")) or "/"

    async def _guarded(self, scope: Scope, receive: Receive, reply: Reply) -> None:
        try:
            body = await _body(scope, receive)
        except Refusal as refusal:
            await answer_for(scope, refusal.status, close=True)(scope, receive, reply)
            return
        if body is None:
            return  # the client has gone
        try:
            await self._app(scope, _replayed(body, receive), reply)
        except Exception as error:  # noqa: BLE001 - the last one to hear of it
            tell(error)
            if not reply.status:
                await answer_for(scope, HTTPStatus.INTERNAL_SERVER_ERROR)(scope, receive, reply)


class Reply:
    """The way out: adds the headers that are missing, and drops the body of an answer to HEAD."""

    def __init__(self, send: Send, *, head: bool) -> None:
        self._send = send
        self._head = head
        self.status = 0

    async def __call__(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            there = {name.lower() for name, _ in message["headers"]}
            more = [(name, value) for name, value in HEADERS if name not in there]
            message = {**message, "headers": [*message["headers"], *more]}
        elif self._head and message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await self._send(message)


class Refusal(Exception):  # noqa: N818 - it is an answer, and no error
    """The request is not read to its end."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


async def _body(scope: Scope, receive: Receive) -> bytes | None:
    """Give the whole body, or None for a client that has gone; raises Refusal."""
    largest = next((most for path, most in LARGEST_BELOW if scope["path"].startswith(path)), LARGEST)
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    if lengths and lengths[0].isdigit() and int(lengths[0][:20]) > largest:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        return await asyncio.wait_for(_read(receive, largest), SECONDS)
    except TimeoutError:
        raise Refusal(HTTPStatus.REQUEST_TIMEOUT) from None


async def _read(receive: Receive, largest: int) -> bytes | None:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > largest:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not message.get("more_body", False):
            return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give what hands the body over once, and then waits for the client to go."""
    whole: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return whole.pop() if whole else await receive()

    return again


def tell(error: BaseException) -> None:
    """Log where it fell over, without the words of the exception: they may quote what a visitor typed."""
    places = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s at\n%s", type(error).__name__, places)
