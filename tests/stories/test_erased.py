"""An erased person leaves no trace but a hash and the counts: every file under .mailer/ is searched for the address."""

from __future__ import annotations

import base64
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from sqlalchemy import insert
from sqlalchemy import text as words

import subscribers
from mailer.cli.workplace import Workplace, close_engines
from mailer.database import open_engine, writing
from mailer.delivery.ground import Ground
from mailer.feedback import taking
from mailer.feedback.model import Evidence, Kind, Notice, Permanence
from mailer.feedback.tables import unknown
from mailer.letters import joining, moving
from tests.loopback.server import Rule, Script, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow
LOCAL, DOMAIN = "quodlibetarian", "findling-mailbox.example.net"
ADDRESS, OLD = f"{LOCAL}@{DOMAIN}", f"{LOCAL}.before@{DOMAIN}"
OTHER = "stays@other.example.net"
ISSUE = "---\nissue: 72\ntitle: A letter\n---\nHello {{ subscriber.name | default: 'you' }}, all is well.\n"
PEOPLE = f"""email,name,town
{OLD},Quodli Betarian,Husum
{OTHER},Other,Husum
{ADDRESS.upper()} or so,,
"{ADDRESS},{OTHER}",twice,
{LOCAL}@@{DOMAIN},broken,
"""


def traces() -> dict[str, bytes]:
    """Give what an address looks like, however it is written: nothing of it may stand anywhere."""
    found = {"the local part": LOCAL.encode(), "the domain": DOMAIN.encode(), "the name": b"Quodli"}
    for name, text in (("address", ADDRESS), ("old", OLD)):
        found[f"{name} in UTF-16"] = text.encode("utf-16-le")
        found[f"{name} percent-encoded"] = quote(text, safe="").encode()
        found[f"{name} quoted-printable"] = text.replace("@", "=40").encode()
        for shift in range(3):  # base64 looks different at each of three places
            octets = base64.b64encode(b"x" * shift + text.encode())
            found[f"{name} in base64, shifted by {shift}"] = octets[4:-4]
    return {name: octets.lower() for name, octets in found.items()}


def found_in(folder: Path) -> list[str]:
    """Search every file; give where something stands."""
    files = [each for each in sorted(folder.rglob("*")) if each.is_file()]
    assert any(each.name == "mailer.db" for each in files)
    return [
        f"{name} in {file.name}"
        for file in files
        for name, octets in traces().items()
        if octets in file.read_bytes().lower() or octets in str(file).encode().lower()
    ]


@pytest.fixture
def office(newsletter: Path, cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Ground]:
    """A newsletter that sent an issue to somebody whose server then quoted the address, and heard more of them."""
    rules = (Rule("final", f"550 5.1.1 <{OLD}>: no such user {LOCAL} here", recipient=f"{LOCAL}*"),)
    people = tmp_path / "people.csv"
    people.write_text(PEOPLE)
    (newsletter / "issues" / "072-a-letter.md").write_text(ISSUE)
    with running(Script(rules=rules)) as server:
        monkeypatch.setenv("MAILER_RELAY", server.url())
        words = ("--list", "main", "--basis", "asked", "--map", "town=town", "--yes")
        ended = cli("subscribers", "import", people, *words)
        assert ended.code == 0, ended.err
        cli("send", "72", "--yes")
    place = Workplace(newsletter)
    yield Ground(place.settings, place.keys, place.engine, ())
    close_engines()


def live_on(ground: Ground) -> int:
    """Let them move, be complained about, sign up anew, and be named in a mail that nobody understands."""
    now, evidence = datetime.now(UTC), subscribers.Evidence("192.0.2.7", "Browser/1")
    form = subscribers.Form("1", "Get the news.")
    with writing(ground.database) as connection:
        person = subscribers.find(connection, OLD)
        move = moving.ask(connection, ground, person.id, ADDRESS, now=now)
        moving.finish(connection, ground, person.id, move.id, now=now, evidence=evidence)
        token, dead = Evidence(message_id="nothing"), Permanence.PERMANENT
        heard = [
            Notice(Kind.BOUNCE, each, reply=f"<{each}> unknown", permanence=dead, key=key, evidence=token)
            for key, each in (("1", ADDRESS), ("2", OLD))
        ]
        taking.take(connection, ground.keys, heard, now, channel="file")
        subscribers.lose(connection, person.id, now, f"550 <{ADDRESS}> is dead")
        joining.request(
            connection, ground, now=now, email=ADDRESS, list_keys=["main"], form=form, agent="Browser/1"
        )
        raw = f"From: {ADDRESS}\r\nTo: us@example.org\r\n\r\nI am {LOCAL}, of {ADDRESS}.\r\n".encode()
        row = {"key": "1", "channel": "file", "kind": "other", "sender": ADDRESS, "raw": raw, "at": now}
        connection.execute(insert(unknown).values(**row))
    return int(person.id)


