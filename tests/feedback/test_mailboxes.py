"""Mailboxes on a real server: read whole, once, over lines that break; nothing that was not understood is deleted."""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from mailer.database import reading
from mailer.errors import MailerError, UserError
from mailer.feedback.intake import imap, mailbox
from mailer.feedback.intake.mailbox import Reader
from mailer.feedback.intake.pop3 import Pop
from mailer.feedback.tables import notices
from tests.feedback.cutting import cut
from tests.feedback.dovecot import PASSWORD, running
from tests.feedback.house import House, housed
from tests.feedback.systems import SYSTEMS
from tests.feedback.test_intake import numbered
from tests.feedback.voices import mail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.feedback.conftest import World
    from tests.feedback.dovecot import Server
    from tests.feedback.talking import Talker

pytestmark = [pytest.mark.dovecot, pytest.mark.parametrize("engine", ["sqlite"], indirect=True)]
FULL = "452 4.2.2 mailbox full"
MANY = 5_000


@pytest.fixture
def server() -> Iterator[Server]:
    """A Dovecot with an empty mailbox."""
    with running() as server:
        yield server


def house_of(
    world: World, folder: Path, server: Server | Talker, scheme: str = "imaps", port: int = 0, more: str = ""
) -> House:
    """Give a newsletter that reads that mailbox."""
    (folder / "password").write_text(f"{PASSWORD}\n")
    port = port or {"imaps": server.imaps, "imap": server.imap, "pop3s": server.pop3s}[scheme]
    table = f"""
[[feedback.mailboxes]]
name = "bounces"
url = "{scheme}://bounces@127.0.0.1:{port}"
password_file = "password"
ca_file = "{server.certificate}"
{more}
"""
    return housed(world, folder, table)


def reader_of(house: House) -> Reader:
    """Give a reader of the mailbox."""
    return Reader(house.ground, house.ground.settings.feedback.mailboxes[0])


