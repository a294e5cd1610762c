"""The loopback server as a process: `python -m tests.loopback --port 2525 --record accepted.jsonl`.

Prints `listening on HOST:PORT` when it is ready, `open N` (connections) whenever SIGUSR1 comes, and what it
counted when it is ended by SIGINT or SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from tests.loopback.record import Recorder
from tests.loopback.script import PLAIN, Script
from tests.loopback.server import LoopbackServer, new_loop


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.loopback", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument(
        "--record", type=Path, help="append a JSON line for each message, before it is answered"
    )
    parser.add_argument("--folder", type=Path, help="keep every message as .eml")
    parser.add_argument("--script", help="a Script as JSON, or the name of a file that holds one")
    parser.add_argument(
        "--tls", choices=("off", "starttls", "implicit"), help="with a certificate made on the spot"
    )
    parser.add_argument("--plain", action="store_true", help="offer no PIPELINING")
    return parser.parse_args()


def script_of(given: argparse.Namespace) -> Script:
    """Put the script together."""
    text = given.script or "{}"
    raw = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text())
    if given.tls:
        raw["tls"] = given.tls
    if given.plain:
        raw["extensions"] = PLAIN
    return Script.from_json(json.dumps(raw))


async def serve(given: argparse.Namespace) -> LoopbackServer:
    """Serve until a signal comes."""
    recorder = Recorder(file=given.record, folder=given.folder, remember=False, keep=False)
    server = LoopbackServer(script_of(given), recorder)
    ended = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, ended.set)
    await server.start(given.port, given.host)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, tell_open, server)
    sys.stdout.write(f"listening on {server.host}:{server.port}\n")
    if server.certificate is not None:
        sys.stdout.write(f"certificate {server.certificate}\n")
    sys.stdout.flush()
    await ended.wait()
    await server.stop()
    return server


def tell_open(server: LoopbackServer) -> None:
    """Say how many connections are open."""
    sys.stdout.write(f"open {len(server.connections)}\n")
    sys.stdout.flush()


def main() -> None:
    """Run it."""
    with asyncio.Runner(loop_factory=new_loop) as runner:
        server = runner.run(serve(options()))
    counts = {"accepted": server.recorder.count, "connections": server.total, "peak": server.peak}
    sys.stdout.write(f"{json.dumps(counts)}\n")


if __name__ == "__main__":
    main()
