"""What the loopback server accepted: in memory, in a file, in a folder.

Promises: a message is in the file before its sender hears of it, so that whatever dies on the other side, the
file knows at least as much. One JSON object a line.
"""

from __future__ import annotations

import json
import os
import re
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Accepted:
    """One recipient of one message that was answered, or was about to be answered, with 250."""

    recipient: str
    mail_from: str
    message_id: str
    size: int
    at: float
    id: str
    content: bytes = b""


def message_id(buffer: bytearray, start: int, end: int) -> str:
    """Find the Message-ID in the header of a message inside a buffer, without a copy of it."""
    stop = buffer.find(b"\r\n\r\n", start, end) + 2
    stop = end if stop == 1 else stop
    found = buffer.find(b"\r\nMessage-ID: ", start, stop)
    if found >= 0:
        return buffer[found + 14 : buffer.index(b"\r\n", found + 14)].decode("utf-8", "replace").strip()
    match = _MESSAGE_ID.search(buffer, start, stop)
    return match[1].decode("utf-8", "replace").strip() if match else ""


class Recorder:
    """Takes what was accepted. `remember` keeps it in memory, `keep` the octets too."""

    def __init__(
        self,
        *,
        file: Path | None = None,
        folder: Path | None = None,
        remember: bool = True,
        keep: bool = True,
    ) -> None:
        self.accepted: list[Accepted] = []
        self.count = 0
        self.keep = keep or folder is not None
        self._remember = remember
        self._folder = folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
        self._file = None if file is None else os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    @property
    def wants_details(self) -> bool:
        """Whether anyone reads more than the count."""
        return self._remember or self._file is not None or self._folder is not None

    def take(self, one: Accepted) -> None:
        """Record one message; when this returns, its file has it."""
        self.count += 1
        if self._remember:
            self.accepted.append(one)
        if self._file is not None:
            line = {"recipient": one.recipient, "message_id": one.message_id, "size": one.size, "at": one.at}
            os.write(self._file, f"{json.dumps(line)}\n".encode())
        if self._folder is not None:
            (self._folder / f"{self.count:06d}-{one.id}.eml").write_bytes(one.content)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def now() -> float:
    """Give the time of a record."""
    return time.time()
