"""A server over TLS that says whatever a test has it say, a line for each line."""

from __future__ import annotations

import socketserver
import ssl
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.loopback.certificate import make_certificate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Talker:
    """Where it listens, and the certificate to trust."""

    port: int
    certificate: Path


@contextmanager
def talking(folder: Path, greeting: bytes, answer: Callable[[bytes], bytes]) -> Iterator[Talker]:
    """Greet each connection, and answer each of its lines."""
    certificate, key = make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    class Conversation(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), context.wrap_socket(self.request, server_side=True) as line:
                line.sendall(greeting)
                with line.makefile("rb") as heard:
                    for said in heard:
                        line.sendall(answer(said))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield Talker(server.server_address[1], certificate)
        finally:
            server.shutdown()
