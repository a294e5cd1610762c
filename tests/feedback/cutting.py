"""A line that breaks: a proxy on the loopback that cuts each connection after some octets, as chance has it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Proxy:
    """Hands octets on, and cuts each connection after as many as `allowed` says (None: never)."""

    def __init__(self, target: int, allowed: Callable[[], int | None]) -> None:
        self.cuts = 0
        self._lock, self._half = threading.Lock(), set[frozenset[int]]()
        self._target = target
        self._allowed = allowed
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                left = [self._allowed()]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other, left), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, left: list[int | None]) -> None:
        with contextlib.suppress(OSError):
            while octets := one.recv(16_384):
                if left[0] is not None:
                    left[0] -= len(octets)
                    if left[0] < 0:
                        self.cuts += 1
                        other.sendall(octets[: len(octets) // 2])
                        break
                other.sendall(octets)
        for line in (one, other):  # not closed here: the other thread may still wait on its number
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._done(one, other)

    def _done(self, *lines: socket.socket) -> None:
        """Close both lines when the second thread is done with them."""
        with self._lock:
            pair = frozenset(line.fileno() for line in lines)
            if pair in self._half:
                self._half.discard(pair)
                for line in lines:
                    line.close()
            else:
                self._half.add(pair)

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()


@contextlib.contextmanager
def cut(target: int, allowed: Callable[[], int | None]) -> Iterator[Proxy]:
    """Run a proxy before a port."""
    proxy = Proxy(target, allowed)
    try:
        yield proxy
    finally:
        proxy.close()
