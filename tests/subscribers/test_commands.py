"""mailer subscribers, lists and suppressions, as the operator types them."""

from __future__ import annotations

import csv

import pytest


@pytest.fixture
def people(newsletter, tmp_path):
    """A file of three people, one of them bad."""
    file = tmp_path / "people.csv"
    file.write_text("email,name,city\nann@example.org,Ann,Graz\nbob@example.org,Bob,Wien\nnobody,X,Y\n")
    return file


@pytest.fixture
def imported(cli, people):
    """The people, imported."""
    return cli("subscribers", "import", people, "--list", "main", "--basis", "sign-up form", "--json").json


def test_import(cli, imported, newsletter):
    """An import says what became of each row, and where the bad ones are."""
    assert (imported["records"], imported["added"], imported["rejected"]) == (3, 2, 1)
    assert imported["rejects"] == str(newsletter / ".mailer/rejects/import-1.csv")
    (counts,) = cli("lists", "--json").lines
    assert (counts["list"], counts["active"], counts["readers"]) == ("main", 2, 2)


def test_import_in_words(cli, people):
    """Without --json it is told in words."""
    ended = cli("subscribers", "import", people, "--basis", "sign-up form")
    assert ended.code == 0
    assert "3 rows: 2 are new on main (2 new people), 0 updated, 0 unchanged" in ended.out
    assert "1 rejected: " in ended.out
    assert "--undo 1" in ended.err


def test_long_import_asks(cli, newsletter, tmp_path):
    """Over 1,000 rows it asks; without a terminal and without --yes nothing is done, and the exit code is 3."""
    file = tmp_path / "many.csv"
    file.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(1001)))
    words = ("subscribers", "import", file, "--basis", "form")
    assert cli.process(*words).code == 3
    assert cli("subscribers", "list", "--json").lines == []
    assert cli(*words, "--dry-run", "--json").json["added"] == 1001
    assert cli(*words, "--yes", "--json").json["added"] == 1001


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["import", "missing.csv", "--basis", "x"], "missing.csv cannot be read"),
        (["import"], "which file?"),
        (["import", "mailer.toml"], "by what right"),
        (["import", "--undo", "7", "--yes"], "there is no import 7"),
        (["add", "nonsense"], "'nonsense' is not a mail address"),
        (["add", "a@example.org", "--list", "beta"], "there is no list 'beta'; the lists are: main"),
        (["add", "a@example.org", "--attribute", "city"], "KEY=VALUE"),
        (["show", "a@example.org"], "nobody here has the address a@example.org"),
        (["pause", "a@example.org", "--until", "soon"], "nobody here has"),
        (["list", "--state", "asleep"], "asleep"),
        (["export", "--format", "xml"], "csv or jsonl"),
    ],
)
def test_bad_input(cli, newsletter, monkeypatch, words, said):
    """What cannot be done is said in a sentence, with exit code 2."""
    monkeypatch.chdir(newsletter)
    ended = cli("subscribers", *words)
    assert (ended.code, said in ended.err) == (2, True), ended.err


def test_bad_file_names_the_line(cli, newsletter, tmp_path):
    """A file without addresses is refused with its name and line."""
    file = tmp_path / "people.csv"
    file.write_text("name,city\nAnn,Graz\n")
    ended = cli("subscribers", "import", file, "--basis", "x", "--json")
    assert ended.code == 2
    (problem,) = ended.json["problems"]
    assert (problem["file"], problem["line"]) == (str(file), 1)


