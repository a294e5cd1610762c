"""An old issue: packed, asked about, sent to those who joined since, erased from, backed up and copied."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select, update

from mailer.cli.workplace import Workplace, close_engines
from mailer.database import open_engine, reading, writing
from mailer.delivery import ledger, retention
from mailer.delivery.ledger.packing import Packed, unpack
from mailer.delivery.tables import deliveries, mailings, packed_deliveries
from mailer.feedback import taking
from mailer.feedback.model import Evidence, Kind, Notice, Permanence
from mailer.feedback.policy import Effect
from tests.loopback.server import Rule, Script, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.commandline import Cli
    from tests.loopback.server import LoopbackServer

pytestmark = pytest.mark.slow
ISSUE = "---\nissue: 72\ntitle: A letter\n---\nHello, all is well.\n"
PEOPLE = ("ann@one.example", "bob@two.example", "cia@one.example")
ASKED = (
    ("audit", "72"),
    ("audit", "72", "--recipients"),
    ("audit", "72", "--state", "refused"),
    ("audit", "72", "--state", "accepted"),
    ("issues",),
    ("status",),
    ("subscribers", "show", "bob@two.example"),
    ("segments",),
    ("segments", "show", "had"),
    ("send", "72", "--yes", "--dry-run"),
    ("send", "72", "--yes"),
)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A relay that refuses one reader and takes the others."""
    rules = (Rule("final", "550 5.1.1 no such user", recipient="cia*"),)
    with running(Script(rules=rules)) as made:
        yield made


@pytest.fixture
def office(newsletter: Path, cli: Cli, server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """A newsletter that sent an issue a hundred days ago."""
    monkeypatch.setenv("MAILER_RELAY", server.url())
    (newsletter / "issues" / "072-a-letter.md").write_text(ISSUE)
    (newsletter / "segments.toml").write_text('had = "received issue 72"\n')
    for one in PEOPLE:
        assert cli("subscribers", "add", one, "--list", "main", "--basis", "asked").code == 0
    assert cli("send", "72", "--yes").code == 0
    with writing(Workplace(newsletter).engine) as connection:
        old = datetime.now(UTC) - timedelta(days=100)
        connection.execute(update(mailings).values(changed_at=old, finished_at=old))
    close_engines()
    return cli


def pack(cli: Cli) -> int:
    """Pack what is old, and see that nothing is left."""
    place = Workplace(cli.folder)
    packed = retention.pack_old(
        place.engine, datetime.now(UTC) - timedelta(days=90), rest=lambda _seconds: None
    )
    with reading(place.engine) as connection:
        assert connection.scalar(select(func.count()).select_from(deliveries)) == 0
    close_engines()
    return packed


def answers(cli: Cli) -> list[Any]:
    """Ask everything, as words and as JSON; what a command takes to run is no part of its answer."""
    told = [(cli(*words), cli(*words, "--json")) for words in ASKED]
    assert {one.code for pair in told for one in pair} == {0}
    return [
        re.sub(r'"seconds": ?[\d.]+', "", f"{one.code} {one.out} {one.err}") for pair in told for one in pair
    ]


def test_no_command_shows_a_difference(office: Cli, server: LoopbackServer) -> None:
    """audit, its rows, issues, status, a person, a segment, a send that finds nothing to do: word for word the same."""
    before, mailed = answers(office), len(server.accepted)
    assert "2 of 3 accepted" in "".join(before)
    assert pack(office) == 3
    assert answers(office) == before
    assert len(server.accepted) == mailed


def test_an_old_issue_goes_to_those_who_joined_since_and_to_nobody_else(
    office: Cli, server: LoopbackServer
) -> None:
    """--new-readers of a packed issue: one mail; and the same again after it was packed once more."""
    pack(office)
    mailed = sorted(one.recipient for one in server.accepted)
    office("subscribers", "add", "dan@two.example", "--list", "main", "--basis", "asked")
    assert "3 of" not in office("send", "72", "--yes").out
    assert len(server.accepted) == len(mailed)
    assert office("send", "72", "--new-readers", "--yes").code == 0
    assert sorted(one.recipient for one in server.accepted) == [*mailed, "dan@two.example"]
    assert office("send", "72", "--new-readers", "--yes").code == 0
    assert len(server.accepted) == len(mailed) + 1
    assert office("audit", "72", "--json").json["accepted"] == 3


def test_a_bounce_of_an_old_issue_finds_its_reader(office: Cli) -> None:
    """What comes back after a hundred days is proven by the packed delivery, and means what it always means."""
    pack(office)
    place = Workplace(office.folder)
    [sent] = [
        one for one in office("audit", "72", "--recipients", "--json").lines if one["email"] == PEOPLE[0]
    ]
    dead = Notice(
        Kind.BOUNCE, PEOPLE[0], reply="550 5.1.1 unknown", permanence=Permanence.PERMANENT, hardbounce=True,
        status="5.1.1", key="1", evidence=Evidence(message_id=sent["message_id"]),
    )  # fmt: skip
    with writing(place.engine) as connection:
        told = taking.take(connection, place.keys, [dead], datetime.now(UTC), channel="file")
    assert told.effects == (Effect.LOST,)
    close_engines()


def test_an_erasure_reaches_what_is_packed(office: Cli) -> None:
    """No word of them is left in any block; who else is in it keeps theirs, and the sums are the same."""
    pack(office)
    before = office("audit", "72", "--json").json
    assert office("subscribers", "erase", PEOPLE[1], "--yes").code == 0
    assert office("audit", "72", "--json").json == before
    with reading(Workplace(office.folder).engine) as connection:
        rows = connection.execute(select(packed_deliveries)).all()
    words = [unpack(row.block, Packed(row.marks, row.facts, row.words)) for row in rows]
    assert [one.address for block in words for one in block] == [PEOPLE[0], "", PEOPLE[2]]
    close_engines()
    assert b"two.example" not in (office.folder / ".mailer" / "mailer.db").read_bytes()


def test_a_backup_brings_it_back(office: Cli, tmp_path: Path) -> None:
    """Packed deliveries are in a backup as they are."""
    pack(office)
    before = office("audit", "72", "--recipients").out
    assert office("db", "backup", tmp_path / "b.tar.gz").code == 0
    with writing(Workplace(office.folder).engine) as connection:
        connection.execute(packed_deliveries.delete())
    close_engines()
    assert office("audit", "72", "--recipients").out != before
    assert office("db", "restore", tmp_path / "b.tar.gz", "--yes").code == 0
    assert office("audit", "72", "--recipients").out == before


def test_a_move_to_postgresql_takes_it_along(office: Cli, empty_database: Callable[[str], str]) -> None:
    """`mailer db copy` copies blocks octet by octet, and the same questions have the same answers there."""
    pack(office)
    url = empty_database("postgresql")
    assert office("db", "copy", url).code == 0
    place, there = Workplace(office.folder), open_engine(url)
    told = []
    for database in (place.engine, there):
        with reading(database) as connection:
            told.append((ledger.counts(connection, 1), list(ledger.recipients(connection, 1))))
    assert told[0] == told[1]
    there.dispose()
    close_engines()
