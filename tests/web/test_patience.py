"""Connections that say nothing, or half of it, make room for others."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from mailer.web import serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.web.conftest import House

HEAD = b"GET /healthz HTTP/1.1\r\nHost: x\r\n"
PATIENCE = 60  # against hanging


@contextlib.asynccontextmanager
async def served(house: House) -> AsyncIterator[int]:
    """Serve the pages, and give the port."""
    stopped, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    running = asyncio.create_task(serving.serve(house.ground, stopped, port=0, started=started))
    yield await asyncio.wait_for(started, PATIENCE)
    stopped.set()
    await asyncio.wait_for(running, PATIENCE)


@contextlib.asynccontextmanager
async def connected(port: int, said: bytes = b"") -> AsyncIterator[asyncio.StreamReader]:
    """Connect, and say this."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(said)
    yield reader
    writer.close()


async def to_the_end(reader: asyncio.StreamReader) -> bytes:
    """Give all that is answered until the other end hangs up, be it before we had said all."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while more := await asyncio.wait_for(reader.read(65_536), PATIENCE):
            said += more
    return said


@pytest.mark.parametrize("said", [b"", b"G", HEAD, HEAD + b"X: " + b"y" * 100], ids=["", "G", "half", "long"])
def test_a_head_that_does_not_come_is_not_waited_for(
    house: House, monkeypatch: pytest.MonkeyPatch, said: bytes
):
    """Whoever says nothing, or never comes to the end of it, is hung up on; an open connection is a visitor's place."""
    monkeypatch.setattr(serving, "IDLE", 0.2)

    async def story() -> None:
        async with served(house) as port, connected(port, said) as reader:
            assert await to_the_end(reader) == b""

    asyncio.run(story())


def test_the_second_head_must_come_as_well(house: House, monkeypatch: pytest.MonkeyPatch):
    """Nobody keeps a place by having asked once."""
    monkeypatch.setattr(serving, "IDLE", 0.2)

    async def story() -> None:
        async with served(house) as port, connected(port, HEAD + b"\r\n" + HEAD) as reader:
            assert (await to_the_end(reader)).count(b"HTTP/1.1 200") == 1
        async with served(house) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(HEAD + b"\r\n")
            await asyncio.wait_for(reader.readuntil(b"}"), PATIENCE)
            writer.write(HEAD)
            assert await to_the_end(reader) == b""
            writer.close()

    asyncio.run(story())


def test_an_answer_may_take_longer_than_a_question(house: House, monkeypatch: pytest.MonkeyPatch):
    """What is being answered is not cut off, and the connection is good for another question."""
    monkeypatch.setattr(serving, "IDLE", 0.2)
    go = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for word in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{word}.complete"})
            return
        await go.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    monkeypatch.setattr(serving, "create_app", lambda _: slow)

    async def story() -> None:
        async with served(house) as port, connected(port, (HEAD + b"\r\n") * 2) as asking:
            async with connected(port) as silent:  # it came later, and is hung up on first
                assert await to_the_end(silent) == b""
            go.set()
            assert (await to_the_end(asking)).count(b"ok") == 2

    asyncio.run(story())
