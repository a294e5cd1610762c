"""Files come in: whole, once, and without bringing anybody back."""

from __future__ import annotations

import stat

import pytest
from sqlalchemy import func, select

import subscribers
from subscribers import tables
from subscribers.exchange import reading, run
from subscribers.status import AddressState, SubscriptionState
from tests.subscribers.files import everybody, read_csv, snapshot


def test_columns(load, person, engine, clock):
    """email, name and tags are known columns; any other is an attribute; the basis is recorded."""
    result = load('email,name,country,tags\nAnn@Example.org,Ann A.,AT,"beta, press"\n')
    assert (result.records, result.added, result.rejected) == (1, 1, 0)
    ann = person("ann@example.org")
    assert (ann.email, ann.name, ann.attributes) == ("Ann@example.org", "Ann A.", {"country": "AT"})
    assert ann.tags == ("beta", "press")
    assert everybody(engine, clock) == {"Ann@example.org"}
    with engine.connect() as connection:
        (consent,) = subscribers.consents_of(connection, ann.id)
    assert (consent.kind, consent.basis, consent.import_id) == ("imported", "asked on our site", result.id)


def test_again_changes_nothing(load, engine):
    """A second import of the same file changes nothing."""
    text = "email,name,country,tags\n" + "".join(f"p{n}@example.org,P {n},AT,t{n % 3}\n" for n in range(50))
    load(text)
    before = snapshot(engine)
    result = load(text)
    assert (result.added, result.updated, result.unchanged) == (0, 0, 50)
    assert snapshot(engine) == before


def test_updates(load, person):
    """What a file tells anew is taken over; what it leaves empty is left alone."""
    load("email,name,country,tags\nann@example.org,Ann,AT,beta\n")
    result = load("email,name,country,city,tags\nann@example.org,,DE,Graz,news\n")
    assert result.updated == 1
    ann = person("ann@example.org")
    assert (ann.name, ann.attributes, ann.tags) == (
        "Ann",
        {"country": "DE", "city": "Graz"},
        ("beta", "news"),
    )


def test_twice_in_one_file(load, person):
    """Of two records with one address the second updates what the first made."""
    result = load("email,name\nann@example.org,Ann\nANN@example.org,Anna\n")
    assert (result.added, result.updated) == (1, 1)
    assert person("ann@example.org").name == "Anna"


def test_the_same_twice_in_one_file(load, engine):
    """A file that says a thing a thousand times, and contradicts itself, changes nothing the second time."""
    rows = [f"ann@example.org,Ann {n % 3},t{n % 2}" for n in range(400)]
    text = "email,name,tags\n" + "\n".join(rows) + "\nann@example.org,Anna,t0\n"
    first = load(text)
    assert (first.records, first.added, first.updated + first.unchanged) == (401, 1, 400)
    before = snapshot(engine)
    assert load(text).unchanged == 401
    assert snapshot(engine) == before


def test_rejects(load, tmp_path, engine, clock):
    """A bad row goes to the rejects with line, reason and itself, and stops nothing; mended, it is read from there."""
    result = load(
        'email,name\nann@example.org,Ann\nno-address,Bob\n"multi\nline",x\n,Carl\nd@example.org,a,b\n'
    )
    assert (result.added, result.rejected) == (1, 4)
    rows = read_csv(result.rejects)
    assert rows[0] == ["line", "reason", "file", "email", "name"]
    assert [(row[0], row[3:]) for row in rows[1:]] == [
        ("3", ["no-address", "Bob"]),
        ("4", ["multi\nline", "x"]),
        ("6", ["", "Carl"]),
        ("7", ["d@example.org", "a", "b"]),
    ]
    assert all(row[1] for row in rows)
    assert stat.S_IMODE(result.rejects.stat().st_mode) == 0o600
    mended = tmp_path / "mended.csv"
    mended.write_text(result.rejects.read_text().replace("no-address", "bob@example.org"))
    assert load(mended).added == 1
    assert everybody(engine, clock) == {"ann@example.org", "bob@example.org"}


