"""A person is erased and old mailings are packed, in whatever order: nothing of them is left, and no count changes."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sqlalchemy import select, text, update

from mailer.database import reading, sqlite_file, writing
from mailer.delivery import erasure, ledger
from mailer.delivery.ledger.packing import Packed, unpack
from mailer.delivery.tables import deliveries, packed_deliveries
from tests.delivery.shelves import LATER, S, live, sent, shelve

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.delivery.conftest import World


def test_erasure_reaches_what_is_packed(world: World) -> None:
    """The address and the words of the reply are blank, the codes and the sums stay, and others keep theirs."""
    gone, stays = sent(world, 2)
    with writing(world.engine) as c:
        words = "550 5.1.1 <p0@one.example>: no such user"
        c.execute(
            update(deliveries).where(deliveries.c.subscriber_id == gone).values(reply=words, state="refused")
        )
    shelve(world)
    before = world.counts()
    with reading(world.engine) as c:
        other = ledger.find(c, world.mailing_id, stays)
        old = c.execute(select(packed_deliveries.c.words)).scalar_one()
    with writing(world.engine) as c:
        assert erasure.blank(c, gone, world.now, "p0@one.example").deliveries == 1
    with reading(world.engine) as c:
        erased = ledger.find(c, world.mailing_id, gone)
        assert (erased.address, erased.reply, erased.state) == ("", "550 5.1.1", S.REFUSED)
        assert ledger.find(c, world.mailing_id, stays) == other
        [row] = c.execute(select(packed_deliveries)).all()
    unpacked = unpack(row.block, Packed(row.marks, row.facts, row.words))
    assert [(each.address, each.domain) for each in unpacked] == [("", ""), ("p1@one.example", "one.example")]
    assert world.counts() == before
    assert old not in raw(world.engine)


def raw(engine: Engine) -> bytes:
    """Give the octets of the file, when its log is written back; nothing of a server's."""
    file = sqlite_file(engine)
    if file is None:
        return b""
    connection = engine.raw_connection()
    connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()
    return file.read_bytes()


def test_packing_leaves_no_address_behind(world: World) -> None:
    """The pages that become free are overwritten: an erasure years later need not look for them."""
    sent(world, 400)
    assert b"p399@one.example" in raw(world.engine) or sqlite_file(world.engine) is None
    shelve(world)
    with writing(world.engine) as c:
        c.execute(text("DELETE FROM addresses"))  # where they stand by right
    assert b"p399@one.example" not in raw(world.engine)


def test_an_erasure_while_a_block_is_packed_is_not_lost(world: World) -> None:
    """On a server both happen at once: the erasure waits, and blanks what was packed."""
    gone, _stays = sent(world, 2)
    done: list[int] = []

    def erase() -> None:
        with writing(world.engine) as c:
            done.append(erasure.blank(c, gone, world.now).deliveries)

    other = threading.Thread(target=erase)
    with writing(world.engine) as c:
        ledger.shelve(c, world.mailing_id, LATER, 0)
        other.start()
        other.join(0.5)
        assert done == []
    other.join(30)
    with reading(world.engine) as c:
        assert ledger.find(c, world.mailing_id, gone).address == ""


def test_a_block_that_is_packed_while_somebody_is_erased_is_blank(world: World) -> None:
    """The other way about: what is packed is what stood there when the erasure was committed."""
    gone, _stays = sent(world, 2)
    done: list[object] = []

    def pack() -> None:
        with writing(world.engine) as c:
            done.append(ledger.shelve(c, world.mailing_id, LATER, 0))

    other = threading.Thread(target=pack)
    with writing(world.engine) as c:
        erasure.blank(c, gone, world.now)
        other.start()
        other.join(0.5)
        assert done == []
    other.join(30)
    assert live(world) == 0
    with reading(world.engine) as c:
        assert ledger.find(c, world.mailing_id, gone).address == ""
