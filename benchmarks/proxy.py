"""A proxy that delays every octet, each way, by the same time: `python -m benchmarks.proxy PORT TARGET SECONDS`.

It delays and does not narrow: a chunk leaves so many seconds after it came, whatever is still under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys


class End(asyncio.Protocol):
    """One end of a connection; what it reads goes to the other end, later."""

    def __init__(self, delay: float) -> None:
        self.delay = delay
        self.other: End | None = None
        self.early: list[bytes] = []
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        asyncio.get_running_loop().call_later(self.delay, self.pass_on, data)

    def pass_on(self, data: bytes) -> None:
        if self.other is None or self.other.transport is None:
            self.early.append(data)
        elif not self.other.transport.is_closing():
            self.other.transport.write(data)

    def connection_lost(self, _why: Exception | None) -> None:
        asyncio.get_running_loop().call_later(self.delay, self.close_other)

    def close_other(self) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


async def serve(port: int, target: int, delay: float) -> None:
    loop = asyncio.get_running_loop()
    tasks = set()

    async def join(near: End) -> None:
        _, far = await loop.create_connection(lambda: End(delay), "127.0.0.1", target)
        near.other, far.other = far, near
        for data in near.early:
            near.pass_on(data)

    def accept() -> End:
        near = End(delay)
        task = loop.create_task(join(near))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return near

    server = await loop.create_server(accept, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        import uvloop

        uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