def test_open_quote(load):
    """A quotation mark that is never closed costs its own record, not the file."""
    lines = [f"p{n}@example.org,P\n" for n in range(300)]
    lines[7] = 'p7@example.org,"P\n'
    result = load("email,name\n" + "".join(lines))
    assert (result.added, result.rejected) == (299, 1)
    assert "quotation mark" in result.rejects.read_text()


def test_dry_run(load, engine):
    """A dry run says what would happen, twins in the file included, and writes nothing."""
    before = snapshot(engine)
    result = load("email\na@example.org\nb@example.org\nA@example.org\nbad\n", dry_run=True)
    assert (result.added, result.unchanged, result.rejected, result.rejects) == (2, 1, 1, None)
    assert snapshot(engine) == before


def test_nobody_comes_back(load, engine, clock, hash_key):
    """No import brings back who left, complained, is dead, erased or suppressed."""
    addresses = [f"p{n}@example.org" for n in range(6)]
    text = "email\n" + "\n".join(addresses) + "\n"
    load(text)
    with engine.begin() as connection:
        people = [subscribers.find(connection, each) for each in addresses]
        subscribers.unsubscribe(connection, people[0].id, "main", clock(), "one-click")
        subscribers.complain(connection, people[1].id, "main", clock(), "fbl")
        subscribers.lose(connection, people[2].id, clock(), "5.1.1")
        subscribers.erase(connection, people[3].id, clock())
        subscribers.pause(connection, people[4].id, None, clock(), "page")
    result = load(text + "\n")
    assert result.unchanged == 2
    assert result.refused == {"left": 1, "complained": 1, "dead": 1, "suppressed": 1}
    assert everybody(engine, clock) == {"p5@example.org"}


def test_second_list(load, person, engine, clock):
    """A known person joins another list by an import, with a consent for that list."""
    load("email,name\nann@example.org,Ann\n")
    result = load("email,name\nann@example.org,Anna\n", list_key="beta", basis="asked at a fair")
    assert (result.added, result.joined) == (0, 1)
    ann = person("ann@example.org")
    assert ann.name == "Anna"
    assert [each.state for each in ann.subscriptions] == [SubscriptionState.ACTIVE] * 2


def test_killed(load, engine, monkeypatch, tmp_path):
    """Ended at any chunk, the same command goes on: nothing twice, nothing missing, no reject twice."""
    monkeypatch.setattr(reading, "BATCH", 10)
    monkeypatch.setattr(run, "SPAN", 0)
    text = "email\n" + "".join(f"p{n}@example.org\n" if n % 7 else f"bad {n}\n" for n in range(95))
    for end in (15, 35, 65):

        def die(done, _total, end=end) -> None:
            if done > end:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            load(text, progress=die)
    # What was written after the last commit, and lost its death:
    rejects = tmp_path / "rejects" / "import-1.csv"
    with rejects.open("a") as stream:
        stream.write("half a li")
    result = load(text)
    assert (result.id, result.records, result.added, result.rejected) == (1, 95, 81, 14)
    rows = read_csv(rejects)
    assert [int(row[0]) for row in rows[1:]] == [n + 2 for n in range(95) if n % 7 == 0]
    with engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(tables.consents)) == 81