def test_nothing_but_the_hash_and_the_counts_is_left(office, newsletter: Path, cli) -> None:
    """After the erasure, VACUUM and a checkpoint no file holds the address, the one before it, or the name."""
    person = live_on(office)
    state = newsletter / ".mailer"
    assert {"the local part in mailer.db", "the local part in import-1.csv"} <= set(found_in(state))
    before = cli("audit", "72", "--json").json
    ended = cli("subscribers", "erase", ADDRESS, "--yes", "--json")
    assert ended.code == 0, ended.err
    assert (ended.json["id"], ended.json["erased"]) == (person, True)
    close_engines()
    with closing(sqlite3.connect(state / "mailer.db", isolation_level=None)) as database:
        database.execute("VACUUM")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    left = found_in(state)
    assert left == [], "; ".join(left)
    assert cli("audit", "72", "--json").json == before
    lines = cli("suppressions", "list", ADDRESS, "--json").lines
    assert "erasure" in {each["reason"] for each in lines}
    assert cli("subscribers", "show", OTHER, "--json").json["email"] == OTHER


def test_even_before_the_vacuum_little_is_left(office, newsletter: Path, cli) -> None:
    """What is erased is overwritten where it stood: nothing waits on a free page for somebody to look."""
    live_on(office)
    assert cli("subscribers", "erase", ADDRESS, "--yes").code == 0
    close_engines()
    left = found_in(newsletter / ".mailer")
    assert left == [], "; ".join(left)


def test_an_address_that_only_a_file_of_rejects_remembers_is_erased(newsletter: Path, cli, tmp_path) -> None:
    """Somebody who was never taken in may ask, too; a later import takes nobody of that address in."""
    people = tmp_path / "people.csv"
    people.write_text(f"email,name\n{OTHER},Other\n{LOCAL}@@{DOMAIN},{ADDRESS}\n")
    words = ("--list", "main", "--basis", "asked", "--yes")
    assert cli("subscribers", "import", people, *words).code == 0
    assert "the local part in import-1.csv" in found_in(newsletter / ".mailer")
    ended = cli("subscribers", "erase", ADDRESS, "--yes", "--json")
    assert (ended.code, ended.json["rejects"]) == (0, 1)
    assert not any("import-1.csv" in each for each in found_in(newsletter / ".mailer"))
    people.write_text(f"email,name\n{ADDRESS},Back\n")
    assert cli("subscribers", "import", people, *words).code == 0
    assert cli("subscribers", "show", ADDRESS).code == 2


def test_what_any_connection_deletes_is_overwritten(tmp_path: Path) -> None:
    """Not only in an erasure: an address that was replaced years before must not wait in the file either.

    Debian's SQLite overwrites unasked, others do not: so the pragma is looked at, too (2 is FAST), beside what it does.
    """
    file = tmp_path / "mailer.db"
    engine = open_engine(f"sqlite:///{file}")
    with writing(engine) as connection:
        assert connection.scalar(words("PRAGMA secure_delete")) == 2
        connection.execute(words("CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT)"))
        rows = [{"email": f"{LOCAL}.{number:03}@{DOMAIN}"} for number in range(200)]
        connection.execute(words("INSERT INTO people (email) VALUES (:email)"), rows)
    with writing(engine) as connection:
        connection.execute(words("DELETE FROM people WHERE id = 101"))
    engine.dispose()  # the last connection writes the log back
    assert f"{LOCAL}.099@".encode() in file.read_bytes()
    assert f"{LOCAL}.100@".encode() not in file.read_bytes()
