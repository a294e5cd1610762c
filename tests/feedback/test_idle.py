"""What a server tells while nothing is asked of it (IDLE), in whatever pieces it comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.feedback.test_nonsense import IMAP, imap_server, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.feedback.house import House

__all__ = ["read"]
pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


def test_news_together_with_the_answer_to_idle_are_heard(
    read: Callable[..., House], monkeypatch: Any
) -> None:
    """A mail that comes as IDLE begins is told in one piece with the answer: it must not wait in a buffer."""
    monkeypatch.setitem(IMAP, b"CAPABILITY", b"* CAPABILITY IMAP4rev1 IDLE\r\n")
    monkeypatch.setitem(IMAP, b"SEARCH", b"* SEARCH\r\n")
    server, asked = imap_server(), list[bytes]()

    def answer(line: bytes) -> bytes:
        tag = line.split()[0] if line != b"DONE\r\n" else asked[-1].split()[0]
        asked.append(line)
        if line.endswith(b" IDLE\r\n"):
            return b"+ idling\r\n* 1 EXISTS\r\n"
        return tag + b" OK done\r\n" if line == b"DONE\r\n" else server(line)

    read("imaps", answer, lambda _house: sum(line == b"DONE\r\n" for line in asked) >= 3)