def test_undo(load, engine, clock, person, hash_key):
    """An import is taken back, but for what something else has touched since."""
    with engine.begin() as connection:
        subscribers.add(
            connection,
            email="old@example.org",
            list_key="beta",
            now=clock(),
            hash_key=hash_key,
            basis="x",
            name="Old",
        )
        subscribers.add(
            connection, email="reader@example.org", list_key="main", now=clock(), hash_key=hash_key, basis="x"
        )
    before = snapshot(engine)
    result = load(
        "email,name,tags,status\nnew@example.org,New,t,\ntouched@example.org,T,,\nold@example.org,Older,t,\n"
        "reader@example.org,R,,\ngone@example.org,,,unsubscribed\n"
    )
    with engine.begin() as connection:
        touched = subscribers.find(connection, "touched@example.org")
        subscribers.unsubscribe(connection, touched.id, "main", clock(), "page")
    undone = subscribers.undo_import(engine.begin, result.id, clock())
    assert undone == subscribers.UndoResult(
        result.id, removed=1, unsubscribed=1, restored=2, lifted=1, kept=1
    )
    assert everybody(engine, clock) == {"reader@example.org"}
    assert everybody(engine, clock, "beta") == {"old@example.org"}
    assert (person("old@example.org").name, person("old@example.org").tags) == ("Old", ())
    assert snapshot(engine)["addresses"][:2] == before["addresses"]
    assert load("email\ntouched@example.org\n").refused == {"left": 1}
    with pytest.raises(subscribers.SubscribersError, match="before"):
        subscribers.undo_import(engine.begin, result.id, clock())
    # A deleted id never returns.
    load("email\nnewer@example.org\n")
    assert person("newer@example.org").id > touched.id


def test_undo_of_one_of_two(load, engine, clock):
    """What two imports said of somebody, the undoing of one does not take back."""
    first = load("email,status\ngone@example.org,unsubscribed\n", name="first.csv")
    load("email,status,n\ngone@example.org,unsubscribed,2\n", name="second.csv")
    assert subscribers.undo_import(engine.begin, first.id, clock()).lifted == 0
    assert load("email\ngone@example.org\n").refused == {"left": 1}


def test_undo_of_twins(load, engine, clock):
    """People whom a file named twice go with it like the others."""
    result = load("email,name\nann@example.org,Ann\nann@example.org,Anna\n")
    assert subscribers.undo_import(engine.begin, result.id, clock()).removed == 1
    assert everybody(engine, clock) == set()


def test_export_comes_back(load, engine, clock, tmp_path, person):
    """What an export writes an import reads: nothing is lost, no formula reaches a spreadsheet, nobody is revived."""
    load(
        'email,name,status,=cmd,tags\n+a@example.org,=1+1,,@SUM(A1),"x, y"\nb@example.org,-B,,,\n'
        "c@example.org,C,paused,'=quoted,\n"
    )
    with engine.begin() as connection:
        subscribers.unsubscribe(
            connection, subscribers.find(connection, "b@example.org").id, None, clock(), "page"
        )
        columns = subscribers.export_columns(connection, "main")
        with (tmp_path / "out.csv").open("w", newline="", encoding="utf-8") as stream:
            count = subscribers.write_csv(stream, columns, subscribers.export_rows(connection, "main"))
    assert count == 3
    cells = [cell for row in read_csv(tmp_path / "out.csv") for cell in row]
    assert not [cell for cell in cells if cell[:1] in set("=+-@\t\r")]
    assert person("+a@example.org").attributes == {"=cmd": "@SUM(A1)"}
    before = snapshot(engine)
    result = load(tmp_path / "out.csv")
    assert (result.unchanged, result.refused) == (2, {"left": 1})
    assert snapshot(engine)["subscribers"] == before["subscribers"]
    with engine.begin() as connection:
        subscribers.metadata.drop_all(connection)
        subscribers.metadata.create_all(connection)
        subscribers.ensure_lists(connection, ["main"], clock())
    load(tmp_path / "out.csv")
    assert everybody(engine, clock) == {"+a@example.org"}
    assert person("+a@example.org").attributes == {"=cmd": "@SUM(A1)"}
    assert person("c@example.org").attributes == {"=cmd": "=quoted"}
    assert person("c@example.org").subscriptions[0].state is SubscriptionState.PAUSED
    assert person("+a@example.org").address_state is AddressState.REACHABLE