@contextmanager
def kept(reader: Reader, visit: Callable[[Reader], None] = imap.visit) -> Iterator[None]:
    """Have the mailbox read in a thread of its own, as the daemon does, and see it end."""
    thread = threading.Thread(target=reader.keep, args=(visit,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        reader.stopped.set()
        thread.join(60)
    assert not thread.is_alive()


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something; a guard against hanging alone."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def report(house: House, number: int, email: str, sent: int) -> bytes:
    """Give one of many reports, each a mail of its own, about a reader's copy."""
    system = list(SYSTEMS)[number % 3]
    return numbered(number, house.returned(SYSTEMS[system](email, FULL), email, sent))


def test_5000_mails_over_a_line_that_breaks(world: World, tmp_path: Path, server: Server):
    """D20: cut at random octets, killed between hearing and moving, and begun anew: each counts once, none is lost."""
    chance = random.Random(72)  # noqa: S311 - it cuts lines, it guards nothing
    emails = [f"reader{number}@reader.example" for number in range(500)]
    world.join(*emails)
    sent = world.send()
    with cut(server.imaps, lambda: chance.randrange(5_000, 300_000)) as proxy:
        house = house_of(world, tmp_path, server, port=proxy.port, more='done = "Done"')
        for number in range(MANY - 200):
            server.put(number, report(house, number, emails[number % 500], sent))
        for number in range(MANY - 200, MANY):
            server.put(
                number,
                numbered(
                    number, mail("A notice", "of nothing that we know", sender="MAILER-DAEMON@x.example")
                ),
            )
        starts = 0
        while server.count():
            starts += 1
            _until_it_dies(house, chance)
    assert proxy.cuts > 10
    assert starts > 10
    with reading(house.ground.database) as connection:
        assert connection.scalar(select(func.count()).select_from(notices)) == MANY - 200
        assert connection.scalar(select(func.count()).where(notices.c.proof == "token")) == MANY - 200
    assert house.kept() == {"not-bounce": 200}
    assert (server.count("Done"), server.count("Unknown")) == (MANY - 200, 200)


def _until_it_dies(house: House, chance: random.Random) -> None:
    """Read with a fresh reader that dies of the line, or of itself right after it heard a mail."""
    reader = reader_of(house)
    left = [chance.randrange(50, 1_500)]
    hear = reader.hear

    def mortal(raw: bytes) -> object:
        heard = hear(raw)
        left[0] -= 1
        if not left[0]:
            raise OSError("killed")
        return heard

    reader.hear = mortal  # type: ignore[method-assign,assignment]
    timer = threading.Timer(60, reader.stopped.set)
    timer.start()
    reader.succeeded = reader.stopped.set  # type: ignore[method-assign]
    try:
        imap.visit(reader)
    except (MailerError, OSError):
        pass
    finally:
        timer.cancel()
        reader.stopped.set()


@pytest.mark.parametrize("scheme", ["imaps", "imap"])
def test_a_mail_that_comes_later_is_heard_by_idle(world: World, tmp_path: Path, server: Server, scheme: str):
    """What people wrote and what is not understood goes to folders, what is understood goes; over STARTTLS, too."""
    world.join("ann@reader.example")
    sent = world.send()
    house = house_of(world, tmp_path, server, scheme)
    with kept(reader_of(house)):
        until(lambda: server.count("Unknown") == 0 and (server.folder / "mail" / ".Replies").is_dir())
        server.put(1, report(house, 1, "ann@reader.example", sent))
        server.put(2, numbered(2, mail("Lovely issue", "Thank you")))
        server.put(3, b"no mail at all")
        until(lambda: server.count() == 0 and server.count("Unknown") == 1 and server.count("Replies") == 1)
    assert len(world.rows()) == 1


def test_a_mail_that_comes_while_others_are_heard_does_not_wait(world: World, tmp_path: Path, server: Server):
    """What a server told with another answer it does not tell again by IDLE: there is a look after it."""
    house = house_of(world, tmp_path, server)
    reader = reader_of(house)
    hear, later = reader.hear, iter(range(2, 5))

    def one_more(raw: bytes) -> object:
        if number := next(later, 0):
            server.put(number, b"no mail at all")
        return hear(raw)

    reader.hear = one_more  # type: ignore[method-assign,assignment]
    server.put(1, b"no mail at all")
    with kept(reader):
        until(lambda: server.count("Unknown") == 4)


def test_folders_stand_where_the_server_wants_them(world: World, tmp_path: Path):
    """Some providers put every folder below INBOX."""
    with running("INBOX.") as server:
        house = house_of(world, tmp_path, server)
        server.put(1, b"no mail at all")
        _until_it_dies(house, random.Random(1))  # noqa: S311 - as above
        assert (server.count(), server.count("Unknown")) == (0, 1)


def test_pop3_deletes_what_it_understood_alone(world: World, tmp_path: Path, server: Server):
    """What was not stays on the server and in the database; read again by a new process, it is known."""
    world.join("ann@reader.example")
    sent = world.send()
    house = house_of(world, tmp_path, server, "pop3s")
    server.put(1, report(house, 1, "ann@reader.example", sent))
    server.put(2, numbered(2, mail("Lovely issue", "Thank you")))
    server.put(3, b"no mail at all\n" + b"x" * 80 + b"\n" * 60_000)
    for _ in range(2):
        with kept(reader_of(house), Pop().visit):
            until(lambda: server.count() == 2 and sum(house.kept().values()) == 2)
    assert len(world.rows()) == 1


def test_pop3_forgets_what_is_gone_from_the_server(world: World, tmp_path: Path, server: Server):
    """What it remembers of mails that stay is no more than what is there."""
    house, pop = house_of(world, tmp_path, server, "pop3s"), Pop()
    for number in range(3):
        server.put(number, numbered(number, b"\nno mail at all"))
    pop._session(reader_of(house))
    assert len(pop._left) == server.count() == 3
    server.remove(1)

    def forgotten() -> bool:  # the server itself may look a moment later
        pop._session(reader_of(house))
        return len(pop._left) == server.count() == 2

    until(forgotten)


def test_a_mailbox_that_cannot_be_read_is_told_once(
    world: World, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
):
    """A wrong password is an event after three tries, and its end another; the name of the account is in neither."""
    monkeypatch.setattr(mailbox, "_FIRST_REST", 0.01)
    monkeypatch.setattr(mailbox, "_LONGEST_REST", 0.02)
    house = house_of(world, tmp_path, server)
    (tmp_path / "password").write_text("wrong")
    with kept(reader_of(house)):
        until(lambda: house.events("feedback.unreadable") == ["bounces"])
        (tmp_path / "password").write_text(PASSWORD)
        until(lambda: house.events("feedback.readable") == ["bounces"])
    assert house.events("feedback.unreadable") == ["bounces"]


@pytest.mark.parametrize(("scheme", "visit"), [("imaps", imap.visit), ("pop3s", Pop().visit)])
def test_a_certificate_that_nobody_signed_is_not_trusted(
    world: World, tmp_path: Path, server: Server, scheme: str, visit: Callable[[Reader], None]
):
    """No password is said to a server that cannot prove itself, and that is what is told."""
    house = house_of(world, tmp_path, server, scheme)
    text = (tmp_path / "mailer.toml").read_text().replace("ca_file", "#ca_file")
    (tmp_path / "mailer.toml").write_text(text)
    house = housed(world, tmp_path, text.partition("poll_seconds = 1\n")[2])
    with pytest.raises(OSError, match="certificate"):
        visit(reader_of(house))


def test_a_missing_password_is_said_at_once(world: World, tmp_path: Path, server: Server):
    """A person must mend it."""
    house = house_of(world, tmp_path, server)
    (tmp_path / "password").unlink()
    with pytest.raises(UserError, match="password"):
        imap.visit(reader_of(house))