def test_life_of_a_reader(cli, newsletter):
    """Added, paused, resumed, moved, tagged, unsubscribed, erased: each step is one command and is recorded."""
    cli(
        "subscribers",
        "add",
        "ann@example.org",
        "--name",
        "Ann",
        "--attribute",
        "city=Graz",
        "--basis",
        "by mail",
    )
    assert cli("subscribers", "pause", "ann@example.org", "--until", "2999-01-01", "--json").json[
        "paused"
    ] == ["main"]
    assert cli("subscribers", "resume", "ann@example.org", "--json").json["resumed"] == ["main"]
    assert cli("subscribers", "move", "ann@example.org", "ann@example.com").code == 0
    assert cli("subscribers", "tag", "ann@example.com", "--add", "beta", "--json").json["tags"] == ["beta"]
    for left in (["main"], []):
        assert cli("subscribers", "unsubscribe", "ann@example.com", "--json").json["unsubscribed"] == left
    shown = cli("subscribers", "show", "ann@example.com", "--json").json
    kinds = [each["kind"] for each in shown["consents"]]
    assert kinds == ["added", "paused", "resumed", "moved", "withdrawn"]
    assert "added: by mail" in cli("subscribers", "show", "ann@example.com").out
    refused = cli("subscribers", "add", "ann@example.com")
    assert (refused.code, "left main" in refused.err) == (2, True)
    assert cli("subscribers", "add", "ann@example.com", "--revive", "--basis", "asked again").code == 0
    assert cli.process("subscribers", "erase", "ann@example.com").code == 3
    assert cli("subscribers", "erase", "ann@example.com", "--yes").code == 0
    assert cli("subscribers", "show", "ann@example.com").code == 2
    assert "erasure" in cli("suppressions", "list", "ann@example.com").out


def test_who_becomes_a_reader_by_the_operators_word_is_an_event(cli, newsletter):
    """Programs that listen hear of it once, and not of somebody who reads already."""
    told = []
    for words in ((), ("--name", "Ann"), ("--revive",)):
        if words == ("--revive",):
            assert cli("subscribers", "unsubscribe", "ann@example.org").code == 0
        assert cli("subscribers", "add", "ann@example.org", *words).code == 0
        events = cli("subscribers", "show", "ann@example.org", "--json").json["events"]
        told.append([each["data"] for each in events if each["kind"] == "reader.added"])
    once = {"lists": ["main"], "how": "cli"}
    assert told == [[once], [once], [once, once]]


def test_suppressions(cli, newsletter):
    """A block holds against every add, until it is lifted; it needs nobody who has the address."""
    assert cli("suppressions", "add", "ann@example.org", "--why", "by telephone").code == 0
    assert cli("subscribers", "add", "ann@example.org", "--revive").code == 2
    assert cli("suppressions", "lift", "ann@example.org", "--json").json["lifted"] == 1
    assert cli("subscribers", "add", "ann@example.org").code == 0
    assert cli("suppressions", "list", "--json").lines == []
    (lifted,) = cli("suppressions", "list", "--lifted", "--json").lines
    assert (lifted["reason"], lifted["lifted_at"] is not None) == ("manual", True)


def test_export(cli, imported, tmp_path):
    """An export holds everyone, and only its owner may read the file."""
    file = tmp_path / "out.csv"
    assert cli("subscribers", "export", "--out", file).code == 0
    assert file.stat().st_mode & 0o077 == 0
    with file.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["email"], row["city"]) for row in rows] == [
        ("ann@example.org", "Graz"),
        ("bob@example.org", "Wien"),
    ]
    (first, _) = cli("subscribers", "export", "--format", "jsonl", "--json").lines
    assert first["attributes"] == {"city": "Graz"}


def test_undo(cli, imported):
    """An import is taken back by its id."""
    undone = cli("subscribers", "import", "--undo", imported["id"], "--yes", "--json").json
    assert (undone["removed"], undone["kept"]) == (2, 0)
    assert cli("subscribers", "list", "--json").lines == []


def test_list(cli, imported):
    """The people are listed by list, state and tag."""
    cli("subscribers", "tag", "bob@example.org", "--add", "beta")
    assert [each["email"] for each in cli("subscribers", "list", "--tag", "beta", "--json").lines] == [
        "bob@example.org"
    ]
    assert len(cli("subscribers", "list", "--list", "main", "--state", "active", "--json").lines) == 2
    assert len(cli("subscribers", "list", "--limit", "1", "--json").lines) == 1
    assert "ann@example.org" in cli("subscribers", "list").out
