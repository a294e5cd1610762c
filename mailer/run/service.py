"""What systemd hears of a service (sd_notify(3)): ready, still alive, stopping. Without systemd nothing happens."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import Final

_MICRO: Final = 1_000_000


def notify(*lines: str) -> bool:
    """Tell systemd; false where nobody listens. Never raises: a supervisor that is away is no reason to stop."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # a socket in Linux's abstract namespace
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
            channel.settimeout(1)
            channel.sendto("\n".join(lines).encode(), address)
    except OSError:
        return False
    return True


def ready() -> bool:
    """Say that the service is up."""
    return notify("READY=1")


def stopping() -> bool:
    """Say that it is about to end."""
    return notify("STOPPING=1")


def watchdog_seconds() -> float | None:
    """Give how often systemd wants a sign of life, halved; None where it wants none, or not of this process."""
    given, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not given.isdecimal() or int(given) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(given) / _MICRO / 2


async def watch(stopped: asyncio.Event) -> None:
    """Give the signs of life that systemd wants, from the loop that does the work, until it is stopped."""
    every = watchdog_seconds()
    if every is None:
        return
    while not stopped.is_set():
        notify("WATCHDOG=1")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), every)
