"""Servers of mailboxes that answer nonsense, or more than the libraries take: told, tried again, and read past."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailer.feedback.intake import imap, mailbox
from mailer.feedback.intake.mailbox import Reader
from mailer.feedback.intake.pop3 import Pop
from mailer.feedback.reading.mime import LARGEST
from tests.feedback.house import House, housed
from tests.feedback.talking import talking
from tests.feedback.test_mailboxes import house_of, kept, reader_of, until

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.feedback.conftest import World

    Answer = Callable[[bytes], bytes]

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
IMAP = {
    b"CAPABILITY": b"* CAPABILITY IMAP4rev1\r\n",
    b"SELECT": b"* 1 EXISTS\r\n* OK [UIDNEXT 2] next\r\n",
    b"SEARCH": b"* SEARCH 1\r\n",
}


def imap_server(**told: bytes) -> Answer:
    """Give a server that says OK to everything, and before it what it is told to."""
    words: Mapping[bytes, bytes] = IMAP | {word.encode(): line + b"\r\n" for word, line in told.items()}

    def answer(line: bytes) -> bytes:
        tag, word, *rest = line.split()
        return words.get(rest[0] if word == b"UID" else word, b"") + tag + b" OK done\r\n"

    return answer


def pop3_server(*mails: bytes) -> Answer:
    """Give a server with mails."""
    lists = {
        b"LIST": [b"%d %d" % (number, len(raw)) for number, raw in enumerate(mails, 1)],
        b"UIDL": [b"%d id%d" % (number, number) for number, _ in enumerate(mails, 1)],
    }

    def answer(line: bytes) -> bytes:
        word, *rest = line.split()
        fetched = [mails[int(rest[0]) - 1]] if word in {b"RETR", b"TOP"} else None
        lines = lists.get(word, fetched)
        return b"+OK\r\n" + (b"" if lines is None else b"".join(each + b"\r\n" for each in lines) + b".\r\n")

    return answer


@pytest.fixture
def read(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., House]:
    """Give what has a server read until something is true."""

    def until_true(scheme: str, answer: Answer, true: Callable[[House], bool]) -> House:
        monkeypatch.setattr(mailbox, "_FIRST_REST", 0.01)
        greeting = b"* OK\r\n" if scheme == "imaps" else b"+OK\r\n"
        with talking(tmp_path, greeting, answer) as server:
            house = house_of(world, tmp_path, server, scheme, server.port)
            with kept(reader_of(house), imap.visit if scheme == "imaps" else Pop().visit):
                until(lambda: true(house))
        return house

    return until_true


SERVERS = [
    pytest.param("pop3s", lambda _line: b"+OK\r\nall of them\r\n.\r\n", id="pop3-numbers"),
    pytest.param("imaps", imap_server(SELECT=b"* 1 EXISTS\r\n* OK [UIDNEXT soon]"), id="imap-number"),
    pytest.param("imaps", imap_server(FETCH=b"* 1 FETCH (NIL 5)"), id="imap-name"),
    pytest.param("imaps", imap_server(FETCH=b"* 1 FETCH " + b"(" * 5_000), id="imap-depth"),
    pytest.param("imaps", imap_server(FETCH=b"* 1 FETCH 7"), id="imap-shape"),
    pytest.param(
        "imaps",
        imap_server(CAPABILITY=b"* CAPABILITY NAMESPACE", NAMESPACE=b"* NAMESPACE 7"),
        id="imap-space",
    ),
]


@pytest.mark.parametrize(("scheme", "answer"), SERVERS)
def test_answers_that_are_none(read: Callable[..., House], scheme: str, answer: Answer):
    """Nothing falls over: after three tries the operator hears of it, and it goes on trying."""
    read(scheme, answer, lambda house: house.events("feedback.unreadable") == ["bounces"])


def numbered(number: int, length: int) -> bytes:
    """Give a mail with a line."""
    return b"From: a@b.example\r\nMessage-ID: <%d@b.example>\r\n\r\n" % number + b"y" * length


def test_a_long_line_holds_up_no_mail_behind_it(read: Callable[..., House]):
    """POP3: lines of thousands of octets are read; one without end is left with its mail, and the next one is heard."""
    mails = [numbered(number, length) for number, length in enumerate((3_000, LARGEST + 1_000, 30))]
    house = read("pop3s", pop3_server(*mails), lambda house: sum(house.kept().values()) == 2)
    assert house.events("feedback.unreadable") == []


def test_a_very_full_folder_is_searched(read: Callable[..., House]):
    """IMAP: the answer to a search is one line, of a megabyte for 140,000 mails."""
    found = b"* SEARCH " + b" ".join(b"%d" % uid for uid in range(1_000_000, 1_140_000))
    asked: list[bytes] = []
    server = imap_server(SEARCH=found)

    def answer(line: bytes) -> bytes:
        asked.append(line)
        return server(line)

    read("imaps", answer, lambda _house: any(b"FETCH" in line for line in asked))


def test_a_mailbox_that_could_be_read_is_tried_soon_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A visit ends only when its line breaks: the waits are set back by what went well before that."""
    house = housed(
        world,
        tmp_path,
        '[[feedback.mailboxes]]\nname = "b"\nurl = "imaps://u@h.example"\npassword_file = "p"\n',
    )
    reader = Reader(house.ground, house.ground.settings.feedback.mailboxes[0])
    rests: list[float] = []
    monkeypatch.setattr(reader.stopped, "wait", rests.append)

    def visit(_reader: Reader) -> None:
        if len(rests) not in range(3, 14):
            reader.succeeded()
        if len(rests) == 16:
            reader.stopped.set()
        raise OSError("the line broke")

    reader.keep(visit)
    assert rests[:3] == [2.0, 2.0, 2.0]
    assert rests[3:7] == [4.0, 8.0, 16.0, 32.0]
    assert rests[12:14] == [300.0, 300.0]
    assert rests[14:] == [2.0, 2.0, 2.0]
