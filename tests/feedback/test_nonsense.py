"""Servers of mailboxes that answer nonsense: a mailbox that cannot be read, told as one, and tried again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.feedback.intake import imap, mailbox
from mailer.feedback.intake.mailbox import Reader
from mailer.feedback.intake.pop3 import Pop
from tests.feedback.house import housed
from tests.feedback.talking import talking
from tests.feedback.test_mailboxes import kept, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.feedback.conftest import World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
_LISTS = {b"LIST", b"UIDL"}


def _pop3(line: bytes) -> bytes:
    return b"+OK\r\nall of them\r\n.\r\n" if line.split()[0] in _LISTS else b"+OK\r\n"


def _imap(line: bytes) -> bytes:
    tag, word = line.split()[:2]
    told = {b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n", b"SELECT": b"* 1 EXISTS\r\n* OK [UIDNEXT soon]\r\n"}
    return told.get(word, b"") + tag + b" OK done\r\n"


SERVERS = [
    pytest.param("pop3s", b"+OK\r\n", _pop3, id="pop3"),
    pytest.param("imaps", b"* OK\r\n", _imap, id="imap"),
]


@pytest.mark.parametrize(("scheme", "greeting", "answer"), SERVERS)
def test_answers_that_are_none(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    scheme: str, greeting: bytes, answer: Callable[[bytes], bytes],
):  # fmt: skip
    """Nothing falls over: after three tries the operator hears of it, and it goes on trying."""
    monkeypatch.setattr(mailbox, "_FIRST_REST", 0.01)
    (tmp_path / "password").write_text("secret")
    with talking(tmp_path, greeting, answer) as server:
        table = f"""
[[feedback.mailboxes]]
name = "bounces"
url = "{scheme}://bounces@127.0.0.1:{server.port}"
password_file = "password"
ca_file = "{server.certificate}"
"""
        house = housed(world, tmp_path, table)
        reader = Reader(house.ground, house.ground.settings.feedback.mailboxes[0])
        with kept(reader, imap.visit if scheme == "imaps" else Pop().visit):
            until(lambda: house.events("feedback.unreadable") == ["bounces"])
